"""Assignment policies: whom to ask for an annotation.

Each policy is a pure function that narrows the annotators who can be asked for one example down to those it would
rather ask; the buyer draws one of them with a seeded stream. Its parameters name what it needs (see `alab.binding`):

    available          (A,) annotators who can answer, in the archive's order; never empty
    seen               (M,) whether each annotator has an annotation in the pool
    annotator_quality  (M,) CROWDLAB quality so far; who has not been seen counts as average
"""

from alab.annotations import BoolArray, FloatArray, IntArray


def existing_first(available: IntArray, seen: BoolArray) -> IntArray:
    """Keep the first who already has an annotation in the pool; if nobody has, keep everyone (the cookbook's rule)."""
    known = available[seen[available]]
    return known[:1] if len(known) else available


def random(available: IntArray) -> IntArray:
    """Keep everyone."""
    return available


def best_quality(available: IntArray, annotator_quality: FloatArray) -> IntArray:
    """Keep those of the highest CROWDLAB quality."""
    quality = annotator_quality[available]
    return available[quality == quality.max()]
