"""The statistics of a comparison, as pure functions. S seeds, R rounds; accuracies are fractions."""

import numpy as np
from scipy import stats

from alab.annotations import FloatArray, IntArray

NUM_RESAMPLES = 9999


def area_under_budget_curve(budgets: IntArray, accuracy: FloatArray) -> FloatArray:
    """Return (...,) areas under accuracy over annotations, by the trapezoid rule, scaled to [0, 1].

    With a single budget the area is the accuracy there.

    Args:
        budgets: (R,) annotations, ascending.
        accuracy: (..., R).
    """
    if len(budgets) == 1:
        return accuracy[..., 0]
    return np.trapezoid(accuracy, budgets, axis=-1) / (budgets[-1] - budgets[0])


def annotations_to_target(budgets: IntArray, accuracy: FloatArray, target: float, *, sustained: bool) -> FloatArray:
    """Return (...,) the least annotations with which the accuracy reaches `target`; NaN where it never does.

    Args:
        budgets: (R,) annotations, ascending.
        accuracy: (..., R).
        target: the accuracy to reach.
        sustained: whether every later accuracy must reach it too.
    """
    reached = accuracy >= target
    if sustained:
        reached = np.logical_and.accumulate(reached[..., ::-1], axis=-1)[..., ::-1]
    return np.where(reached.any(axis=-1), budgets[reached.argmax(axis=-1)], np.nan)


def error_ratio(accuracy: FloatArray, baseline: FloatArray) -> FloatArray:
    """Return (R,) the mean error over seeds divided by the baseline's; NaN where the baseline makes none.

    Args:
        accuracy: (S, R).
        baseline: (S, R), of the same seeds.
    """
    error, reference = 1 - accuracy.mean(axis=0), 1 - baseline.mean(axis=0)
    return np.divide(error, reference, out=np.full(len(error), np.nan), where=reference > 0)


def bootstrap_interval(differences: FloatArray, rng: np.random.Generator) -> tuple[float, float]:
    """Return the 95% bias-corrected and accelerated bootstrap interval of the mean paired difference.

    Efron (1987), Better bootstrap confidence intervals, doi 10.2307/2289144, as scipy computes it. Where all
    differences are the same, that is the interval. At least two pairs are needed.

    Args:
        differences: (S,) one difference a seed.
        rng: draws the resamples.
    """
    if np.ptp(differences) == 0:
        return float(differences[0]), float(differences[0])
    interval = stats.bootstrap((differences,), np.mean, n_resamples=NUM_RESAMPLES, rng=rng).confidence_interval
    return float(interval.low), float(interval.high)


def permutation_test(differences: FloatArray, rng: np.random.Generator) -> float:
    """Return the two-sided p-value of a paired permutation test: the sign of each difference is a coin's throw.

    Exact for up to 13 pairs, and by random signs beyond. With S pairs it is never below 2 / 2^S, so five pairs cannot
    reach 0.05.

    Args:
        differences: (S,) one difference a seed.
        rng: draws the signs where not all are tried.
    """
    test = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=NUM_RESAMPLES, vectorized=True, rng=rng
    )
    return float(test.pvalue)


def holm(p_values: FloatArray) -> FloatArray:
    """Return (C,) p-values adjusted for making C comparisons.

    Holm (1979), A simple sequentially rejective multiple test procedure: the k-th smallest is multiplied by C - k + 1,
    and none may be below a smaller one's.

    Args:
        p_values: (C,).
    """
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p_values[order] * factors))
    return adjusted


def win_matrix(areas: FloatArray) -> FloatArray:
    """Return (C, C) the share of seeds for which the row's condition is above the column's; a tie is half a win.

    Args:
        areas: (C, S) one figure of merit a condition and seed.
    """
    above = areas[:, None] > areas[None]
    tied = areas[:, None] == areas[None]
    return (above + tied / 2).mean(axis=-1)
