"""Hypothesis strategies for annotations, class probabilities and whole annotation campaigns."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from alab.annotations import MISSING, Annotations, FloatArray, IntArray

seeds = st.integers(0, 2**32 - 1)


class Crowd(NamedTuple):
    """An (n, M) annotation matrix and class probabilities of the same examples."""

    labels: IntArray
    pred_probs: FloatArray


class Campaign(NamedTuple):
    """What is annotated at the start, what can be bought, and how many annotations an example may have."""

    initial: Annotations
    archive: Annotations
    num_examples: int
    num_annotators: int
    cap: int


def probabilities(shape: tuple[int, ...], seed: int, concentration: float = 1.0) -> FloatArray:
    """Return random probabilities without ties, whose last axis sums to one."""
    return np.random.default_rng(seed).dirichlet(np.full(shape[-1], concentration), shape[:-1])


@st.composite
def crowds(draw: st.DrawFn, *, all_annotated: bool = True) -> Crowd:
    """Draw annotations in 2 to 6 classes, some of them never chosen, by annotators of whom some never answer."""
    num_examples, num_annotators = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    num_classes = draw(st.integers(2, 6))
    used = draw(st.integers(1, num_classes))
    labels = draw(npst.arrays(np.int64, (num_examples, num_annotators), elements=st.integers(MISSING, used - 1)))
    labels[:, draw(st.lists(st.booleans(), min_size=num_annotators, max_size=num_annotators))] = MISSING
    must_be_annotated = (labels == MISSING).all(axis=1) if all_annotated else np.arange(num_examples) == 0
    labels[must_be_annotated, draw(st.integers(0, num_annotators - 1))] = draw(st.integers(0, used - 1))
    kind = draw(st.sampled_from(["soft", "sharp", "uniform", "certain"]))
    shape, seed = (num_examples, num_classes), draw(seeds)
    if kind == "uniform":
        return Crowd(labels, np.full(shape, 1 / num_classes))
    if kind == "certain":
        return Crowd(labels, np.eye(num_classes)[np.random.default_rng(seed).integers(num_classes, size=num_examples)])
    return Crowd(labels, probabilities(shape, seed, 1.0 if kind == "soft" else 0.2))


@st.composite
def campaigns(draw: st.DrawFn) -> Campaign:
    """Draw distinct (example, annotator) pairs with labels, some there at the start and the others in an archive."""
    num_examples, num_annotators = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    pairs = [(example, annotator) for example in range(num_examples) for annotator in range(num_annotators)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=len(pairs)))
    rows = [(example, annotator, draw(st.integers(0, 2))) for example, annotator in chosen]
    start = draw(st.integers(0, len(rows)))
    cap = draw(st.integers(1, 4))
    return Campaign(Annotations.of(rows[:start]), Annotations.of(rows[start:]), num_examples, num_annotators, cap)
