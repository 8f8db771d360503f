"""Acquisition scores: how much one more annotation of each example is worth. Higher means buy sooner.

Each score is a pure function that returns (N,) floats, for annotated and not-annotated examples alike. Its parameters
name what it needs (see `alab.binding`), out of

    labels           (N, M) annotation matrix, -1 for missing
    num_annotations  (N,) annotations each example has
    pred_probs       (N, K) out-of-sample class probabilities, the mean over an ensemble if there is one
    ensemble_probs   (P, N, K) out-of-sample class probabilities of each member of an ensemble

To add one, write it here or in a package of your own and name it in `configs/strategy/<name>.yaml`.
"""

import numpy as np
from cleanlab.multiannotator import get_active_learning_scores, get_active_learning_scores_ensemble

from alab.annotations import MISSING, FloatArray, IntArray
from alab.cleanlab_io import break_ties, quiet_cleanlab, to_cleanlab
from alab.seeding import numpy_seeded

TINY = 1e-12
"""Probabilities are clipped here before a logarithm."""


def activelab(labels: IntArray, pred_probs: FloatArray) -> FloatArray:
    """Score by ActiveLab (arXiv 2301.11856): one minus the estimated quality of the consensus.

    For an annotated example i with consensus quality q_i (CROWDLAB's) and annotators J_i, and for one without,

        1 - (w_bar / K + (w_M + sum of w_j over J_i) * q_i) / (w_bar + w_M + sum of w_j over J_i)
        1 - (w_bar / K +  w_M * max_k p_M(k | x_i)) / (w_bar + w_M)

    with w_M the weight of the classifier, w_j that of annotator j and w_bar the mean of the latter: both say how good
    the consensus would be after one more annotation that is no better than a guess. cleanlab computes it
    (`get_active_learning_scores`), returning the quality, which is high where an annotation is not worth much.
    """
    annotated = (labels != MISSING).any(axis=1)
    return _one_minus_quality(get_active_learning_scores, annotated, labels, pred_probs)


def activelab_ensemble(labels: IntArray, ensemble_probs: FloatArray) -> FloatArray:
    """Score by ActiveLab with every member of an ensemble as a voter of its own weight (arXiv 2301.11856).

    As `activelab`, with the sum over the members' weights in place of w_M (cleanlab's
    `get_active_learning_scores_ensemble`).
    """
    annotated = (labels != MISSING).any(axis=1)
    return _one_minus_quality(get_active_learning_scores_ensemble, annotated, labels, ensemble_probs)


def random(num_annotations: IntArray) -> FloatArray:
    """Score every example the same, so that the seeded draw among ties is a uniform one."""
    return np.zeros(len(num_annotations))


def good_random(num_annotations: IntArray) -> FloatArray:
    """Score the fewest annotations highest (minus their number); the seeded draw decides within ("Good Random")."""
    return -num_annotations.astype(np.float64)


def entropy(pred_probs: FloatArray) -> FloatArray:
    """Score by predictive entropy in nats, - sum_k p_k log p_k (Settles 2009, section 3.1)."""
    return -(pred_probs * np.log(np.clip(pred_probs, TINY, None))).sum(axis=1)


def uncertainty(pred_probs: FloatArray) -> FloatArray:
    """Score by least confidence, 1 - max_k p_k (Lewis and Gale 1994)."""
    return 1.0 - pred_probs.max(axis=1)


def margin(pred_probs: FloatArray) -> FloatArray:
    """Score by 1 - (p_1 - p_2), the gap between the two most likely classes (Scheffer et al. 2001)."""
    second, first = np.partition(pred_probs, -2, axis=1)[:, -2:].T
    return 1.0 - (first - second)


def disagreement(ensemble_probs: FloatArray) -> FloatArray:
    """Score by query by committee: mean soft cross-entropy, in nats, of each member p_m to the ensemble's mean p.

        1/P sum_m - sum_k p_k log p_mk  =  H(p) + 1/P sum_m KL(p || p_m)

    (Seung et al. 1992; a baseline of the ActiveLab paper.)
    """
    mean = ensemble_probs.mean(axis=0)
    return -(mean * np.log(np.clip(ensemble_probs, TINY, None))).sum(axis=2).mean(axis=0)


def _one_minus_quality(cleanlab_scores, annotated, labels, probs) -> FloatArray:  # type: ignore[no-untyped-def]
    """Run one of cleanlab's two score functions on annotated and other rows and put the scores back in order."""
    # A score is a pure function: ties among the votes it is made from are broken by a draw that is always the same.
    rng = np.random.default_rng(0)
    # cleanlab's ensemble variant calibrates the probabilities it is given in place: a mask makes copies of them.
    probs_annotated = break_ties(labels[annotated], probs[..., annotated, :], rng)
    # One more example, on which an ensemble agrees, lets cleanlab break ties between its members on all the others.
    agreed = np.full_like(probs[..., :1, :], 1 / probs.shape[-1])
    probs_not_annotated = np.concatenate([probs[..., ~annotated, :], agreed], axis=-2)
    with quiet_cleanlab(), numpy_seeded(rng):
        quality, quality_not_annotated = cleanlab_scores(
            to_cleanlab(labels[annotated]), probs_annotated, probs_not_annotated
        )
    scores = np.empty(len(labels))
    scores[annotated] = 1.0 - quality
    scores[~annotated] = 1.0 - quality_not_annotated[:-1]
    return scores
