"""The trained model that a run leaves behind, and how to use it again."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from alab.annotations import FloatArray
from alab.encoder import Encoder
from alab.model import LinearProbe, TextClassifier

PROBE = "probe.json"
HEAD = "head.safetensors"


def save_model(folder: Path, module: TextClassifier, encoder: Encoder, classes: Sequence[str]) -> None:
    """Write the model so that it is there whole or not at all.

    A fine-tuned encoder becomes a Hugging Face folder for `transformers.pipeline("text-classification", folder)`. A
    probe becomes its head and the name of its encoder, for `Probe`.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    if isinstance(module.network, LinearProbe):
        save_file(module.network.cpu().state_dict(), partial / HEAD)
        probe = {"encoder": encoder.name, "max_length": encoder.max_length, "classes": list(classes)}
        (partial / PROBE).write_text(json.dumps(probe, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    else:
        module.network.save_pretrained(partial)  # type: ignore[operator]
        encoder.tokenizer.save_pretrained(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)


class Probe:
    """A trained probe, loaded from the `model` folder of a run.

    Args:
        folder: the folder.

    Attributes:
        classes: the K labels.
    """

    def __init__(self, folder: str | Path) -> None:
        probe = json.loads((Path(folder) / PROBE).read_text(encoding="utf-8"))
        weights = load_file(Path(folder) / HEAD)
        self.classes: list[str] = probe["classes"]
        self._encoder = Encoder(probe["encoder"], probe["max_length"])
        self._network = LinearProbe(weights["head.weight"].shape[1], len(self.classes))
        self._network.load_state_dict(weights)

    @torch.no_grad()
    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Return (N, K) class probabilities of N texts."""
        features = self._encoder.features(texts, torch.device("cpu"), batch_size=16).features
        return self._network(features).double().softmax(dim=1).numpy()
