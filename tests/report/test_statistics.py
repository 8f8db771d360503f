"""The statistics of a report, against examples worked by hand, brute force and scipy."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from alab.report.statistics import (
    annotations_to_target,
    area_under_budget_curve,
    bootstrap_interval,
    error_ratio,
    holm,
    permutation_test,
    win_matrix,
)

BUDGETS = np.array([200, 300, 500])
fractions = st.floats(0, 1, width=32)


def test_area_is_the_trapezoid_rule_over_annotations() -> None:
    # (0.5 + 0.7) / 2 over 100 annotations and (0.7 + 0.9) / 2 over 200
    assert area_under_budget_curve(BUDGETS, np.array([0.5, 0.7, 0.9])) == pytest.approx((0.6 * 100 + 0.8 * 200) / 300)


def test_area_of_a_single_budget_is_the_accuracy_there() -> None:
    assert area_under_budget_curve(np.array([200]), np.array([[0.5], [0.7]])).tolist() == [0.5, 0.7]


@given(arrays(np.float64, (4, 3), elements=fractions))
def test_area_lies_between_the_least_and_the_greatest_accuracy(accuracy: np.ndarray) -> None:
    area = area_under_budget_curve(BUDGETS, accuracy)
    assert (area >= accuracy.min(axis=1) - 1e-9).all()
    assert (area <= accuracy.max(axis=1) + 1e-9).all()


@pytest.mark.parametrize(
    ("accuracy", "first", "sustained"),
    [
        ([0.95, 0.85, 0.91], 200, 500),
        ([0.80, 0.90, 0.91], 300, 300),
        ([0.95, 0.91, 0.85], 200, np.nan),
        ([0.80, 0.80, 0.85], np.nan, np.nan),
    ],
)
def test_annotations_to_reach_ninety_percent(accuracy: list[float], first: float, sustained: float) -> None:
    for expected, stays in ((first, False), (sustained, True)):
        found = annotations_to_target(BUDGETS, np.array([accuracy]), 0.9, sustained=stays)
        np.testing.assert_equal(found, [expected])


def test_error_ratio_is_that_of_the_mean_errors() -> None:
    ratio = error_ratio(np.array([[0.9, 0.8], [0.7, 1.0]]), np.array([[0.6, 1.0], [0.6, 1.0]]))
    np.testing.assert_allclose(ratio, [0.5, np.nan])


def test_five_gains_give_two_in_thirty_two() -> None:
    assert permutation_test(np.array([0.1, 0.2, 0.3, 0.1, 0.4]), np.random.default_rng(0)) == 2 / 32


@given(arrays(np.float64, st.integers(2, 8), elements=st.integers(-50, 50).map(lambda n: n / 64)))
def test_permutation_test_counts_the_signs_that_give_as_much(differences: np.ndarray) -> None:
    means = np.array([np.mean(differences * signs) for signs in product((-1, 1), repeat=len(differences))])
    as_much = np.mean(np.abs(means) >= np.abs(differences.mean()) - 1e-12)
    assert permutation_test(differences, np.random.default_rng(0)) == pytest.approx(as_much)


def test_interval_is_near_the_t_interval_of_many_normal_differences() -> None:
    differences = np.random.default_rng(1).normal(0.02, 0.01, 200)
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    np.testing.assert_allclose(bootstrap_interval(differences, np.random.default_rng(0)), expected, atol=3e-4)


@given(arrays(np.float64, st.integers(2, 10), elements=st.integers(-50, 50).map(lambda n: n / 64)))
def test_interval_is_finite_and_holds_the_mean(differences: np.ndarray) -> None:
    low, high = bootstrap_interval(differences, np.random.default_rng(0))
    assert low <= differences.mean() + 1e-12
    assert high >= differences.mean() - 1e-12


def test_holm_on_a_worked_example() -> None:
    # 0.005 * 4, 0.01 * 3, 0.03 * 2, then 0.04 * 1, which may not be below its predecessor
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


@given(arrays(np.float64, st.integers(1, 8), elements=fractions))
def test_holm_lies_between_the_plain_and_the_bonferroni_adjusted_values(p: np.ndarray) -> None:
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, p * len(p)) + 1e-12).all()


def test_wins_are_shares_of_seeds() -> None:
    areas = np.array([[0.9, 0.8, 0.7, 0.6], [0.8, 0.9, 0.6, 0.6]])
    np.testing.assert_allclose(win_matrix(areas), [[0.5, 0.625], [0.375, 0.5]])
