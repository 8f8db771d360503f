"""Buying: whole campaigns keep the rules of a round, and whom people are told to ask."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from generators import Campaign, campaigns, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from alab.annotations import MISSING, Annotations, FloatArray, IntArray
from alab.assignment import best_quality, existing_first, random
from alab.buying import buy, preferred_annotator
from alab.oracle import Archive
from alab.pool import Pool
from alab.seeding import Streams
from alab.strategies import select

POLICIES = st.sampled_from([existing_first, random, best_quality])

Policy = Callable[..., IntArray]


class Round(NamedTuple):
    """What was in the pool before a round, what could be bought in it, and what was."""

    before: Annotations
    eligible: set[int]
    bought: Annotations


class Play(NamedTuple):
    """A campaign played until nothing is left to buy."""

    pool: Pool
    rounds: list[Round]
    quality: FloatArray


def rows(annotations: Annotations) -> list[tuple[int, int, int]]:
    """Return (example, annotator, label) triples in order."""
    columns = (annotations.example, annotations.annotator, annotations.label)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def pool_of(campaign: Campaign) -> Pool:
    """Return the pool at the start."""
    return Pool(campaign.initial, campaign.num_examples, campaign.num_annotators, campaign.cap)


def play(campaign: Campaign, policy: Policy, per_round: int, seed: int) -> Play:
    """Select at random, buy and grow, round after round."""
    pool, archive, streams = pool_of(campaign), Archive(campaign.archive, campaign.num_examples), Streams(seed)
    quality = np.random.default_rng(seed).integers(3, size=campaign.num_annotators) / 2
    rounds: list[Round] = []
    while True:
        round = len(rounds) + 1
        eligible = pool.below_cap & archive.can_answer()
        chosen = select(np.zeros(pool.num_examples), eligible, per_round, streams.rng("ties", round=round))
        if not len(chosen):
            return Play(pool, rounds, quality)
        arrays = {"seen": pool.seen, "annotator_quality": quality}
        bought = buy(chosen, archive, policy, arrays, streams, round)
        rounds.append(Round(pool.annotations, set(np.flatnonzero(eligible).tolist()), bought))
        pool.grow(bought)


def left(campaign: Campaign, before: Annotations, example: int) -> list[int]:
    """Return who could still be asked about an example, in the archive's order."""
    had = {row[:2] for row in rows(before)}
    return [a for e, a, _ in rows(campaign.archive) if e == example and (e, a) not in had]


plays = given(campaigns(), POLICIES, st.integers(1, 5), seeds)


@plays
@settings(max_examples=50, deadline=None)
def test_nobody_annotates_an_example_twice(campaign: Campaign, policy: Policy, per_round: int, seed: int) -> None:
    pairs = [row[:2] for row in rows(play(campaign, policy, per_round, seed).pool.annotations)]
    assert len(set(pairs)) == len(pairs)


@plays
@settings(max_examples=50, deadline=None)
def test_no_example_grows_to_more_than_the_cap(campaign: Campaign, policy: Policy, per_round: int, seed: int) -> None:
    start = pool_of(campaign).num_annotations
    end = play(campaign, policy, per_round, seed).pool.num_annotations
    assert (end <= np.maximum(start, campaign.cap)).all()


@plays
@settings(max_examples=50, deadline=None)
def test_a_round_buys_at_most_one_annotation_an_example(
    campaign: Campaign, policy: Policy, per_round: int, seed: int
) -> None:
    for round in play(campaign, policy, per_round, seed).rounds:
        assert len(set(round.bought.example.tolist())) == len(round.bought)


@plays
@settings(max_examples=50, deadline=None)
def test_everything_bought_is_what_the_archive_holds(
    campaign: Campaign, policy: Policy, per_round: int, seed: int
) -> None:
    bought = [row for round in play(campaign, policy, per_round, seed).rounds for row in rows(round.bought)]
    assert set(bought) <= set(rows(campaign.archive))


@plays
@settings(max_examples=50, deadline=None)
def test_a_round_buys_all_it_may_until_nothing_is_left(
    campaign: Campaign, policy: Policy, per_round: int, seed: int
) -> None:
    for round in play(campaign, policy, per_round, seed).rounds:
        assert len(round.bought) == min(per_round, len(round.eligible))


@plays
@settings(max_examples=50, deadline=None)
def test_at_the_end_every_example_is_at_the_cap_or_out_of_answers(
    campaign: Campaign, policy: Policy, per_round: int, seed: int
) -> None:
    pool = play(campaign, policy, per_round, seed).pool
    for example in np.flatnonzero(pool.below_cap):
        assert left(campaign, pool.annotations, int(example)) == []


@given(campaigns(), st.integers(1, 5), seeds)
@settings(max_examples=50, deadline=None)
def test_existing_first_asks_the_first_in_the_archive_who_was_seen(
    campaign: Campaign, per_round: int, seed: int
) -> None:
    for round in play(campaign, existing_first, per_round, seed).rounds:
        seen = {annotator for _, annotator, _ in rows(round.before)}
        for example, annotator, _ in rows(round.bought):
            can_answer = left(campaign, round.before, example)
            known = [a for a in can_answer if a in seen]
            assert annotator in (known[:1] or can_answer)


@given(campaigns(), st.integers(1, 5), seeds)
@settings(max_examples=50, deadline=None)
def test_best_quality_asks_nobody_worse_than_another(campaign: Campaign, per_round: int, seed: int) -> None:
    played = play(campaign, best_quality, per_round, seed)
    for round in played.rounds:
        for example, annotator, _ in rows(round.bought):
            best = played.quality[left(campaign, round.before, example)].max()
            assert played.quality[annotator] == best


@plays
@settings(max_examples=40, deadline=None)
def test_the_same_seed_buys_the_same(campaign: Campaign, policy: Policy, per_round: int, seed: int) -> None:
    first, second = (play(campaign, policy, per_round, seed).pool.annotations for _ in range(2))
    assert rows(first) == rows(second)


@plays
@settings(max_examples=40, deadline=None)
def test_an_archive_that_is_told_what_was_bought_goes_on_as_if_it_had_sold_it(
    campaign: Campaign, policy: Policy, per_round: int, seed: int
) -> None:
    for round in play(campaign, policy, per_round, seed).rounds:
        told = Archive(campaign.archive, campaign.num_examples)
        told.use(round.before)
        remaining = [left(campaign, round.before, example) for example in range(campaign.num_examples)]
        assert [told.available(example).tolist() for example in range(campaign.num_examples)] == remaining
        assert told.can_answer().tolist() == [bool(annotators) for annotators in remaining]


ARCHIVE = Annotations.of([(1, 2, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)])

NOBODY_SEEN = {"seen": np.zeros(3, dtype=bool), "labels": np.full((3, 3), MISSING)}


def test_every_annotator_nobody_has_seen_is_asked_by_some_seed() -> None:
    asked = {
        int(buy([1], Archive(ARCHIVE, 3), existing_first, NOBODY_SEEN, Streams(seed), 1).annotator[0])
        for seed in range(30)
    }
    assert asked == {0, 1, 2}


def test_whom_to_ask_about_an_example_does_not_depend_on_the_others() -> None:
    for seed in range(10):
        alone = buy([1], Archive(ARCHIVE, 3), random, {}, Streams(seed), 4)
        after = buy([0, 1], Archive(ARCHIVE, 3), random, {}, Streams(seed), 4)
        assert rows(alone) == rows(after)[1:]


def test_purchases_come_in_the_order_of_the_examples() -> None:
    bought = buy([1, 0], Archive(ARCHIVE, 3), random, {}, Streams(0), 1)
    np.testing.assert_array_equal(bought.example, [1, 0])


def test_buying_nothing_gives_nothing() -> None:
    assert len(buy([], Archive(ARCHIVE, 3), random, {}, Streams(0), 1)) == 0


def test_a_policy_that_settles_on_one_annotator_names_them() -> None:
    arrays = NOBODY_SEEN | {"seen": np.array([True, False, True])}
    assert preferred_annotator(1, Archive(ARCHIVE, 3), existing_first, arrays) == 2


def test_a_policy_that_leaves_it_to_a_draw_names_nobody() -> None:
    assert preferred_annotator(1, Archive(ARCHIVE, 3), random, NOBODY_SEEN) is None


def test_a_policy_that_goes_by_the_archives_order_names_nobody_the_archive_lacks() -> None:
    arrays = NOBODY_SEEN | {"seen": np.ones(3, dtype=bool)}
    assert preferred_annotator(2, Archive(ARCHIVE, 3), existing_first, arrays) is None


def test_the_best_annotator_is_named_for_an_example_that_the_archive_cannot_answer() -> None:
    arrays = NOBODY_SEEN | {"annotator_quality": np.array([0.7, 0.9, 0.8])}
    assert preferred_annotator(2, Archive(ARCHIVE, 3), best_quality, arrays) == 1


def test_nobody_is_named_who_has_annotated_the_example_already() -> None:
    labels = np.array([[-1, -1, -1], [-1, -1, -1], [-1, 0, -1]])
    arrays = {"labels": labels, "annotator_quality": np.array([0.7, 0.9, 0.8])}
    assert preferred_annotator(2, Archive(ARCHIVE, 3), best_quality, arrays) == 2


def test_nobody_is_named_for_an_example_that_everyone_has_annotated() -> None:
    arrays = {"labels": np.zeros((3, 3), dtype=np.int64), "annotator_quality": np.ones(3)}
    assert preferred_annotator(2, Archive(ARCHIVE, 3), best_quality, arrays) is None


def test_naming_an_annotator_uses_nothing_up() -> None:
    archive = Archive(ARCHIVE, 3)
    preferred_annotator(0, archive, random, NOBODY_SEEN)
    np.testing.assert_array_equal(archive.available(0), [1])
