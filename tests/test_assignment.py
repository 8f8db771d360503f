"""Assignment policies: whom to ask, among those who can answer."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alab import binding
from alab.annotations import BoolArray, FloatArray, IntArray
from alab.assignment import best_quality, existing_first, random

POLICIES = [existing_first, random, best_quality]


class Situation(NamedTuple):
    """What a policy may know: who can answer, who has been seen, and how good everyone is."""

    available: IntArray
    seen: BoolArray
    annotator_quality: FloatArray


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Draw some of 6 annotators in any order, each seen or not, with qualities of which many are equal."""
    available = draw(st.lists(st.integers(0, 5), unique=True, min_size=1))
    seen = draw(st.lists(st.booleans(), min_size=6, max_size=6))
    quality = draw(st.lists(st.sampled_from([0.0, 0.5, 0.9, 1.0]), min_size=6, max_size=6))
    return Situation(np.array(available), np.array(seen), np.array(quality))


@pytest.mark.parametrize("policy", POLICIES)
@given(situation=situations())
@settings(max_examples=60, deadline=None)
def test_a_policy_keeps_somebody_who_can_answer(policy: Callable[..., IntArray], situation: Situation) -> None:
    kept = binding.call(policy, situation._asdict())
    assert len(kept) > 0
    assert set(kept.tolist()) <= set(situation.available.tolist())


def test_existing_first_takes_the_first_in_the_archives_order_who_has_been_seen() -> None:
    seen = np.array([True, False, True, True])
    np.testing.assert_array_equal(existing_first(np.array([1, 3, 0]), seen), [3])


def test_existing_first_keeps_everyone_if_nobody_has_been_seen() -> None:
    np.testing.assert_array_equal(existing_first(np.array([2, 1]), np.array([True, False, False])), [2, 1])


def test_random_keeps_everyone() -> None:
    np.testing.assert_array_equal(random(np.array([2, 0, 1])), [2, 0, 1])


def test_best_quality_takes_the_best_who_can_answer() -> None:
    np.testing.assert_array_equal(best_quality(np.array([0, 2]), np.array([0.6, 0.99, 0.8])), [2])


def test_best_quality_keeps_all_of_the_best() -> None:
    np.testing.assert_array_equal(best_quality(np.array([3, 0]), np.array([0.8, 0.5, 0.9, 0.8])), [3, 0])


@given(situations())
@settings(max_examples=60, deadline=None)
def test_best_quality_leaves_nobody_better_out(situation: Situation) -> None:
    available, _, quality = situation
    kept = best_quality(available, quality)
    assert (quality[kept] == quality[available].max()).all()
    assert (quality[np.setdiff1d(available, kept)] < quality[available].max()).all()
