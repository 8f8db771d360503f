"""Consensus methods against the libraries they rest on, and on crowds that leave these little to work with."""

from collections.abc import Callable
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from cleanlab.multiannotator import get_label_quality_multiannotator, get_majority_vote_label
from crowdkit.aggregation import DawidSkene
from generators import Crowd, crowds, probabilities, seeds
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alab.annotations import MISSING, FloatArray, IntArray
from alab.cleanlab_io import quiet_cleanlab
from alab.consensus import Consensus, agreement_with_consensus, crowdlab, dawid_skene, majority_vote

pytestmark = pytest.mark.filterwarnings("error")

ROUNDING = 1e-12
NUM_CLASSES = 3

CROWDS = {
    "one_example": [[1]],
    "one_annotator": [[0], [1], [2], [1]],
    "one_annotation_each": [[0, -1], [-1, 1], [2, -1], [-1, 1]],
    "one_class_only": [[1, 1], [1, -1], [-1, 1]],
    "nobody_overlaps_but_on_one": [[0, 0, -1, -1], [-1, -1, 1, -1], [-1, -1, -1, 2]],
    "everyone_agrees": [[0, 0, 0], [1, 1, 1], [2, 2, 2]],
    "everyone_disagrees": [[0, 1, 2], [1, 2, 0], [2, 0, 1]],
    "two_disagree_on_everything": [[0, 1], [1, 0]],
    "one_example_disputed": [[0, 1]],
    "class_missing": [[0, 2], [2, 2], [0, -1]],
    "annotator_missing": [[0, -1, 1], [1, -1, 1], [2, -1, -1]],
}

METHODS: dict[str, Callable[[IntArray, FloatArray], Consensus]] = {
    "majority_vote": lambda labels, _: majority_vote(labels, np.random.default_rng(0)),
    "crowdlab": lambda labels, probs: crowdlab(labels, probs, np.random.default_rng(0)),
    "dawid_skene": lambda labels, _: dawid_skene(labels, NUM_CLASSES),
}


def with_nan(labels: IntArray) -> pd.DataFrame:
    """Return the matrix as cleanlab documents it: a column for each annotator who appears, NaN for missing."""
    return pd.DataFrame(labels).astype(float).replace(MISSING, np.nan).dropna(axis=1, how="all")


def in_unit_interval(values: FloatArray) -> bool:
    """Whether all values are numbers in [0, 1], up to rounding."""
    return bool(((values >= 0.0) & (values <= 1.0 + ROUNDING)).all())


@given(crowds(), seeds)
@settings(max_examples=60, deadline=None)
def test_majority_vote_is_cleanlabs(crowd: Crowd, seed: int) -> None:
    drawn = -7
    with mock.patch("numpy.random.choice", return_value=drawn), quiet_cleanlab():
        expected = get_majority_vote_label(with_nan(crowd.labels), verbose=False)
    decided = expected != drawn
    ours = majority_vote(crowd.labels, np.random.default_rng(seed)).labels
    np.testing.assert_array_equal(ours[decided], expected[decided])


@given(crowds(), seeds)
@settings(max_examples=60, deadline=None)
def test_majority_vote_chooses_a_most_frequent_label(crowd: Crowd, seed: int) -> None:
    ours = majority_vote(crowd.labels, np.random.default_rng(seed)).labels
    votes = np.stack([(crowd.labels == label).sum(axis=1) for label in range(crowd.pred_probs.shape[1])], axis=1)
    np.testing.assert_array_equal(votes[np.arange(len(ours)), ours], votes.max(axis=1))


def test_majority_vote_quality_is_the_share_of_annotators_who_chose_the_label() -> None:
    consensus = majority_vote(np.array([[0, 0, 1], [1, 1, -1], [-1, -1, 0]]), np.random.default_rng(0))
    np.testing.assert_allclose(consensus.quality, [2 / 3, 1.0, 1.0])


def test_majority_vote_rates_annotators_by_agreement_and_the_unseen_as_average() -> None:
    labels = np.array([[0, 0, 1, -1], [1, 1, 1, -1]])
    np.testing.assert_allclose(majority_vote(labels, np.random.default_rng(0)).annotator_quality, [1, 1, 0.5, 2.5 / 3])


def test_a_tie_goes_to_the_rarer_class_even_if_every_example_is_tied() -> None:
    labels = np.array([[0, 1], [0, 2]])
    np.testing.assert_array_equal(majority_vote(labels, np.random.default_rng(0)).labels, [1, 2])


def test_ties_that_nothing_breaks_are_drawn_from_the_generator() -> None:
    labels = np.array([[0, 1], [1, 0]])
    drawn = {tuple(majority_vote(labels, np.random.default_rng(seed)).labels.tolist()) for seed in range(40)}
    assert drawn == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_the_same_generator_breaks_ties_alike() -> None:
    labels = np.tile([[0, 1], [1, 0]], (10, 1))
    first, second = (majority_vote(labels, np.random.default_rng(5)).labels for _ in range(2))
    np.testing.assert_array_equal(first, second)


@given(crowds(), seeds)
@settings(max_examples=50, deadline=None)
def test_crowdlab_is_cleanlabs(crowd: Crowd, seed: int) -> None:
    labels, probs = crowd.labels, probabilities(crowd.pred_probs.shape, seed)
    assume(((labels != MISSING).sum(axis=1) > 1).any())
    with quiet_cleanlab():
        expected = get_label_quality_multiannotator(with_nan(labels), probs, calibrate_probs=True, verbose=False)
    annotators = expected["annotator_stats"]["annotator_quality"].reindex(range(labels.shape[1]))
    ours = crowdlab(labels, probs, np.random.default_rng(0))
    np.testing.assert_array_equal(ours.labels, expected["label_quality"]["consensus_label"])
    np.testing.assert_allclose(ours.quality, expected["label_quality"]["consensus_quality_score"], atol=1e-6)
    np.testing.assert_allclose(ours.annotator_quality, annotators.fillna(annotators.mean()), atol=1e-6)


def test_crowdlab_counts_an_annotator_without_annotations_as_average_whatever_their_place() -> None:
    labels, probs = np.array([[0, -1, 1, 0], [1, -1, 0, 1], [2, -1, 2, 2]]), probabilities((3, NUM_CLASSES), 0)
    quality = crowdlab(labels, probs, np.random.default_rng(0)).annotator_quality
    without = crowdlab(labels[:, [0, 2, 3]], probs, np.random.default_rng(0)).annotator_quality
    np.testing.assert_allclose(quality, [without[0], without.mean(), without[1], without[2]])
    assert without[1] < without[2]


def test_crowdlab_breaks_ties_by_the_classifier() -> None:
    labels = np.array([[0, 1], [1, 0], [0, 0]])
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    np.testing.assert_array_equal(crowdlab(labels, probs, np.random.default_rng(0)).labels, [0, 1, 0])


def test_crowdlab_trusts_the_classifier_where_every_example_has_one_annotation() -> None:
    labels = np.array([[0, -1, -1], [1, -1, -1], [-1, 1, -1]])
    probs = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    consensus = crowdlab(labels, probs, np.random.default_rng(0))
    np.testing.assert_array_equal(consensus.labels, [0, 1, 1])
    np.testing.assert_allclose(consensus.quality, [0.9, 0.4, 0.8])
    np.testing.assert_allclose(consensus.annotator_quality, [0.65, 0.8, 0.725])


@given(crowds())
@settings(max_examples=10, deadline=None)
def test_dawid_skene_is_crowd_kits(crowd: Crowd) -> None:
    long = [(i, j, label) for (i, j), label in np.ndenumerate(crowd.labels) if label != MISSING]
    with quiet_cleanlab():
        expected = DawidSkene(n_iter=100).fit_predict_proba(pd.DataFrame(long, columns=["task", "worker", "label"]))
    ours = dawid_skene(crowd.labels, crowd.pred_probs.shape[1])
    posterior = expected.sort_index()
    np.testing.assert_allclose(ours.quality, posterior.max(axis=1), atol=1e-9)
    chosen = [posterior.loc[example, label] for example, label in enumerate(ours.labels)]
    np.testing.assert_allclose(chosen, posterior.max(axis=1), atol=1e-9)


def test_dawid_skene_beats_majority_vote_where_most_annotators_are_bad() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(NUM_CLASSES, size=200)
    guesses = rng.integers(NUM_CLASSES, size=(200, 5))
    right = rng.random((200, 5)) < [0.95, 0.95, 0.2, 0.2, 0.2]
    labels = np.where(right, truth[:, None], guesses)
    by_vote = (majority_vote(labels, rng).labels == truth).mean()
    by_model = dawid_skene(labels, NUM_CLASSES)
    assert (by_model.labels == truth).mean() > by_vote + 0.05
    assert by_model.annotator_quality[:2].min() > by_model.annotator_quality[2:].max() + 0.3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("probs", ["soft", "uniform", "certain"])
@pytest.mark.parametrize("name", CROWDS)
def test_degenerate_crowds_give_finite_values_and_no_noise(
    name: str, probs: str, method: str, capfd: pytest.CaptureFixture[str]
) -> None:
    labels = np.array(CROWDS[name])
    shape = (len(labels), NUM_CLASSES)
    pred_probs = {
        "soft": probabilities(shape, 0),
        "uniform": np.full(shape, 1 / NUM_CLASSES),
        "certain": np.tile([1.0, 0.0, 0.0], (len(labels), 1)),
    }[probs]
    consensus = METHODS[method](labels, pred_probs)
    assert np.isin(consensus.labels, range(NUM_CLASSES)).all()
    assert in_unit_interval(consensus.quality)
    assert in_unit_interval(consensus.annotator_quality)
    assert capfd.readouterr() == ("", "")


@given(crowds(), st.sampled_from([majority_vote, crowdlab]))
@settings(max_examples=50, deadline=None)
def test_any_crowd_gives_finite_values(crowd: Crowd, method: Callable[..., Consensus]) -> None:
    probs = [crowd.pred_probs] if method is crowdlab else []
    consensus = method(crowd.labels, *probs, np.random.default_rng(0))
    assert consensus.quality.shape == (len(crowd.labels),)
    assert consensus.annotator_quality.shape == (crowd.labels.shape[1],)
    assert in_unit_interval(consensus.quality)
    assert in_unit_interval(consensus.annotator_quality)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CROWDS)
def test_numpys_global_generator_is_left_alone(name: str, method: str) -> None:
    labels = np.array(CROWDS[name])
    before = np.random.get_state(legacy=False)
    METHODS[method](labels, np.full((len(labels), NUM_CLASSES), 1 / NUM_CLASSES))
    np.testing.assert_equal(np.random.get_state(legacy=False), before)


@pytest.mark.parametrize("method", METHODS)
def test_inputs_are_left_as_they_are(method: str) -> None:
    labels, probs = np.array(CROWDS["annotator_missing"]), probabilities((3, NUM_CLASSES), 0)
    labels_before, probs_before = labels.copy(), probs.copy()
    METHODS[method](labels, probs)
    np.testing.assert_array_equal(labels, labels_before)
    np.testing.assert_array_equal(probs, probs_before)


def test_agreement_counts_only_what_an_annotator_labelled() -> None:
    labels = np.array([[0, 1, -1], [1, -1, -1], [0, 0, -1]])
    np.testing.assert_allclose(agreement_with_consensus(labels, np.array([0, 0, 0])), [2 / 3, 1 / 2, 7 / 12])
