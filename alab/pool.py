"""The pool: all examples with the annotations bought so far, and what may still be bought."""

import numpy as np

from alab.annotations import Annotations, BoolArray, IntArray


class Pool:
    """N examples, M annotators, and the annotations bought so far.

    Args:
        initial: the annotations that are there at the start.
        num_examples: N.
        num_annotators: M.
        cap: the most annotations one example may have; one that has as many, or started with more, gets no further.
    """

    def __init__(self, initial: Annotations, num_examples: int, num_annotators: int, cap: int) -> None:
        self.annotations = initial
        self.num_examples = num_examples
        self.num_annotators = num_annotators
        self.cap = cap

    @property
    def num_annotations(self) -> IntArray:
        """(N,) annotations of each example."""
        return np.bincount(self.annotations.example, minlength=self.num_examples)

    @property
    def annotated(self) -> IntArray:
        """(n,) indices of the examples with at least one annotation, ascending."""
        return np.flatnonzero(self.num_annotations)

    @property
    def below_cap(self) -> BoolArray:
        """(N,) whether each example may have one more annotation."""
        return self.num_annotations < self.cap

    @property
    def seen(self) -> BoolArray:
        """(M,) whether each annotator has annotated anything."""
        return np.bincount(self.annotations.annotator, minlength=self.num_annotators) > 0

    @property
    def labels(self) -> IntArray:
        """(N, M) annotation matrix, -1 for missing."""
        return self.annotations.matrix(self.num_examples, self.num_annotators)

    def grow(self, purchases: Annotations) -> None:
        """Add one round's purchases: at most one an example, below the cap, and nobody asked twice.

        Raises:
            AssertionError: if a purchase breaks one of these rules.
        """
        assert len(np.unique(purchases.example)) == len(purchases), "one annotation an example and round"
        assert self.below_cap[purchases.example].all(), "an example at its cap gets no further annotations"
        self.annotations = self.annotations + purchases
        pairs = self.annotations.example * self.num_annotators + self.annotations.annotator
        assert len(np.unique(pairs)) == len(pairs), "nobody annotates an example twice"
