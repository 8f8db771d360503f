"""Query strategies: from scores to the examples to annotate next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from alab import binding
from alab.annotations import BoolArray, FloatArray, IntArray
from alab.errors import UserError


@dataclass(frozen=True)
class QueryStrategy:
    """An acquisition score and the ensemble it wants.

    Attributes:
        acquisition: a function of `alab.acquisition`, or one like them.
        ensemble_size: models per fold, which differ by seed.
    """

    acquisition: Callable[..., FloatArray]
    ensemble_size: int = 1

    def __post_init__(self) -> None:
        if "ensemble_probs" in binding.wanted(self.acquisition) and self.ensemble_size < 2:
            raise UserError(
                f"strategy.ensemble_size={self.ensemble_size}: {self.acquisition.__name__} needs an ensemble, 2 or more"
            )

    def score(self, arrays: Mapping[str, Any]) -> FloatArray:
        """Return (N,) acquisition scores, from the arrays that the acquisition function names."""
        scores = binding.call(self.acquisition, arrays)
        assert np.isfinite(scores).all(), "an acquisition score is a number for every example"
        return scores


def select(scores: FloatArray, eligible: BoolArray, number: int, rng: np.random.Generator) -> IntArray:
    """Return the `number` eligible examples of highest score, best first, ties broken by a draw; all if fewer are left.

    Args:
        scores: (N,) acquisition scores.
        eligible: (N,) whether each example may be chosen.
        number: how many to choose.
        rng: decides between equal scores.
    """
    draw = rng.permutation(len(scores))
    best_first = np.lexsort((draw, -scores))
    return best_first[eligible[best_first]][:number]
