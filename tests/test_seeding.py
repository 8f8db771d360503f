"""Random streams: reproducible, independent of each other, and no trace left in NumPy's global generator."""

import itertools

import numpy as np
import pytest
from generators import seeds
from hypothesis import given, settings

from alab.seeding import Streams, numpy_seeded


@given(seeds)
@settings(max_examples=20)
def test_a_stream_starts_anew_whenever_it_is_asked_for(seed: int) -> None:
    first, second = (Streams(seed).rng("ties", round=3, fold=1, member=2).random(5) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_streams_differ_by_seed_purpose_round_fold_and_member() -> None:
    places = itertools.product([0, 1], ["ties", "folds"], [0, 1, 2], [0, 1, 2], [0, 1, 2])
    draws = {Streams(s).integer(p, round=r, fold=f, member=m) for s, p, r, f, m in places}
    assert len(draws) == 2 * 2 * 3 * 3 * 3


@given(seeds)
@settings(max_examples=20)
def test_integers_fit_what_numpy_takes_as_a_seed(seed: int) -> None:
    assert 0 <= Streams(seed).integer("weights", round=1) < 2**32


def test_the_integer_of_a_stream_is_always_the_same() -> None:
    assert Streams(4).integer("weights", round=2) == Streams(4).integer("weights", round=2)


def test_a_stream_is_the_same_in_every_process() -> None:
    assert Streams(0).integer("ties", round=1) == 1673188565


def test_seeded_draws_depend_on_the_generator_alone() -> None:
    drawn = []
    for before in (1, 2):
        np.random.seed(before)
        with numpy_seeded(np.random.default_rng(7)):
            drawn.append(np.random.random(4))
    np.testing.assert_array_equal(drawn[0], drawn[1])


def test_seeded_draws_differ_between_generators() -> None:
    drawn = set()
    for seed in range(5):
        with numpy_seeded(np.random.default_rng(seed)):
            drawn.add(np.random.random())
    assert len(drawn) == 5


def test_the_global_generator_goes_on_as_if_nothing_had_been_drawn() -> None:
    before = np.random.get_state(legacy=False)
    with numpy_seeded(np.random.default_rng(0)):
        np.random.random(10)
    np.testing.assert_equal(np.random.get_state(legacy=False), before)


def test_the_global_generator_is_restored_after_an_error() -> None:
    before = np.random.get_state(legacy=False)
    with pytest.raises(ZeroDivisionError), numpy_seeded(np.random.default_rng(0)):
        _ = np.random.random() / 0
    np.testing.assert_equal(np.random.get_state(legacy=False), before)
