"""Every number of a report, as tables; figures and page draw from these and from nothing else."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from alab.annotations import FloatArray
from alab.report import statistics
from alab.report.comparison import Comparison, Condition
from alab.report.runs import Run

CURVES = {
    "test_accuracy": "test accuracy",
    "test_log_loss": "log loss on the test set",
    "test_calibration_error": "calibration error on the test set",
    "consensus_accuracy": "accuracy of the consensus labels",
}
"""The columns of `rounds.csv` that are drawn over annotations, and their names."""

METRICS = ("area", "final_accuracy")
"""The figures of merit of one run that are compared: area under the budget curve, accuracy of the last round."""


def curves(comparison: Comparison, column: str) -> pd.DataFrame:
    """Return the mean, sample standard deviation and n of one measurement at each budget, for each condition.

    Conditions that do not have it at every budget are left out.
    """
    tables = []
    for condition in comparison.conditions:
        values = condition.measured(column)
        if np.isfinite(values).all():
            tables.append(_curve(condition.name, comparison, values))
    return pd.concat(tables) if tables else pd.DataFrame(columns=["condition", "num_annotations", "mean", "std", "n"])


def published(comparison: Comparison, curves: dict[str, FloatArray]) -> pd.DataFrame:
    """Return curves from elsewhere, each (S, R), like `curves`."""
    tables = [_curve(name, comparison, values) for name, values in curves.items()]
    return pd.concat(tables) if tables else pd.DataFrame()


def ceiling(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the mean, deviation and n of the last test accuracy of runs that end with everything bought, in a row."""
    last = pd.DataFrame([run.rounds.iloc[-1] for run in runs])
    if last.empty:
        return pd.DataFrame()
    accuracy = last["test_accuracy"]
    row = {"num_annotations": int(last["num_annotations"].max()), "mean": accuracy.mean(), "std": accuracy.std()}
    return pd.DataFrame([{"condition": "ceiling", **row, "n": len(last)}])


def error_ratios(comparison: Comparison, baseline: str) -> pd.DataFrame:
    """Return the mean error divided by the baseline's at each budget, for each condition that has a baseline."""
    tables = []
    for condition in comparison.conditions:
        if other := comparison.baseline_of(condition, baseline):
            ratio = statistics.error_ratio(condition.measured("test_accuracy"), other.measured("test_accuracy"))
            budgets = comparison.budgets
            tables.append(
                pd.DataFrame(
                    {"condition": condition.name, "baseline": other.name, "num_annotations": budgets, "ratio": ratio}
                )
            )
    return pd.concat(tables) if tables else pd.DataFrame(columns=["condition", "baseline", "num_annotations", "ratio"])


def runs(comparison: Comparison) -> pd.DataFrame:
    """Return the figures of merit of each run."""
    tables = []
    for condition in comparison.conditions:
        accuracy = condition.measured("test_accuracy")
        tables.append(
            pd.DataFrame(
                {
                    "condition": condition.name,
                    "seed": comparison.seeds,
                    "area": statistics.area_under_budget_curve(comparison.budgets, accuracy),
                    "final_accuracy": accuracy[:, -1],
                    "run_dir": [str(run.path) for run in condition.runs],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the mean and sample standard deviation of each figure of merit over seeds, the best area first."""
    groups = runs.groupby("condition", sort=False)
    table = pd.DataFrame(
        {f"{metric}_{name}": getattr(groups[metric], name)() for metric in METRICS for name in ("mean", "std")}
    )
    table["n"] = groups.size()
    return table.sort_values("area_mean", ascending=False, kind="stable").reset_index()


def comparisons(comparison: Comparison, runs: pd.DataFrame, baseline: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return the paired difference of each condition to its baseline, with interval and p-values.

    Holm's adjustment is over the conditions, for each figure of merit. Without a second seed there is nothing to test,
    and the table is empty.
    """
    pairs = [(condition, comparison.baseline_of(condition, baseline)) for condition in comparison.conditions]
    rows = []
    for metric in METRICS if len(comparison.seeds) > 1 else ():
        values = {name: group.to_numpy() for name, group in runs.groupby("condition")[metric]}
        for condition, other in pairs:
            if other:
                difference = values[condition.name] - values[other.name]
                low, high = statistics.bootstrap_interval(difference, rng)
                p = statistics.permutation_test(difference, rng)
                rows.append([metric, condition.name, other.name, difference.mean(), low, high, p, len(difference)])
    columns = ["metric", "condition", "baseline", "difference", "low", "high", "p", "n"]
    table = pd.DataFrame(rows, columns=columns)
    table["p_holm"] = table.groupby("metric")["p"].transform(lambda p: statistics.holm(p.to_numpy()))
    return table


def to_target(comparison: Comparison, target: float) -> pd.DataFrame:
    """Return how many annotations each run needs to reach a target: at first, and from where on it stays there."""
    tables = []
    for condition in comparison.conditions:
        accuracy = condition.measured("test_accuracy")
        first, sustained = (
            statistics.annotations_to_target(comparison.budgets, accuracy, target, sustained=sustained)
            for sustained in (False, True)
        )
        tables.append(
            pd.DataFrame(
                {
                    "condition": condition.name,
                    "target": target,
                    "seed": comparison.seeds,
                    "first": first,
                    "sustained": sustained,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def common_target(runs: pd.DataFrame) -> float:
    """Return the highest accuracy that every condition ends with on average, rounded down to whole percents."""
    return float(np.floor(runs.groupby("condition")["final_accuracy"].mean().min() * 100) / 100)


def wins(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the share of seeds for which the row's condition has a larger area than the column's."""
    areas = runs.pivot(index="condition", columns="seed", values="area")
    order = areas.mean(axis=1).sort_values(ascending=False, kind="stable").index
    matrix = statistics.win_matrix(areas.loc[order].to_numpy())
    return pd.DataFrame(matrix, index=order, columns=order)


def budget_split(comparison: Comparison) -> pd.DataFrame:
    """Return the share of each round's purchases that were further opinions on annotated examples, mean over seeds."""
    tables = []
    for condition in comparison.conditions:
        shares = np.array([_relabelled(run.ledger, len(comparison.budgets)) for run in condition.runs])
        tables.append(_curve(condition.name, comparison, shares).iloc[:-1])
    return pd.concat(tables)


def annotations_per_example(comparison: Comparison) -> pd.DataFrame:
    """Return how many examples end with so many annotations, mean over seeds."""
    tables = []
    for condition in comparison.conditions:
        counts = [run.ledger["example_id"].value_counts().value_counts() for run in condition.runs]
        mean = pd.concat(counts, axis=1).fillna(0).mean(axis=1).sort_index()
        tables.append(pd.DataFrame({"condition": condition.name, "num_annotations": mean.index, "examples": mean}))
    return pd.concat(tables, ignore_index=True)


def annotators(comparison: Comparison) -> pd.DataFrame:
    """Return the inferred quality of each run's annotators and, where it is known, how often they are really right."""
    tables = [
        run.annotators[["annotator_id", "quality", "num_annotations", "accuracy"]]
        .replace("", np.nan)
        .astype({"quality": float, "num_annotations": int, "accuracy": float})
        .assign(condition=condition.name, seed=run.seed)
        for condition in comparison.conditions
        for run in condition.runs
        if "accuracy" in run.annotators
    ]
    return pd.concat(tables, ignore_index=True).dropna() if tables else pd.DataFrame()


def by_cap(comparison: Comparison, runs: pd.DataFrame) -> pd.DataFrame:
    """Return each figure of merit over the cap of annotations per example; empty unless the cap was varied."""
    key = "max_annotations_per_example"
    if key not in comparison.conditions[0].settings:
        return pd.DataFrame()
    caps = {condition.name: condition.settings[key] for condition in comparison.conditions}
    lines = {condition.name: _without(condition, key) for condition in comparison.conditions}
    table = summary(runs)
    table.insert(0, "strategy", table["condition"].map(lines))
    table.insert(1, "cap", table["condition"].map(caps))
    return table.sort_values(["strategy", "cap"]).drop(columns="condition")


def _without(condition: Condition, key: str) -> str:
    return ", ".join(str(value) for name, value in condition.settings.items() if name != key) or condition.strategy


def _curve(name: str, comparison: Comparison, values: FloatArray) -> pd.DataFrame:
    std = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(values.shape[1], np.nan)
    return pd.DataFrame(
        {
            "condition": name,
            "num_annotations": comparison.budgets,
            "mean": values.mean(axis=0),
            "std": std,
            "n": len(values),
        }
    )


def _relabelled(ledger: pd.DataFrame, num_rounds: int) -> FloatArray:
    """Return (R,) the share of each round's purchases that are not the first of their example; NaN in the last."""
    again = ledger["example_id"].duplicated()
    shares = again.groupby(ledger["round"]).mean().reindex(range(1, num_rounds + 1))
    return np.asarray(shares, dtype=np.float64)
