"""The rounds of active learning, as a callback of one `Trainer.fit` in which an epoch is a round.

1. consensus        MultiAnnotatorDataModule.train_dataloader, before the epoch
2. train            AnnotationRounds.on_train_epoch_start starts cold; the epoch is the fit
3. evaluate         TextClassifier.validation_step, on the test set
4. cross-validate   |
5. score            |
6. select           | AnnotationRounds.on_train_epoch_end
7. buy              |
8. the pool grows   |
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np

from alab import binding
from alab.annotations import Annotations, FloatArray, IntArray
from alab.atomic import replacing
from alab.buying import buy
from alab.config import Settings
from alab.consensus import crowdlab
from alab.corpora.corpus import UNKNOWN
from alab.crossval import cross_validate, lone_classes
from alab.datamodule import MultiAnnotatorDataModule
from alab.display import Display
from alab.errors import UserError
from alab.ledger import Entry, Ledger
from alab.model import TextClassifier
from alab.oracle import Oracle
from alab.outputs import RoundRow, write_rounds
from alab.strategies import QueryStrategy, select

log = logging.getLogger(__name__)


@dataclass(eq=False)
class AnnotationRounds(L.Callback):
    """Everything that happens between two fits.

    Attributes:
        settings: of the run.
        data: the pool and its consensus labels.
        strategy: scores examples.
        policy: a function of `alab.assignment`.
        oracle: answers requests.
        ledger: what was bought; it may be ahead of the pool if the run was cut off.
        fold_module: a second module, for the fits of the cross-validation.
        trainer_flags: Lightning's flags for these fits.
        checkpoint: the file that holds what continuing needs.
        table: the file with a line a round.
        display: what a person sees.
        rows: one a round so far.
        ended: whether there was nothing left to buy.
    """

    settings: Settings
    data: MultiAnnotatorDataModule
    strategy: QueryStrategy
    policy: Callable[..., IntArray]
    oracle: Oracle
    ledger: Ledger
    fold_module: TextClassifier
    trainer_flags: Mapping[str, Any]
    checkpoint: Path
    table: Path
    display: Display
    rows: list[RoundRow] = field(default_factory=list)
    ended: bool = False

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Keep the pre-trained weights, before a checkpoint can replace them."""
        assert isinstance(pl_module, TextClassifier)
        self.pretrained = pl_module.snapshot()
        self.told_lone: set[int] = set()

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop at once if the run that is continued had nothing left to buy."""
        trainer.should_stop = self.ended
        self.started = time.monotonic()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start cold: pre-trained weights, a fresh optimiser and schedule."""
        assert isinstance(pl_module, TextClassifier)
        round = trainer.current_epoch + 1
        self.display.begin_round(round)
        pl_module.reset(self.pretrained, self.data.streams.integer("weights", round=round))
        trainer.strategy.setup_optimizers(trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the model's predictions, decide what to buy, buy it, and write down that it was bought."""
        round = trainer.current_epoch + 1
        if self.needs_predictions:
            self.data.ensemble_probs = self.cross_validate(round)
        row = self.describe(round, trainer)
        if round < self.settings.rounds:
            chosen = self.select(round, self.scores())
            self.data.pool.grow(self.buy(round, chosen))
            self.ended = not len(chosen)
        row["seconds"] = time.monotonic() - self.started
        self.started = time.monotonic()
        self.rows.append(row)
        write_rounds(self.table, self.rows)
        with replacing(self.checkpoint) as temporary:
            trainer.save_checkpoint(temporary)
        self.display.end_round(row)
        trainer.should_stop = self.ended

    @property
    def needs_predictions(self) -> bool:
        """Whether anything this run is made of asks for out-of-sample predictions."""
        functions = (self.strategy.acquisition, self.data.consensus_method, self.policy)
        return any(binding.needs_predictions(function) for function in functions)

    def cross_validate(self, round: int) -> FloatArray:
        """Return (P, N, K) out-of-sample class probabilities."""
        assert self.data.consensus is not None
        lone = set(lone_classes(self.data.consensus.labels).tolist()) - self.told_lone
        for label in lone:
            log.warning(
                "round %d: only one example is labelled %r; it trains in every fold, and is itself predicted as 1/K",
                round,
                self.data.corpus.classes[label],
            )
        self.told_lone |= lone
        return cross_validate(
            self.data,
            self.fold_module,
            self.pretrained,
            round=round,
            num_folds=self.settings.folds,
            ensemble_size=self.strategy.ensemble_size,
            trainer_flags=self.trainer_flags,
            progress=self.display.fit,
        )

    def scores(self) -> FloatArray:
        """Return (N,) acquisition scores of all examples, from the labels and predictions at hand."""
        return self.strategy.score(self.data.arrays())

    def select(self, round: int, scores: FloatArray) -> list[tuple[int, float]]:
        """Return the examples to buy an annotation for in `round`, best first, each with its score."""
        eligible = self.data.pool.below_cap & self.oracle.can_answer()
        rng = self.data.streams.rng("ties", round=round)
        chosen = select(scores, eligible, self.settings.annotations_per_round, rng)
        return [(int(example), float(scores[example])) for example in chosen]

    def buy(self, round: int, chosen: list[tuple[int, float]]) -> Annotations:
        """Return the round's purchases: those that the ledger holds already, and the others after writing them there.

        The ledger wins: a round that was cut off after its purchases buys nothing more, and one whose purchases were
        torn by the cut buys only those that are missing.

        Raises:
            UserError: if lines are missing from the middle of the ledger.
        """
        corpus = self.data.corpus
        held = corpus.encode(entry[1:4] for entry in self.ledger.of_round(round))
        self.oracle.use(held)
        missing = [(example, score) for example, score in chosen if example not in held.example]
        missing = missing[: len(chosen) - len(held)]
        if missing and round < self.ledger.last_round:
            raise UserError(f"{self.ledger.path}: round {round} lacks {len(missing)} lines that were once there")
        bought = buy(
            [example for example, _ in missing],
            self.oracle,
            self.policy,
            self.annotator_arrays(round),
            self.data.streams,
            round,
        )
        scores = [score for _, score in missing]
        rows = zip(corpus.decode(bought), scores, strict=True)
        self.ledger.append(Entry(round, *row, score) for row, score in rows)
        return held + bought

    def annotator_arrays(self, round: int) -> dict[str, Any]:
        """Return what an assignment policy may ask for about annotators."""
        pool = self.data.pool
        arrays: dict[str, Any] = {"seen": pool.seen, "labels": pool.labels}
        if "annotator_quality" in binding.wanted(self.policy):
            rng = self.data.streams.rng("quality", round=round)
            annotated = self.data.arrays(pool.annotated)
            arrays["annotator_quality"] = crowdlab(annotated["labels"], annotated["pred_probs"], rng).annotator_quality
        return arrays

    def describe(self, round: int, trainer: L.Trainer) -> RoundRow:
        """Return the round's line: what it trained on and how well that went."""
        data, consensus = self.data, self.data.consensus
        assert consensus is not None
        labels, annotated = consensus.labels, data.pool.annotated
        row: RoundRow = {
            "round": round,
            "num_annotations": len(data.pool.annotations),
            "num_examples": len(annotated),
            "num_annotators": int(data.pool.seen.sum()),
            **{name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("test_")},
        }
        if data.ensemble_probs is not None:
            predicted = data.ensemble_probs.mean(axis=0)[annotated].argmax(axis=1)
            row["out_of_sample_agreement"] = float((predicted == labels).mean())
        true = np.array(data.corpus.pool["label"])[annotated]
        known = true != UNKNOWN
        if known.any():
            row["consensus_accuracy"] = float((np.array(data.corpus.classes)[labels] == true)[known].mean())
        return row

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Leave out the optimiser, which every round sets up anew."""
        checkpoint["optimizer_states"] = checkpoint["lr_schedulers"] = []

    def state_dict(self) -> dict[str, Any]:
        """How far the run has come."""
        return {"rows": self.rows, "ended": self.ended, "num_annotations": len(self.data.pool.annotations)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the run where the checkpoint left it, with the purchases that the ledger holds up to there."""
        self.rows, self.ended = state_dict["rows"], state_dict["ended"]
        for row in self.rows:
            purchases = self.data.corpus.encode(entry[1:4] for entry in self.ledger.of_round(int(row["round"])))
            self.oracle.use(purchases)
            self.data.pool.grow(purchases)
        assert len(self.data.pool.annotations) == state_dict["num_annotations"], "checkpoint and ledger disagree"
