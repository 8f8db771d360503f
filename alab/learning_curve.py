"""The picture of one run: how good the model is after so many annotations."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from alab.atomic import replacing
from alab.outputs import RoundRow


def draw_learning_curve(path: Path, rows: Sequence[RoundRow], title: str) -> None:
    """Draw test accuracy against annotations; without a test set, the out-of-sample agreement with the consensus."""
    tested = "test_accuracy" in rows[0]
    column = "test_accuracy" if tested else "out_of_sample_agreement"
    points = [(row["num_annotations"], row[column]) for row in rows if column in row]
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    if points:
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color="#0072B2")
    else:
        axes.text(0.5, 0.5, "no test set and no predictions", transform=axes.transAxes, ha="center", va="center")
    axes.set_xlabel("annotations")
    axes.set_ylabel("test accuracy" if tested else "out-of-sample agreement with the consensus")
    axes.set_title(title, fontsize="medium")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)
