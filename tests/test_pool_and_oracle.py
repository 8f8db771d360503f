"""The pool's rules, and an archive that gives each of its annotations once."""

import numpy as np
import pytest

from alab.annotations import MISSING, Annotations
from alab.oracle import Archive
from alab.pool import Pool

ARCHIVE = Annotations.of([(1, 2, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)])


def small_pool(cap: int = 3) -> Pool:
    """Return 4 examples of which 3 are annotated, once, twice and three times, by some of 4 annotators."""
    initial = Annotations.of([(2, 0, 1), (0, 0, 0), (2, 1, 1), (3, 0, 0), (3, 1, 1), (3, 2, 1)])
    return Pool(initial, num_examples=4, num_annotators=4, cap=cap)


def test_an_archive_lists_annotators_in_its_own_order() -> None:
    np.testing.assert_array_equal(Archive(ARCHIVE, 3).available(1), [2, 0, 1])


def test_an_archive_gives_an_annotation_once() -> None:
    archive = Archive(ARCHIVE, 3)
    assert archive.ask(1, 2) == 0
    with pytest.raises(AssertionError, match="twice"):
        archive.ask(1, 2)


def test_an_archive_gives_only_what_it_holds() -> None:
    with pytest.raises(AssertionError, match="does not hold"):
        Archive(ARCHIVE, 3).ask(0, 2)


def test_an_archive_is_not_told_anything_by_annotations_it_never_held() -> None:
    archive = Archive(ARCHIVE, 3)
    archive.use(Annotations.of([(0, 0, 1), (2, 1, 0)]))
    np.testing.assert_array_equal(archive.can_answer(), [True, True, False])


def test_an_empty_archive_answers_nothing() -> None:
    np.testing.assert_array_equal(Archive(Annotations.of([]), 2).can_answer(), [False, False])


def test_a_pool_counts_the_annotations_of_every_example() -> None:
    np.testing.assert_array_equal(small_pool().num_annotations, [1, 0, 2, 3])


def test_annotated_examples_have_at_least_one_annotation() -> None:
    np.testing.assert_array_equal(small_pool().annotated, [0, 2, 3])


@pytest.mark.parametrize(("cap", "below"), [(1, [0, 1, 0, 0]), (2, [1, 1, 0, 0]), (3, [1, 1, 1, 0]), (4, [1, 1, 1, 1])])
def test_an_example_at_or_above_the_cap_gets_no_further_annotations(cap: int, below: list[int]) -> None:
    np.testing.assert_array_equal(small_pool(cap).below_cap, below)


def test_an_annotator_is_seen_once_they_have_annotated_anything() -> None:
    np.testing.assert_array_equal(small_pool().seen, [True, True, True, False])


def test_the_matrix_has_a_row_for_every_example_and_a_column_for_every_annotator() -> None:
    expected = [[0, -1, -1, -1], [-1, -1, -1, -1], [1, 1, -1, -1], [0, 1, 1, -1]]
    np.testing.assert_array_equal(small_pool().labels, expected)
    assert MISSING == -1


def test_a_pool_grows_by_what_was_bought() -> None:
    pool = small_pool()
    pool.grow(Annotations.of([(1, 3, 1), (2, 3, 0)]))
    np.testing.assert_array_equal(pool.num_annotations, [1, 1, 3, 3])
    assert pool.labels[1, 3] == 1
    assert pool.labels[2, 3] == 0
    assert pool.seen[3]


def test_purchases_come_after_what_was_there() -> None:
    pool = small_pool()
    pool.grow(Annotations.of([(1, 3, 1)]))
    assert (pool.annotations.example[-1], pool.annotations.annotator[-1], pool.annotations.label[-1]) == (1, 3, 1)


def test_a_pool_may_grow_by_nothing() -> None:
    pool = small_pool()
    pool.grow(Annotations.of([]))
    np.testing.assert_array_equal(pool.num_annotations, [1, 0, 2, 3])


def test_two_annotations_of_an_example_in_a_round_are_refused() -> None:
    with pytest.raises(AssertionError, match="one annotation an example and round"):
        small_pool().grow(Annotations.of([(1, 0, 1), (1, 1, 1)]))


@pytest.mark.parametrize("cap", [2, 3])
def test_a_purchase_at_or_above_the_cap_is_refused(cap: int) -> None:
    with pytest.raises(AssertionError, match="at its cap"):
        small_pool(cap).grow(Annotations.of([(3, 3, 1)]))


def test_a_second_annotation_by_the_same_annotator_is_refused() -> None:
    with pytest.raises(AssertionError, match="nobody annotates an example twice"):
        small_pool().grow(Annotations.of([(0, 0, 1)]))
