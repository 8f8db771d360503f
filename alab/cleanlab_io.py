"""How cleanlab is called: what it is given, and what it says meanwhile."""

import contextlib
import io
import warnings
from collections.abc import Iterator

import numpy as np

from alab.annotations import MISSING, FloatArray, IntArray

NUDGE = 1e-9
"""What a probability is changed by where an exact tie must be broken: far below what matters, far above rounding."""


def to_cleanlab(labels: IntArray) -> FloatArray:
    """Return an (N, M) annotation matrix as cleanlab takes it: floats, NaN for missing, only annotators who appear."""
    present = (labels != MISSING).any(axis=0)
    return np.where(labels == MISSING, np.nan, labels)[:, present]


def break_ties(labels: IntArray, probs: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return (..., n, K) probabilities without exact ties if cleanlab would fail on these, else unchanged.

    cleanlab breaks ties in the vote by the probabilities, then for the rarer class, then by how well annotators do on
    the untied examples; where every example is tied, the latter leaves it no label to choose. Nudge the probabilities
    then, towards the rarer class and within that by a draw.

    Args:
        labels: (n, M) annotation matrix, -1 for missing.
        probs: (..., n, K) class probabilities, or zeros where there are none.
        rng: draws.
    """
    votes = np.stack([(labels == label).sum(axis=1) for label in range(probs.shape[-1])], axis=1)
    tied = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1
    if not tied.all():
        return probs
    frequency = votes.sum(axis=0)
    return probs + NUDGE * (frequency.max() - frequency + rng.random(votes.shape))


@contextlib.contextmanager
def quiet_cleanlab() -> Iterator[None]:
    """Run cleanlab without its advice on standard output and its warnings on annotators that never overlap."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
