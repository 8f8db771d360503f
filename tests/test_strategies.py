"""Query strategies: from scores to the examples to annotate next."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from generators import seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from alab import acquisition
from alab.annotations import BoolArray, FloatArray, IntArray
from alab.errors import UserError
from alab.strategies import QueryStrategy, select


class Choice(NamedTuple):
    """Scores with many ties, who may be chosen, and how many."""

    scores: FloatArray
    eligible: BoolArray
    number: int


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    """Draw up to 12 scores out of a few values."""
    rows = draw(st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 0.25, 1.0]), st.booleans()), max_size=12))
    scores = np.array([score for score, _ in rows], dtype=np.float64)
    return Choice(scores, np.array([may for _, may in rows], dtype=bool), draw(st.integers(0, 14)))


def select_with(seed: int, choice: Choice) -> IntArray:
    """Select with ties broken by a seed."""
    return select(*choice, np.random.default_rng(seed))


@given(choices(), seeds)
@settings(max_examples=60)
def test_as_many_are_chosen_as_are_asked_for_or_left(choice: Choice, seed: int) -> None:
    assert len(select_with(seed, choice)) == min(choice.number, choice.eligible.sum())


@given(choices(), seeds)
@settings(max_examples=60)
def test_only_eligible_examples_are_chosen(choice: Choice, seed: int) -> None:
    assert choice.eligible[select_with(seed, choice)].all()


@given(choices(), seeds)
@settings(max_examples=60)
def test_nothing_is_chosen_twice(choice: Choice, seed: int) -> None:
    chosen = select_with(seed, choice).tolist()
    assert len(set(chosen)) == len(chosen)


@given(choices(), seeds)
@settings(max_examples=60)
def test_the_best_come_first(choice: Choice, seed: int) -> None:
    assert (np.diff(choice.scores[select_with(seed, choice)]) <= 0).all()


@given(choices(), seeds)
@settings(max_examples=60)
def test_nothing_better_is_left_out(choice: Choice, seed: int) -> None:
    chosen = select_with(seed, choice)
    left = np.setdiff1d(np.flatnonzero(choice.eligible), chosen)
    assert choice.scores[left].max(initial=-np.inf) <= choice.scores[chosen].min(initial=np.inf) or not len(chosen)


@given(choices(), seeds)
@settings(max_examples=30)
def test_the_same_seed_chooses_the_same(choice: Choice, seed: int) -> None:
    np.testing.assert_array_equal(select_with(seed, choice), select_with(seed, choice))


@given(choices(), seeds)
@settings(max_examples=30)
def test_selecting_changes_nothing(choice: Choice, seed: int) -> None:
    before = Choice(choice.scores.copy(), choice.eligible.copy(), choice.number)
    select_with(seed, choice)
    np.testing.assert_equal(choice, before)


def test_each_of_many_tied_examples_is_chosen_by_some_seed() -> None:
    tied = Choice(np.zeros(10), np.ones(10, dtype=bool), 1)
    assert {int(select_with(seed, tied)[0]) for seed in range(200)} == set(range(10))


def test_tied_examples_are_chosen_equally_often() -> None:
    tied = Choice(np.zeros(5), np.ones(5, dtype=bool), 2)
    times = np.bincount(np.concatenate([select_with(seed, tied) for seed in range(1000)]), minlength=5)
    np.testing.assert_allclose(times, 400, atol=80)


def test_a_draw_never_puts_a_lower_score_before_a_higher() -> None:
    near = Choice(np.array([0.5, np.nextafter(0.5, 1.0), 0.5]), np.ones(3, dtype=bool), 1)
    assert {int(select_with(seed, near)[0]) for seed in range(50)} == {1}


@pytest.mark.parametrize("score", [acquisition.disagreement, acquisition.activelab_ensemble])
def test_a_score_of_an_ensemble_needs_one(score: Callable[..., FloatArray]) -> None:
    with pytest.raises(UserError, match=r"strategy\.ensemble_size=1"):
        QueryStrategy(score, ensemble_size=1)


def test_a_strategy_hands_over_the_arrays_that_its_score_names() -> None:
    strategy = QueryStrategy(acquisition.good_random)
    scores = strategy.score({"num_annotations": np.array([1, 0]), "pred_probs": None, "unheard_of": None})
    np.testing.assert_array_equal(scores, [-1.0, 0.0])


def test_a_score_that_is_no_number_is_a_broken_promise() -> None:
    def broken(num_annotations: IntArray) -> FloatArray:
        return np.full(len(num_annotations), np.nan)

    with pytest.raises(AssertionError):
        QueryStrategy(broken).score({"num_annotations": np.array([1])})
