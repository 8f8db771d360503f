"""Compare finished runs that differ in something other than their seed.

    python benchmarks/compare.py outputs/vader [curves.png]

Prints, for each group of runs, the keys in which it differs from the others, the mean and sample standard deviation
over seeds of test accuracy (mean over rounds, and last round) and the number of seeds. With a second argument it also
draws the mean test accuracy against annotations, with a band of one standard deviation.
"""

import sys
from pathlib import Path

import pandas as pd
import yaml
from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, which people with any colour vision can tell apart."""


def read_runs(folder: Path) -> pd.DataFrame:
    """Return one row a round of every finished run below `folder`, with its configuration in columns."""
    tables = []
    for config in sorted(folder.rglob("config.yaml")):
        if (config.parent / "next_batch.csv").exists():
            settings = pd.json_normalize(yaml.safe_load(config.read_text())).drop(columns="run_dir").astype(str)
            tables.append(settings.merge(pd.read_csv(config.parent / "rounds.csv"), how="cross"))
    if not tables:
        sys.exit(f"no finished run below {folder}")
    return pd.concat(tables, ignore_index=True)


def differing_keys(runs: pd.DataFrame) -> list[str]:
    """Return the configuration keys that tell groups of runs apart, one a group of the configuration."""
    measured = runs.columns[runs.columns.get_loc("round") :]
    settings = runs.drop(columns=["seed", *measured])
    derived = ("acquisition", "function", "corpus", "ensemble_size")
    keys = [str(key) for key in settings if settings[key].nunique(dropna=False) > 1]
    return [key for key in keys if not key.endswith(derived)]


def main(folder: str, picture: str | None = None) -> None:
    """Print the table, and draw the curves if a file for them is given."""
    runs = read_runs(Path(folder))
    keys = differing_keys(runs)
    runs["group"] = runs[keys].fillna("-").agg(", ".join, axis=1) if keys else "all"
    by_run = runs.groupby(["group", "seed"])["test_accuracy"]
    summary = pd.DataFrame({"mean over rounds": by_run.mean(), "last round": by_run.last()})
    table = summary.groupby("group").agg(["mean", "std"]).round(4)
    table["n", ""] = summary.groupby("group").size()
    print(f"groups by {', '.join(keys) or 'nothing but the seed'}")
    print(table.sort_values(("mean over rounds", "mean"), ascending=False).to_string())
    if picture:
        draw(runs, Path(picture))


def draw(runs: pd.DataFrame, picture: Path) -> None:
    """Draw one curve a group."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for color, (group, rows) in zip(COLORS, runs.groupby("group"), strict=False):
        curve = rows.groupby("num_annotations")["test_accuracy"].agg(["mean", "std"])
        label = f"{group} (n={rows['seed'].nunique()})"
        axes.plot(curve.index, curve["mean"], color=color, label=label)
        axes.fill_between(
            curve.index, curve["mean"] - curve["std"], curve["mean"] + curve["std"], color=color, alpha=0.2
        )
    axes.set_xlabel("annotations")
    axes.set_ylabel("test accuracy")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(picture, dpi=130)


if __name__ == "__main__":
    main(*sys.argv[1:])
