"""What every corpus provides, whatever it was read from."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from datasets import Dataset

from alab.annotations import Annotations, BoolArray, FloatArray, IntArray
from alab.corpora.tables import Table
from alab.errors import UserError

INTEGER = "-?(?:0|[1-9][0-9]{0,17})"
"""Labels that are numbers. Longer ones, which no spreadsheet keeps exactly, and those with leading zeros are names."""

UNKNOWN = ""
"""The true label of an example of which nobody knows it."""

Row = tuple[str, str, str]
"""An annotation as a source writes it: example id, annotator id, label."""


@dataclass(frozen=True)
class Corpus:
    """N pool examples and T test examples in K classes, annotated by M annotators.

    Attributes:
        pool: N rows `id`, `text`, `label` (the true label as the source writes it, `UNKNOWN` where it is not known).
        test: T rows, likewise; T may be 0.
        classes: the K labels that annotators give, as the source writes them, in the order of their class indices.
        annotators: the M annotator ids.
        initial: the annotations that are there at the start.
        archive: the annotations that can be bought, in the order of the source.
        notes: what a user should know about how the source was read.
    """

    pool: Dataset
    test: Dataset
    classes: list[str]
    annotators: list[str]
    initial: Annotations
    archive: Annotations
    notes: tuple[str, ...] = ()

    @classmethod
    def build(
        cls, pool: Dataset, test: Dataset, initial: Sequence[Row], archive: Sequence[Row], notes: Sequence[str] = ()
    ) -> "Corpus":
        """Index annotations that name examples, annotators and labels as the source does.

        Raises:
            UserError: if there is nothing to start from, an annotation twice, or fewer than two classes to tell apart.
        """
        rows = [*initial, *archive]
        if not initial:
            raise UserError("no initial annotations: training needs some to start from")
        twice = [pair for pair, count in Counter(row[:2] for row in rows).items() if count > 1]
        if twice:
            raise UserError(f"annotator {twice[0][1]!r} has annotated example {twice[0][0]!r} twice; expected once")
        classes = _in_order({label for *_, label in rows})
        if len(classes) < 2:
            raise UserError(f"every annotation says {classes[0]!r}; a classifier needs at least two classes")
        examples = {name: i for i, name in enumerate(pool["id"])}
        annotators = {name: i for i, name in enumerate(dict.fromkeys(annotator for _, annotator, _ in rows))}
        index = {name: i for i, name in enumerate(classes)}
        annotations = Annotations.of((examples[e], annotators[a], index[k]) for e, a, k in rows)
        start = len(initial)
        return cls(pool, test, classes, list(annotators), annotations[:start], annotations[start:], tuple(notes))

    @property
    def test_labels(self) -> IntArray:
        """(T,) class indices of the test examples."""
        index = {name: i for i, name in enumerate(self.classes)}
        return np.array([index[label] for label in self.test["label"]], dtype=np.int64)

    @property
    def annotator_accuracy(self) -> FloatArray:
        """(M,) share of each annotator's annotations, bought or not, that are true; NaN where none can be judged."""
        everything = self.initial + self.archive
        given = np.array(self.classes)[everything.label]
        true = np.array(self.pool["label"])[everything.example]
        known = true != UNKNOWN
        right = pd.Series((given == true)[known]).groupby(everything.annotator[known]).mean()
        return right.reindex(range(len(self.annotators))).to_numpy(dtype=np.float64)

    def encode(self, rows: Iterable[Row]) -> Annotations:
        """Turn rows into indices.

        Raises:
            UserError: if a row names something that the corpus does not have.
        """
        examples = {name: i for i, name in enumerate(self.pool["id"])}
        annotators = {name: i for i, name in enumerate(self.annotators)}
        classes = {name: i for i, name in enumerate(self.classes)}
        try:
            return Annotations.of((examples[e], annotators[a], classes[k]) for e, a, k in rows)
        except KeyError as error:
            raise UserError(f"{error.args[0]!r} is no example, annotator or label of this data set") from error

    def decode(self, annotations: Annotations) -> list[Row]:
        """Turn indices into rows."""
        ids = list(self.pool["id"])
        columns = zip(annotations.example, annotations.annotator, annotations.label, strict=True)
        return [(ids[int(e)], self.annotators[a], self.classes[k]) for e, a, k in columns]


def texts(ids: Sequence[str], text: Sequence[str], label: Sequence[str]) -> Dataset:
    """Hold texts in the columns that a corpus has."""
    return Dataset.from_dict({"id": list(ids), "text": list(text), "label": list(label)})


def canonical_labels(labels: Iterable[str]) -> dict[str, str]:
    """Map each distinct label to itself, or, if all of them are integers, to its plain form.

    A spreadsheet that has seen an empty cell in a column of integers writes `1.0` for `1`.
    """
    distinct = set(labels)
    if all(re.fullmatch(rf"{INTEGER}(\.0+)?", label) for label in distinct):
        return {label: str(int(label.partition(".")[0])) for label in distinct}
    return {label: label for label in distinct}


def check_test_labels(table: Table, is_test: Sequence[bool], plain: Mapping[str, str], heard: Collection[str]) -> None:
    """Check that every test label is one that annotators give, as no classifier can learn another.

    Args:
        table: the table that holds the test examples, with a column `label`.
        is_test: which of its rows are test examples.
        plain: canonical form of each label.
        heard: canonical labels that stand in annotations.

    Raises:
        UserError: at the first label that no annotation shows.
    """
    for index, test in enumerate(is_test):
        if test and plain[label := table.columns["label"][index]] not in heard:
            known = ", ".join(map(repr, sorted(heard)[:12]))
            raise table.fault(index, "label", f"no annotation says {label!r}; expected one of {known}")


def hold_back(examples: Sequence[str], num_examples: int, num_annotations: int, rng: np.random.Generator) -> BoolArray:
    """Draw which of A annotations are there at the start; the others become the archive.

    Args:
        examples: the example of each annotation.
        num_examples: how many examples to start with.
        num_annotations: how many annotations each of them starts with, drawn from those it has.
        rng: decides on both.

    Returns:
        (A,) mask of the initial annotations.

    Raises:
        UserError: if fewer than `num_examples` examples have `num_annotations` annotations.
    """
    _, example, counts = np.unique(np.array(examples), return_inverse=True, return_counts=True)
    enough = np.flatnonzero(counts >= num_annotations)
    if len(enough) < num_examples:
        raise UserError(
            f"data.initial_examples={num_examples}: only {len(enough)} examples have "
            f"data.initial_annotations={num_annotations} annotations or more"
        )
    initial = np.zeros(len(example), dtype=bool)
    for chosen in rng.choice(enough, size=num_examples, replace=False):
        initial[rng.choice(np.flatnonzero(example == chosen), size=num_annotations, replace=False)] = True
    return initial


def _in_order(labels: set[str]) -> list[str]:
    """Sort integers by value and anything else by its characters."""
    return sorted(labels, key=int) if all(re.fullmatch(INTEGER, label) for label in labels) else sorted(labels)
