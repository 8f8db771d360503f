"""The tables that a run leaves in its folder, each written whole or not at all."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from alab.annotations import MISSING, FloatArray, IntArray
from alab.atomic import replacing
from alab.consensus import Consensus, agreement_with_consensus
from alab.corpora.corpus import Corpus
from alab.pool import Pool

RoundRow = dict[str, int | float]
"""One line of `rounds.csv`, by column; what is not known is left out."""

ROUND_COLUMNS = (
    "round",
    "num_annotations",
    "num_examples",
    "num_annotators",
    "test_accuracy",
    "test_f1",
    "test_mcc",
    "test_log_loss",
    "test_calibration_error",
    "out_of_sample_agreement",
    "consensus_accuracy",
    "seconds",
)


def write_rounds(path: Path, rows: Sequence[RoundRow]) -> None:
    """Write `rounds.csv`: one line a round, with empty cells where there is nothing to say."""
    _write(path, ROUND_COLUMNS, ((row.get(column, "") for column in ROUND_COLUMNS) for row in rows))


def write_consensus(path: Path, corpus: Corpus, pool: Pool, consensus: Consensus) -> None:
    """Write `consensus.csv`: the label of every annotated example and how likely it is right."""
    annotated = pool.annotated
    examples = corpus.pool.select(annotated)
    labels = (corpus.classes[label] for label in consensus.labels)
    counts = pool.num_annotations[annotated]
    _write(
        path,
        ("example_id", "text", "label", "quality", "num_annotations"),
        zip(examples["id"], examples["text"], labels, consensus.quality, counts, strict=True),
    )


def write_annotators(path: Path, corpus: Corpus, pool: Pool, consensus: Consensus) -> None:
    """Write `annotators.csv`: how good everyone who annotated is, the best first.

    The accuracy is over all their annotations in the data, where true labels are known; it is what the quality, which
    knows of no truth, can be held against.
    """
    labels = pool.labels
    counts = (labels != MISSING).sum(axis=0)
    agreement = agreement_with_consensus(labels[pool.annotated], consensus.labels)
    quality, accuracy = consensus.annotator_quality, corpus.annotator_accuracy
    best_first = [m for m in (-quality).argsort(kind="stable") if counts[m]]
    _write(
        path,
        ("annotator_id", "quality", "num_annotations", "agreement", "accuracy"),
        (
            (corpus.annotators[m], quality[m], counts[m], agreement[m], "" if np.isnan(accuracy[m]) else accuracy[m])
            for m in best_first
        ),
    )


def write_next_batch(
    path: Path, corpus: Corpus, pool: Pool, examples: IntArray, scores: FloatArray, ask: Sequence[int | None]
) -> None:
    """Write `next_batch.csv`: what to have annotated next, best first.

    Args:
        path: the file.
        corpus: names things.
        pool: what was bought.
        examples: (B,) the batch, best first.
        scores: (N,) acquisition scores.
        ask: for each of the batch an annotator to prefer, or None.
    """
    rows = corpus.pool.select(examples)
    names = ("" if annotator is None else corpus.annotators[annotator] for annotator in ask)
    _write(
        path,
        ("example_id", "text", "score", "num_annotations", "ask"),
        zip(rows["id"], rows["text"], scores[examples], pool.num_annotations[examples], names, strict=True),
    )


def _write(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV, floats with six significant digits."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
