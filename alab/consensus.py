"""Consensus methods: one label for each example from all its annotations, and how far to trust it.

Each method is a pure function. Its parameters name what it needs (see `alab.binding`):

    labels       (n, M) annotation matrix of the annotated examples, -1 for missing; every row has an annotation
    pred_probs   (n, K) out-of-sample class probabilities of the same examples
    num_classes  K
    rng          generator for ties that nothing else breaks
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator, get_majority_vote_label
from cleanlab.rank import get_label_quality_scores
from crowdkit.aggregation import DawidSkene

from alab.annotations import MISSING, FloatArray, IntArray
from alab.cleanlab_io import break_ties, quiet_cleanlab, to_cleanlab
from alab.seeding import numpy_seeded


class Consensus(NamedTuple):
    """What a consensus method infers.

    Attributes:
        labels: (n,) class indices.
        quality: (n,) how likely each label is right, in [0, 1].
        annotator_quality: (M,) how often each annotator is right, in [0, 1]; who has not annotated anything yet, or
            nothing that can be judged, counts as average.
    """

    labels: IntArray
    quality: FloatArray
    annotator_quality: FloatArray


def majority_vote(labels: IntArray, rng: np.random.Generator) -> Consensus:
    """Return the label that most annotators chose.

    Ties go to the class that is rarer over all annotations, then to the annotators who agree more often with the
    untied examples, then to a draw (cleanlab's `get_majority_vote_label`). The quality of a label is the share of its
    annotators who chose it, that of an annotator the share of their labels that are the consensus.
    """
    no_probs = np.zeros((len(labels), labels.max() + 1))
    with quiet_cleanlab(), numpy_seeded(rng):
        consensus = get_majority_vote_label(to_cleanlab(labels), break_ties(labels, no_probs, rng), verbose=False)
    return Consensus(consensus, _agreement(labels, consensus, axis=1), agreement_with_consensus(labels, consensus))


def crowdlab(labels: IntArray, pred_probs: FloatArray, rng: np.random.Generator) -> Consensus:
    """Return CROWDLAB's consensus: a weighted vote of the annotators and a classifier (arXiv 2210.06812).

    The posterior of class k for example i is

        p(k | i)  ~  w_M * p_M(k | x_i) + sum over its annotators j of w_j * p(k | Y_ij)

    where p_M is the classifier (temperature-scaled to the annotators), p(k | Y_ij) is P if k = Y_ij and
    (1 - P) / (K - 1) otherwise, P is the mean agreement with the consensus, and the weights w of the model and of each
    annotator are one minus their error relative to always answering the most common class. It is computed by
    cleanlab's `get_label_quality_multiannotator(labels, pred_probs, calibrate_probs=True)`.

    Agreement between annotators is undefined while no example has two annotations. The label is then the annotation,
    its quality the classifier's probability for it, and an annotator's quality the mean over their labels.
    """
    if ((labels != MISSING).sum(axis=1) == 1).all():
        consensus = labels.max(axis=1)
        quality = get_label_quality_scores(consensus, pred_probs)
        answered = labels != MISSING
        with np.errstate(invalid="ignore"):
            annotator_quality = (answered * quality[:, None]).sum(axis=0) / answered.sum(axis=0)
        return Consensus(consensus, quality, _average_where_unknown(annotator_quality))

    with quiet_cleanlab(), numpy_seeded(rng):
        found = get_label_quality_multiannotator(
            to_cleanlab(labels),
            break_ties(labels, pred_probs, rng),
            calibrate_probs=True,
            return_detailed_quality=False,
            verbose=False,
        )
    annotator_quality = np.full(labels.shape[1], np.nan)
    present = np.flatnonzero((labels != MISSING).any(axis=0))
    statistics = found["annotator_stats"]
    annotator_quality[present[statistics.index]] = statistics["annotator_quality"]
    return Consensus(
        found["label_quality"]["consensus_label"].to_numpy(),
        found["label_quality"]["consensus_quality_score"].to_numpy(),
        _average_where_unknown(annotator_quality),
    )


def dawid_skene(labels: IntArray, num_classes: int) -> Consensus:
    """Return the consensus of Dawid and Skene (1979, doi 10.2307/2346806), by crowd-kit's EM.

    Every annotator j has a confusion matrix e_j(answer | truth) and every class a prior p; EM alternates between

        p(k | i)  ~  p(k) * product over the annotators j of i of e_j(Y_ij | k)

    and re-estimating e and p from these posteriors. The quality of a label is its posterior, that of an annotator the
    sum over k of p(k) * e_j(k | k).
    """
    example, annotator = np.nonzero(labels != MISSING)
    table = pd.DataFrame({"task": example, "worker": annotator, "label": labels[example, annotator]})
    model = DawidSkene(n_iter=100)
    with quiet_cleanlab():
        model.fit(table)
    assert model.probas_ is not None
    assert model.errors_ is not None
    assert model.priors_ is not None
    posterior = model.probas_.reindex(index=range(len(labels)), columns=range(num_classes), fill_value=0.0).to_numpy()
    consensus = posterior.argmax(axis=1)
    annotator_quality = np.zeros(labels.shape[1])
    for label, prior in model.priors_.items():
        right = model.errors_[label].xs(label, level="label")
        annotator_quality[right.index] += prior * right
    annotator_quality[(labels == MISSING).all(axis=0)] = np.nan
    return Consensus(consensus, posterior.max(axis=1), _average_where_unknown(annotator_quality))


def agreement_with_consensus(labels: IntArray, consensus: IntArray) -> FloatArray:
    """Return the (M,) share of each annotator's labels that equal the (n,) consensus; average where there are none."""
    return _average_where_unknown(_agreement(labels, consensus, axis=0))


def _agreement(labels: IntArray, consensus: IntArray, axis: int) -> FloatArray:
    with np.errstate(invalid="ignore"):
        return (labels == consensus[:, None]).sum(axis=axis) / (labels != MISSING).sum(axis=axis)


def _average_where_unknown(annotator_quality: FloatArray) -> FloatArray:
    return np.where(np.isnan(annotator_quality), np.nanmean(annotator_quality), annotator_quality)
