"""The oracle: where a requested annotation comes from, here an archive of annotations that people once made."""

from typing import Protocol

import numpy as np

from alab.annotations import Annotations, BoolArray, IntArray


class Oracle(Protocol):
    """Answers requests for annotations, each at most once."""

    def can_answer(self) -> BoolArray:
        """Return the (N,) mask of examples for which at least one annotator can still be asked."""

    def available(self, example: int) -> IntArray:
        """Return the annotators who can still be asked about `example`, in the archive's order."""

    def ask(self, example: int, annotator: int) -> int:
        """Return the label that `annotator` gives to `example`; the pair is then used up."""

    def use(self, annotations: Annotations) -> None:
        """Mark annotations as given, as after reading them from a ledger."""


class Archive:
    """An oracle that replays real annotations.

    Args:
        annotations: A annotations that can be bought, in the order of the source; none of them is in the pool yet.
        num_examples: N.
    """

    def __init__(self, annotations: Annotations, num_examples: int) -> None:
        by_example = np.argsort(annotations.example, kind="stable")
        self._annotations = annotations[by_example]
        self._start = np.searchsorted(self._annotations.example, np.arange(num_examples + 1))
        self._left = np.ones(len(annotations), dtype=bool)

    def can_answer(self) -> BoolArray:
        """Return the (N,) mask of examples with an annotation left."""
        num_examples = len(self._start) - 1
        return np.bincount(self._annotations.example[self._left], minlength=num_examples) > 0

    def available(self, example: int) -> IntArray:
        """Return the annotators whose annotation of `example` is left, in the order of the source."""
        rows = slice(self._start[example], self._start[example + 1])
        return self._annotations.annotator[rows][self._left[rows]]

    def ask(self, example: int, annotator: int) -> int:
        """Return the annotation and use it up."""
        row = self._row(example, annotator)
        assert row is not None, "asked for an annotation that the archive does not hold"
        assert self._left[row], "asked for an annotation twice"
        self._left[row] = False
        return int(self._annotations.label[row])

    def use(self, annotations: Annotations) -> None:
        """Use up annotations that were bought before."""
        for example, annotator in zip(annotations.example, annotations.annotator, strict=True):
            row = self._row(example, annotator)
            if row is not None:
                self._left[row] = False

    def _row(self, example: int, annotator: int) -> int | None:
        start, end = self._start[example], self._start[example + 1]
        found = np.flatnonzero(self._annotations.annotator[start:end] == annotator)
        return int(start + found[0]) if len(found) else None
