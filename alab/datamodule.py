"""The multi-annotator pool as a LightningDataModule: it knows what was bought and hands out loaders."""

from collections.abc import Callable
from typing import Any

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from alab import binding
from alab.annotations import FloatArray, IntArray
from alab.config import ModelSettings
from alab.consensus import Consensus, majority_vote
from alab.corpora.corpus import Corpus
from alab.encoder import THREADS, Batch, Encoder, Inputs, batches_by_length
from alab.pool import Pool
from alab.seeding import Streams


class Labelled(Dataset[Batch]):
    """Inputs of some examples together with their labels, indexed with a whole batch.

    Args:
        inputs: of all examples.
        rows: (n,) which of them.
        labels: (n,) class indices.
    """

    def __init__(self, inputs: Inputs, rows: IntArray, labels: IntArray) -> None:
        self._inputs, self._rows, self._labels = inputs, rows, torch.from_numpy(labels)

    def __getitem__(self, index: IntArray) -> Batch:
        return self._inputs[self._rows[index]] | {"labels": self._labels[index]}


class MultiAnnotatorDataModule(L.LightningDataModule):
    """The pool, the consensus labels inferred from it, and the loaders of a round.

    Args:
        corpus: the texts.
        pool: what has been bought.
        consensus_method: a function of `alab.consensus`.
        encoder: turns texts into inputs.
        settings: of the model, which decide on batches and steps.
        streams: the run's random streams.

    Attributes:
        ensemble_probs: (P, N, K) out-of-sample class probabilities of the last cross-validation, None before it.
        consensus: of the n annotated examples, in the order of `pool.annotated`.
    """

    def __init__(
        self,
        corpus: Corpus,
        pool: Pool,
        consensus_method: Callable[..., Consensus],
        encoder: Encoder,
        settings: ModelSettings,
        streams: Streams,
    ) -> None:
        super().__init__()
        self.corpus = corpus
        self.pool = pool
        self.consensus_method = consensus_method
        self.encoder = encoder
        self.settings = settings
        self.streams = streams
        self.ensemble_probs: FloatArray | None = None
        self.consensus: Consensus | None = None

    def setup(self, stage: str) -> None:
        """Tokenise every text once, and run a frozen encoder over all of them once."""
        assert self.trainer is not None
        device = self.trainer.strategy.root_device
        self._pool_inputs, self._test_inputs = (
            self._encode(split["text"], device) for split in (self.corpus.pool, self.corpus.test)
        )
        # A linear head is too small to share: beside other work, its threads would mostly wait for each other.
        torch.set_num_threads(1 if self.settings.frozen else THREADS)

    def infer_consensus(self, round: int) -> Consensus:
        """Infer the labels that `round` trains on, from what was bought and the predictions of the round before.

        Round 1 takes the majority vote: there are no predictions yet, and every strategy starts alike.
        """
        method = majority_vote if round == 1 else self.consensus_method
        arrays = self.arrays(self.pool.annotated) | {"rng": self.streams.rng("consensus", round=round)}
        self.consensus = binding.call(method, arrays)
        return self.consensus

    def arrays(self, rows: IntArray | slice = slice(None)) -> dict[str, Any]:
        """Return what acquisition scores and consensus methods may ask for, for some examples or all N."""
        arrays: dict[str, Any] = {
            "labels": self.pool.labels[rows],
            "num_annotations": self.pool.num_annotations[rows],
            "num_classes": len(self.corpus.classes),
        }
        if self.ensemble_probs is not None:
            arrays["ensemble_probs"] = self.ensemble_probs[:, rows]
            arrays["pred_probs"] = arrays["ensemble_probs"].mean(axis=0)
        return arrays

    def train_dataloader(self) -> DataLoader[Batch]:
        """Step 1 of a round, and the first half of step 2: the consensus labels, ready to train on."""
        assert self.trainer is not None
        round = self.trainer.current_epoch + 1
        return self.training_loader(self.pool.annotated, self.infer_consensus(round).labels, round=round)

    def val_dataloader(self) -> DataLoader[Batch] | list[Any]:
        """The test set, in batches of like length; nothing if there is none."""
        labels = self.corpus.test_labels
        if not len(labels):
            return []
        dataset = Labelled(self._test_inputs, np.arange(len(labels)), labels)
        return _loader(dataset, batches_by_length(self._test_inputs.lengths, self.settings.predict_batch_size))

    def training_loader(
        self, rows: IntArray, labels: IntArray, *, round: int, fold: int = 0, member: int = 0
    ) -> DataLoader[Batch]:
        """Return `max_steps` batches of some examples, a pure function of the seed and of which fit it is.

        Args:
            rows: (n,) examples.
            labels: (n,) their class indices.
            round: which round it is.
            fold: 0 for the full model, else which fold.
            member: which member of an ensemble.
        """
        rng = self.streams.rng("batches", round=round, fold=fold, member=member)
        batches = sample_batches(len(rows), self.settings.max_steps, self.settings.batch_size, rng)
        return _loader(Labelled(self._pool_inputs, rows, labels), batches)

    def prediction_loader(self, rows: IntArray) -> tuple[DataLoader[Batch], IntArray]:
        """Return batches of like length of some examples, and the order in which positions of `rows` come."""
        batches = batches_by_length(self._pool_inputs.lengths[rows], self.settings.predict_batch_size)
        return _loader(self._pool_inputs, [rows[batch] for batch in batches]), np.concatenate(batches)

    def state_dict(self) -> dict[str, Any]:
        """The predictions that the next round's consensus needs; what was bought is in the ledger."""
        return {"ensemble_probs": None if self.ensemble_probs is None else torch.from_numpy(self.ensemble_probs)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the predictions from a checkpoint."""
        probs = state_dict["ensemble_probs"]
        self.ensemble_probs = None if probs is None else probs.numpy()

    def _encode(self, texts: list[str], device: torch.device) -> Inputs:
        if self.settings.frozen:
            return self.encoder.features(texts, device, self.settings.predict_batch_size)
        return self.encoder.tokenize(texts)


def sample_batches(num_examples: int, num_batches: int, batch_size: int, rng: np.random.Generator) -> list[IntArray]:
    """Return `num_batches` batches of exactly `batch_size` indices, from successive permutations of the examples."""
    number = num_batches * batch_size
    permutations = [rng.permutation(num_examples) for _ in range(-(-number // num_examples))]
    return list(np.concatenate(permutations)[:number].reshape(num_batches, batch_size))


def _loader(dataset: Any, batches: list[IntArray]) -> DataLoader[Batch]:
    """Load whole batches at once. The generator is the loader's own, so that it draws nothing from torch's."""
    return DataLoader(dataset, batch_size=None, sampler=batches, generator=torch.Generator())
