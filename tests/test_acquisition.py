"""Acquisition scores against cleanlab, scipy and formulas worked out by hand."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from cleanlab.multiannotator import get_active_learning_scores, get_active_learning_scores_ensemble
from generators import Crowd, crowds, probabilities, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from alab.acquisition import (
    activelab,
    activelab_ensemble,
    disagreement,
    entropy,
    good_random,
    margin,
    random,
    uncertainty,
)
from alab.annotations import MISSING, FloatArray, IntArray
from alab.cleanlab_io import quiet_cleanlab

pytestmark = pytest.mark.filterwarnings("error")

NUM_MEMBERS = 3

FROM_PREDICTIONS = [entropy, uncertainty, margin]

ALL_TIED = [[0, 1], [1, 0], [-1, -1]]
"""Every annotated example is tied, which leaves cleanlab nothing to break a tie by."""

DRAWN = [[0, 1], [1, 0], [0, 0], [1, 1], [-1, -1]]
"""Some examples are tied, and cleanlab draws their consensus."""


def with_nan(labels: IntArray) -> pd.DataFrame:
    """Return the matrix as cleanlab documents it: a column for each annotator who appears, NaN for missing."""
    return pd.DataFrame(labels).astype(float).replace(MISSING, np.nan).dropna(axis=1, how="all")


def cleanlab_quality(labels: IntArray, probs: FloatArray) -> FloatArray:
    """Ask cleanlab about the annotated and the other examples, and put its answers back in order."""
    of = get_active_learning_scores if probs.ndim == 2 else get_active_learning_scores_ensemble
    rows = pd.Series((labels != MISSING).any(axis=1))
    annotated, others = np.flatnonzero(rows), np.flatnonzero(~rows)
    with quiet_cleanlab():
        found = of(
            with_nan(labels[annotated]).to_numpy(),
            probs[..., annotated, :].copy(),
            probs[..., others, :].copy() if len(others) else None,
        )
    return pd.concat([pd.Series(found[0], annotated), pd.Series(found[1], others)]).sort_index().to_numpy()


@given(crowds(all_annotated=False), seeds)
@settings(max_examples=30, deadline=None)
def test_activelab_is_one_minus_cleanlabs_quality(crowd: Crowd, seed: int) -> None:
    probs = probabilities(crowd.pred_probs.shape, seed)
    np.testing.assert_allclose(
        activelab(crowd.labels, probs), 1 - cleanlab_quality(crowd.labels, probs), atol=1e-6, rtol=0
    )


@given(crowds(), seeds)
@settings(max_examples=30, deadline=None)
def test_activelab_needs_no_example_without_annotations(crowd: Crowd, seed: int) -> None:
    probs = probabilities(crowd.pred_probs.shape, seed)
    np.testing.assert_allclose(
        activelab(crowd.labels, probs), 1 - cleanlab_quality(crowd.labels, probs), atol=1e-6, rtol=0
    )


@given(crowds(all_annotated=False), seeds)
@settings(max_examples=30, deadline=None)
def test_activelab_ensemble_is_one_minus_cleanlabs_quality(crowd: Crowd, seed: int) -> None:
    probs = probabilities((NUM_MEMBERS, *crowd.pred_probs.shape), seed)
    np.testing.assert_allclose(
        activelab_ensemble(crowd.labels, probs), 1 - cleanlab_quality(crowd.labels, probs), atol=1e-6, rtol=0
    )


@given(crowds(all_annotated=False), st.booleans())
@settings(max_examples=30, deadline=None)
def test_activelab_is_in_the_unit_interval_for_any_crowd(crowd: Crowd, ensemble: bool) -> None:
    members = np.stack([crowd.pred_probs, crowd.pred_probs[:, ::-1]])
    score = activelab_ensemble(crowd.labels, members) if ensemble else activelab(crowd.labels, crowd.pred_probs)
    assert score.shape == (len(crowd.labels),)
    assert ((score >= -1e-12) & (score <= 1 + 1e-12)).all()


def test_activelab_prefers_a_disputed_label_to_an_agreed_one() -> None:
    labels = np.array([[0, 1, 1], [1, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 0]])
    probs = np.array([[0.5, 0.5], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1]])
    assert activelab(labels, probs).argmax() == 0


def test_activelab_answers_where_every_example_is_tied() -> None:
    assert np.isfinite(activelab(np.array(ALL_TIED), np.full((3, 2), 0.5))).all()


@pytest.mark.parametrize("annotated", [[[0, 1], [1, 0]], [[0, 0], [0, 0]], [[0, 0], [1, 1]]])
def test_activelab_ensemble_answers_where_its_members_are_tied_on_every_new_example(annotated: list[list[int]]) -> None:
    members = np.array([[[1.0, 0.0]] * 3, [[0.0, 1.0]] * 3])
    assert np.isfinite(activelab_ensemble(np.array([*annotated, [-1, -1]]), members)).all()


@pytest.mark.parametrize("labels", [ALL_TIED, DRAWN])
def test_activelab_always_scores_the_same_where_only_a_draw_can_tell_the_consensus(labels: list[list[int]]) -> None:
    probs = np.full((len(labels), 2), 0.5)
    assert len({tuple(activelab(np.array(labels), probs).tolist()) for _ in range(10)}) == 1


@pytest.mark.parametrize("ensemble", [False, True])
def test_activelab_leaves_numpys_global_generator_alone(ensemble: bool) -> None:
    labels, probs = np.array(DRAWN), np.full((2, len(DRAWN), 2), 0.5)
    before = np.random.get_state(legacy=False)
    _ = activelab_ensemble(labels, probs) if ensemble else activelab(labels, probs[0])
    np.testing.assert_equal(np.random.get_state(legacy=False), before)


@pytest.mark.parametrize("ensemble", [False, True])
def test_activelab_prints_nothing(ensemble: bool, capfd: pytest.CaptureFixture[str]) -> None:
    labels = np.array([[0, 0, -1], [-1, -1, 1], [-1, -1, -1]])
    probs = probabilities((2, 3, 2), 0)
    _ = activelab_ensemble(labels, probs) if ensemble else activelab(labels, probs[0])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("ensemble", [False, True])
@pytest.mark.parametrize("rows", [2, 3])
def test_activelab_leaves_its_inputs_as_they_are(ensemble: bool, rows: int) -> None:
    labels, probs = np.array([[0, 0], [1, 0], [-1, -1]])[:rows], probabilities((2, rows, 2), 0)
    labels_before, probs_before = labels.copy(), probs.copy()
    _ = activelab_ensemble(labels, probs) if ensemble else activelab(labels, probs[0])
    np.testing.assert_array_equal(labels, labels_before)
    np.testing.assert_array_equal(probs, probs_before)


@given(crowds())
@settings(max_examples=30, deadline=None)
def test_entropy_is_scipys(crowd: Crowd) -> None:
    expected = scipy.stats.entropy(crowd.pred_probs, axis=1)
    np.testing.assert_allclose(entropy(crowd.pred_probs), expected, atol=1e-9)


def test_uncertainty_is_what_the_likeliest_class_lacks() -> None:
    np.testing.assert_allclose(uncertainty(np.array([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]])), [0.5, 0.1])


def test_margin_is_one_minus_the_gap_of_the_two_likeliest_classes() -> None:
    np.testing.assert_allclose(margin(np.array([[0.2, 0.5, 0.3], [0.05, 0.05, 0.9], [0.4, 0.2, 0.4]])), [0.8, 0.15, 1])


def test_disagreement_is_the_cross_entropy_of_each_member_to_the_mean() -> None:
    members = np.array([[[0.8, 0.2]], [[0.4, 0.6]]])
    expected = -(0.6 * np.log(0.8) + 0.4 * np.log(0.2) + 0.6 * np.log(0.4) + 0.4 * np.log(0.6)) / 2
    np.testing.assert_allclose(disagreement(members), [expected])


@given(crowds())
@settings(max_examples=30, deadline=None)
def test_disagreement_of_identical_members_is_the_entropy(crowd: Crowd) -> None:
    np.testing.assert_allclose(disagreement(np.stack([crowd.pred_probs] * 3)), entropy(crowd.pred_probs), atol=1e-9)


@given(crowds(), seeds)
@settings(max_examples=30, deadline=None)
def test_disagreement_is_at_least_the_entropy_of_the_mean(crowd: Crowd, seed: int) -> None:
    members = probabilities((NUM_MEMBERS, *crowd.pred_probs.shape), seed)
    assert (disagreement(members) >= entropy(members.mean(axis=0)) - 1e-9).all()


def test_disagreement_is_a_number_if_members_rule_each_other_out() -> None:
    assert np.isfinite(disagreement(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]))).all()


@pytest.mark.parametrize("score", FROM_PREDICTIONS)
@pytest.mark.parametrize("num_classes", range(2, 7))
def test_a_uniform_prediction_scores_highest(score: Callable[..., FloatArray], num_classes: int) -> None:
    others = probabilities((50, num_classes), 0)
    assert score(np.full((1, num_classes), 1 / num_classes)) > score(others).max()


@pytest.mark.parametrize("score", FROM_PREDICTIONS)
@pytest.mark.parametrize("num_classes", range(2, 7))
def test_a_certain_prediction_scores_zero_and_lowest(score: Callable[..., FloatArray], num_classes: int) -> None:
    np.testing.assert_allclose(score(np.eye(num_classes)), 0.0, atol=1e-12)
    assert score(probabilities((50, num_classes), 0)).min() > 0.0


def test_random_scores_everything_the_same() -> None:
    assert len(set(random(np.array([0, 3, 1, 0])).tolist())) == 1


def test_good_random_puts_the_fewest_annotations_first() -> None:
    num_annotations = np.array([2, 0, 5, 1, 0])
    scores = good_random(num_annotations)
    np.testing.assert_array_equal(num_annotations[np.argsort(-scores)], [0, 0, 1, 2, 5])


def test_good_random_scores_equal_counts_the_same() -> None:
    first, _, last = good_random(np.array([1, 0, 1]))
    assert first == last
