"""Annotations of several annotators: the long table, and the matrix made from it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MISSING = -1
"""Stands in an annotation matrix where an annotator has not labelled an example."""


@dataclass(frozen=True)
class Annotations:
    """A long table of A annotations, in the order in which they came.

    Attributes:
        example: (A,) indices into the examples of the pool.
        annotator: (A,) indices into the annotators.
        label: (A,) class indices.
    """

    example: IntArray
    annotator: IntArray
    label: IntArray

    def __post_init__(self) -> None:
        assert len(self.example) == len(self.annotator) == len(self.label)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int]]) -> "Annotations":
        """Build the table from (example, annotator, label) triples."""
        table = np.array(list(rows), dtype=np.int64).reshape(-1, 3)
        return cls(table[:, 0], table[:, 1], table[:, 2])

    def __len__(self) -> int:
        return len(self.example)

    def __add__(self, other: "Annotations") -> "Annotations":
        return Annotations(
            np.concatenate([self.example, other.example]),
            np.concatenate([self.annotator, other.annotator]),
            np.concatenate([self.label, other.label]),
        )

    def __getitem__(self, rows: IntArray | BoolArray | slice) -> "Annotations":
        """Select rows of the table, by index, mask or slice."""
        return Annotations(self.example[rows], self.annotator[rows], self.label[rows])

    def matrix(self, num_examples: int, num_annotators: int) -> IntArray:
        """Return the (N, M) matrix of class indices, `MISSING` where there is no annotation."""
        labels = np.full((num_examples, num_annotators), MISSING, dtype=np.int64)
        labels[self.example, self.annotator] = self.label
        return labels
