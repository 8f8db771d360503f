"""Cross-validation: class probabilities from models that have not seen the labels they are judged with."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from sklearn.model_selection import StratifiedKFold

from alab.annotations import FloatArray, IntArray
from alab.datamodule import MultiAnnotatorDataModule
from alab.model import State, TextClassifier


class Fold(NamedTuple):
    """Positions among the n annotated examples to train on and to predict; together they may leave some out."""

    train: IntArray
    held_out: IntArray


def stratified_folds(labels: IntArray, num_folds: int, seed: int) -> list[Fold]:
    """Split n labelled examples into shuffled folds such that every training part holds every class there is.

    Two rules keep that so when classes are rare. An example that is the only one of its class trains in every fold
    and is held out in none. There are no more folds than the largest class has examples; if every class has only one,
    there is a single fold that holds out nothing.

    Args:
        labels: (n,) class indices.
        num_folds: how many folds, at least 2.
        seed: of the shuffling.
    """
    class_size = np.bincount(labels)
    shared = np.flatnonzero(class_size[labels] > 1)
    lone = np.flatnonzero(class_size[labels] == 1)
    if not len(shared):
        return [Fold(train=lone, held_out=shared)]
    splitter = StratifiedKFold(min(num_folds, class_size.max()), shuffle=True, random_state=seed)
    splits = splitter.split(shared, labels[shared])
    return [Fold(train=np.sort(np.concatenate([shared[t], lone])), held_out=shared[h]) for t, h in splits]


def lone_classes(labels: IntArray) -> IntArray:
    """Return the classes that have a single example and so cannot be held out."""
    return np.flatnonzero(np.bincount(labels) == 1)


def cross_validate(
    data: MultiAnnotatorDataModule,
    module: TextClassifier,
    pretrained: State,
    *,
    round: int,
    num_folds: int,
    ensemble_size: int,
    trainer_flags: Mapping[str, Any],
    progress: Callable[[str], L.Callback],
) -> FloatArray:
    """Predict every example of the pool with models that did not train on it.

    Each fold's model, trained like the full one on the other folds, predicts its held-out fold and every
    not-annotated example; the latter are averaged over the folds. An example that cannot be held out gets 1 / K for
    every class, as no model may judge it that has not learnt it by heart.

    Args:
        data: the pool with its consensus labels.
        module: the module to train; its weights are overwritten.
        pretrained: the weights that every fit starts from.
        round: which round it is.
        num_folds: how many folds.
        ensemble_size: P, models per fold, which differ by seed.
        trainer_flags: Lightning's flags for every fit.
        progress: makes a callback that shows the progress of the fit with a given name.

    Returns:
        (P, N, K) class probabilities.
    """
    assert data.consensus is not None
    labels, annotated = data.consensus.labels, data.pool.annotated
    not_annotated = np.flatnonzero(data.pool.num_annotations == 0)
    folds = stratified_folds(labels, num_folds, data.streams.integer("folds", round=round))
    num_classes = len(data.corpus.classes)
    probs = np.full((ensemble_size, data.pool.num_examples, num_classes), 1 / num_classes)
    probs[:, not_annotated] = 0.0
    for member in range(ensemble_size):
        for number, fold in enumerate(folds, start=1):
            name = f"fold {number}/{len(folds)}" + (f" model {member + 1}/{ensemble_size}" if ensemble_size > 1 else "")
            held_out = annotated[fold.held_out]
            loader = data.training_loader(
                annotated[fold.train], labels[fold.train], round=round, fold=number, member=member
            )
            with isolate_rng():
                module.reset(pretrained, data.streams.integer("weights", round=round, fold=number, member=member))
                trainer = _trainer(trainer_flags, progress(name))
                trainer.fit(module, loader)
                predicted = _predict(trainer, module, data, np.concatenate([held_out, not_annotated]))
            probs[member, held_out] = predicted[: len(held_out)]
            probs[member, not_annotated] += predicted[len(held_out) :] / len(folds)
    return probs


def _trainer(flags: Mapping[str, Any], progress: L.Callback) -> L.Trainer:
    return L.Trainer(
        **flags,
        max_epochs=1,
        callbacks=[progress],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _predict(trainer: L.Trainer, module: TextClassifier, data: MultiAnnotatorDataModule, rows: IntArray) -> FloatArray:
    """Return (len(rows), K) class probabilities, in the order of `rows`."""
    loader, order = data.prediction_loader(rows)
    batches = trainer.predict(module, loader)
    assert batches is not None
    probs = np.empty((len(rows), len(data.corpus.classes)))
    probs[order] = torch.cat(batches).cpu().numpy()  # type: ignore[arg-type]
    return probs
