"""Folds in which every training part holds every class, and batches from successive permutations."""

import numpy as np
import pytest
from generators import seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from alab.annotations import IntArray
from alab.crossval import lone_classes, stratified_folds
from alab.datamodule import sample_batches

pytestmark = pytest.mark.filterwarnings("ignore:The least populated class")

consensus = st.lists(st.integers(0, 5), min_size=1, max_size=25).map(np.array)
num_folds = st.integers(2, 5)


def shared_and_lone(labels: IntArray) -> tuple[set[int], set[int]]:
    """Split positions by whether another example has the same class."""
    every = labels.tolist()
    shared = {position for position, label in enumerate(every) if every.count(label) > 1}
    return shared, set(range(len(every))) - shared


@given(consensus, num_folds, seeds)
@settings(max_examples=50, deadline=None)
def test_every_example_that_shares_its_class_is_held_out_once(labels: IntArray, number: int, seed: int) -> None:
    held_out = [int(i) for fold in stratified_folds(labels, number, seed) for i in fold.held_out]
    assert sorted(held_out) == sorted(shared_and_lone(labels)[0])


@given(consensus, num_folds, seeds)
@settings(max_examples=50, deadline=None)
def test_every_training_part_holds_every_class(labels: IntArray, number: int, seed: int) -> None:
    for fold in stratified_folds(labels, number, seed):
        assert set(labels[fold.train].tolist()) == set(labels.tolist())


@given(consensus, num_folds, seeds)
@settings(max_examples=50, deadline=None)
def test_a_fold_trains_on_all_that_it_does_not_hold_out(labels: IntArray, number: int, seed: int) -> None:
    for fold in stratified_folds(labels, number, seed):
        assert sorted([*fold.train.tolist(), *fold.held_out.tolist()]) == list(range(len(labels)))


@given(consensus, num_folds, seeds)
@settings(max_examples=50, deadline=None)
def test_an_example_alone_in_its_class_trains_in_every_fold(labels: IntArray, number: int, seed: int) -> None:
    for fold in stratified_folds(labels, number, seed):
        assert shared_and_lone(labels)[1] <= set(fold.train.tolist())


@given(consensus, num_folds, seeds)
@settings(max_examples=50, deadline=None)
def test_there_are_as_many_folds_as_asked_for_unless_classes_are_too_small(
    labels: IntArray, number: int, seed: int
) -> None:
    assert len(stratified_folds(labels, number, seed)) == min(number, np.bincount(labels).max())


@given(consensus, num_folds, seeds)
@settings(max_examples=30, deadline=None)
def test_the_same_seed_gives_the_same_folds(labels: IntArray, number: int, seed: int) -> None:
    np.testing.assert_equal(stratified_folds(labels, number, seed), stratified_folds(labels, number, seed))


def test_folds_are_shuffled_by_the_seed() -> None:
    labels = np.tile([0, 1], 15)
    assert len({tuple(stratified_folds(labels, 3, seed)[0].held_out.tolist()) for seed in range(5)}) == 5


def test_folds_hold_out_each_class_in_proportion() -> None:
    labels = np.repeat([0, 1], [20, 10])
    for fold in stratified_folds(labels, 5, 0):
        np.testing.assert_array_equal(np.bincount(labels[fold.held_out]), [4, 2])


def test_nothing_is_held_out_if_every_class_has_one_example() -> None:
    (fold,) = stratified_folds(np.array([2, 0, 1]), 3, 0)
    np.testing.assert_array_equal(np.sort(fold.train), [0, 1, 2])
    assert len(fold.held_out) == 0


def test_lone_classes_have_a_single_example() -> None:
    np.testing.assert_array_equal(lone_classes(np.array([0, 2, 2, 4, 0, 5])), [4, 5])


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 9), seeds)
@settings(max_examples=60)
def test_batches_have_exactly_the_number_and_size_asked_for(examples: int, batches: int, size: int, seed: int) -> None:
    found = sample_batches(examples, batches, size, np.random.default_rng(seed))
    assert [len(batch) for batch in found] == [size] * batches


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 9), seeds)
@settings(max_examples=60)
def test_batches_pass_over_all_examples_again_and_again(examples: int, batches: int, size: int, seed: int) -> None:
    order = np.concatenate(sample_batches(examples, batches, size, np.random.default_rng(seed)))
    for start in range(0, len(order), examples):
        one_pass = order[start : start + examples]
        assert len(set(one_pass.tolist())) == len(one_pass)
        assert ((one_pass >= 0) & (one_pass < examples)).all()


def test_the_same_generator_gives_the_same_batches() -> None:
    first, second = (sample_batches(10, 7, 4, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_every_pass_is_in_another_order() -> None:
    first, second, third = sample_batches(20, 3, 20, np.random.default_rng(0))
    assert len({tuple(batch.tolist()) for batch in (first, second, third)}) == 3
