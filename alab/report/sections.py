"""What a report shows, in the order in which it is read: each section a text, a figure and a table of its numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from alab.annotations import FloatArray
from alab.report import figures, tables
from alab.report.comparison import Comparison
from alab.report.runs import Run


@dataclass(frozen=True)
class Section:
    """One part of a report.

    Attributes:
        name: of its files.
        title: its heading.
        text: what is to be seen.
        numbers: everything that is drawn or shown.
        figure: the picture of it, if there is one.
        shown: the table for the page, if there is one, with its headings.
    """

    name: str
    title: str
    text: str
    numbers: pd.DataFrame
    figure: Figure | None = None
    shown: pd.DataFrame | None = None


def sections(
    comparison: Comparison,
    baseline: str,
    target: float | None,
    published: dict[str, FloatArray],
    ceiling: Sequence[Run],
) -> Iterator[Section]:
    """Yield the sections of a report.

    Args:
        comparison: the runs.
        baseline: the strategy that the others are measured against.
        target: the accuracy whose cost is asked for; by default the best that every condition reaches.
        published: curves from elsewhere to draw beside the test accuracies.
        ceiling: runs whose last round trained on everything there is; may be none.
    """
    rng = np.random.default_rng(0)  # the same runs give the same page
    panels = figures.Panels(comparison)
    runs = tables.runs(comparison)
    seeds = f"Mean and one sample standard deviation over {len(comparison.seeds)} seeds."

    accuracy = tables.curves(comparison, "test_accuracy")
    references = pd.concat([tables.published(comparison, published), tables.ceiling(ceiling)])
    yield Section(
        "learning_curves",
        "Test accuracy over annotations",
        " ".join(
            [seeds, *(["Grey: the published curves, of DistilBERT."] if published else []), *_ceiling_text(ceiling)]
        ),
        pd.concat([accuracy, references]),
        figures.learning_curves(accuracy, references, panels),
    )
    summary = tables.summary(runs)
    yield Section(
        "summary",
        "In one number",
        "Area under the budget curve, which is the mean accuracy over the budget, and accuracy of the last round.",
        summary,
        shown=_summary_shown(summary),
    )
    yield Section("runs", "Every run", "What the means above are made of.", runs)
    differences = tables.comparisons(comparison, runs, baseline, rng)
    if len(differences):
        yield Section(
            "comparisons",
            f"Differences to {baseline}",
            "Paired by seed, to the condition with the baseline strategy that shares most other settings. Interval: "
            "95%, bias-corrected and accelerated bootstrap. p: paired permutation test, two-sided, adjusted by Holm "
            f"over {differences['condition'].nunique()} comparisons.{_least_p(len(comparison.seeds))}",
            differences,
            figures.differences(differences),
            _differences_shown(differences),
        )
    ratios = tables.error_ratios(comparison, baseline)
    if len(ratios):
        yield Section(
            "error_ratio",
            f"Error relative to {baseline}",
            "Mean error divided by the baseline's at the same number of annotations; below one is better.",
            ratios,
            figures.error_ratio(ratios, panels),
        )
    target = tables.common_target(runs) if target is None else target
    to_target = tables.to_target(comparison, target)
    yield Section(
        "annotations_to_target",
        f"Annotations to reach {target:.0%}",
        "Median over seeds of the annotations with which the test accuracy is reached first, and from which on it is "
        "never lost again. A seed that does not get there counts as infinitely many.",
        to_target,
        shown=_targets_shown(to_target),
    )
    if len(comparison.conditions) > 1:
        wins = tables.wins(runs)
        text = "For which share of the seeds the row has the larger area under the budget curve; a tie is half a win."
        yield Section("wins", "Who beats whom", text, wins.reset_index(), figures.win_matrix(wins))
    if len(caps := tables.by_cap(comparison, runs)):
        text = f"At one and the same budget of {comparison.budgets[-1]} annotations. {seeds}"
        yield Section("cap", "Accuracy over the cap", text, caps, figures.by_cap(caps))
    for column, title, text in (
        ("test_log_loss", "Log loss", "Of the predicted probabilities on the test set; lower is better."),
        ("test_calibration_error", "Calibration", "Expected calibration error on the test set; lower is better."),
        ("consensus_accuracy", "Consensus", "How many of the labels that were trained on are true."),
    ):
        if len(curve := tables.curves(comparison, column)):
            yield Section(
                column, title, f"{text} {seeds}", curve, figures.with_legend(*figures.curve(curve, panels, column))
            )
    split = tables.budget_split(comparison)
    if len(split):
        yield Section(
            "budget_split",
            "What the budget was spent on",
            "The share of each purchase that went to examples which were annotated already; the rest are new examples.",
            split,
            figures.budget_split(split, panels),
        )
    counts = tables.annotations_per_example(comparison)
    yield Section(
        "annotations_per_example",
        "Annotations of an example",
        "How many examples have so many annotations at the end, mean over seeds.",
        counts,
        figures.annotations_per_example(counts, panels),
    )
    annotators = tables.annotators(comparison)
    if len(annotators):
        yield Section(
            "annotator_quality",
            "Annotators",
            "The quality inferred at the end against how often the annotator is right in all of the data, one mark an "
            "annotator and seed. Spearman's rank correlation, mean over seeds: " + _correlations(annotators),
            annotators,
            figures.annotator_quality(annotators, panels),
        )


def _ceiling_text(ceiling: Sequence[Run]) -> list[str]:
    if not ceiling:
        return []
    (row,) = tables.ceiling(ceiling).to_dict("records")
    text = _plus_minus(pd.Series([row["mean"]]), pd.Series([row["std"]]))[0]
    return [f"The ceiling, training on all {row['num_annotations']} annotations, is {text} (n={row['n']})."]


def _plus_minus(mean: pd.Series, std: pd.Series) -> list[str]:
    return [f"{m:.3f}" if np.isnan(s) else f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, std, strict=True)]


def _summary_shown(summary: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "condition": summary["condition"],
            "area": _plus_minus(summary["area_mean"], summary["area_std"]),
            "last round": _plus_minus(summary["final_accuracy_mean"], summary["final_accuracy_std"]),
            "seeds": summary["n"],
        }
    )


def _least_p(num_seeds: int) -> str:
    least = 2 / 2**num_seeds
    return f" With {num_seeds} seeds no p can be below {least:.2g}." if least > 0.001 else ""


def _differences_shown(differences: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "condition": differences["condition"],
            "minus": differences["baseline"],
            "in": differences["metric"].map({"area": "area", "final_accuracy": "last round"}),
            "difference": differences["difference"].map("{:+.3f}".format),
            "95% interval": [
                f"{a:+.3f} to {b:+.3f}" for a, b in zip(differences["low"], differences["high"], strict=True)
            ],
            "p": differences["p"].map("{:.3g}".format),
            "p (Holm)": differences["p_holm"].map("{:.3g}".format),
        }
    )


def _targets_shown(to_target: pd.DataFrame) -> pd.DataFrame:
    groups = to_target.fillna(np.inf).groupby("condition", sort=False)
    median = groups[["first", "sustained"]].median().sort_values("sustained", kind="stable")
    shown = median.map(lambda count: "never" if np.isinf(count) else f"{count:.0f}")
    return shown.reset_index()


def _correlations(annotators: pd.DataFrame) -> str:
    by_seed = annotators.groupby(["condition", "seed"], sort=False)
    rank = by_seed[["quality", "accuracy"]].apply(
        lambda rows: rows["quality"].corr(rows["accuracy"], method="spearman")
    )
    return (
        "; ".join(f"{name} {value:.2f}" for name, value in rank.groupby("condition", sort=False).mean().items()) + "."
    )
