"""Buying: whom to ask about each chosen example, and what they answer."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from alab import binding
from alab.annotations import Annotations, IntArray
from alab.oracle import Oracle
from alab.seeding import Streams


def buy(
    examples: Iterable[int],
    oracle: Oracle,
    policy: Callable[..., IntArray],
    arrays: Mapping[str, Any],
    streams: Streams,
    round: int,
) -> Annotations:
    """Buy one annotation for each example, from the annotator that the policy prefers.

    Args:
        examples: the examples, all of which the oracle can answer.
        oracle: answers.
        policy: a function of `alab.assignment`; a seeded draw, one stream an example, decides among those it keeps.
        arrays: what the policy may ask for besides `available`.
        streams: the run's random streams.
        round: which round it is.
    """
    purchases = []
    for example in examples:
        preferred = binding.call(policy, {**arrays, "available": oracle.available(example)})
        annotator = streams.rng("assignment", round=round, member=int(example)).choice(preferred)
        purchases.append((int(example), int(annotator), oracle.ask(example, annotator)))
    return Annotations.of(purchases)


def preferred_annotator(
    example: int, oracle: Oracle, policy: Callable[..., IntArray], arrays: Mapping[str, Any]
) -> int | None:
    """Return the one annotator whom the policy would ask about an example, None if it names nobody in particular.

    If the archive has no answer, people will: a policy that judges annotators by quality then chooses among all who
    have not annotated the example yet, and one that goes by the archive's order names nobody.
    """
    available = oracle.available(example)
    if not len(available) and "annotator_quality" in binding.wanted(policy):
        available = np.flatnonzero(arrays["labels"][example] < 0)
    if not len(available):
        return None
    preferred = binding.call(policy, {**arrays, "available": available})
    return int(preferred[0]) if len(preferred) == 1 else None
