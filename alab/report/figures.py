"""The figures of a report. Each draws one of its tables, in colours that any eye can tell apart, and marks besides."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from alab.report.comparison import Comparison, describe
from alab.report.tables import CURVES

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito (2008), Color Universal Design; grey instead of its yellow, which is hard to see on white."""

GREY = "#555555"
MARKERS = "osD^vPX*"
MAX_LINES = len(COLORS)
ANNOTATIONS = "annotations bought"

mpl.rcParams |= {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.titlesize": "medium",
    "legend.frameon": False,
    "legend.fontsize": "small",
    "savefig.dpi": 150,
    "svg.fonttype": "none",
}


class Panels:
    """Where the line of each condition goes: in one panel, or, if they are many, in one for each setting but strategy.

    Attributes:
        titles: of the panels.
        panel: index of the panel by condition.
        label: what the legend calls the line, by condition.
    """

    def __init__(self, comparison: Comparison) -> None:
        together = len(comparison.conditions) <= MAX_LINES
        titles = {
            condition.name: ", ".join(describe(key, value) for key, value in rest.items())
            for condition in comparison.conditions
            for rest in [{} if together else {k: v for k, v in condition.settings.items() if k != "strategy.name"}]
        }
        self.titles = list(dict.fromkeys(titles.values()))
        self.panel = {name: self.titles.index(title) for name, title in titles.items()}
        self.label = {
            condition.name: condition.name if together else condition.strategy for condition in comparison.conditions
        }
        self._style = dict(zip(dict.fromkeys(self.label.values()), cycle(zip(COLORS, MARKERS, strict=True))))

    def figure(self, y: str, x: str = ANNOTATIONS) -> tuple[Figure, list[Axes]]:
        """Return a figure with one empty panel a title, all to one scale."""
        columns = min(3, len(self.titles))
        rows = -(-len(self.titles) // columns)
        size = (7, 4.6) if columns == rows == 1 else (4 * columns, 1 + 3 * rows)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        axes: list[Axes] = list(grid.ravel())
        for unused in axes[len(self.titles) :]:
            unused.remove()
        axes = axes[: len(self.titles)]
        for index, (title, one) in enumerate(zip(self.titles, axes, strict=True)):
            one.set_title(title)
            if index % columns == 0:
                one.set_ylabel(y)
            if index + columns >= len(axes):
                one.set_xlabel(x)
                one.tick_params(labelbottom=True)
        return figure, axes

    def lines(self, table: pd.DataFrame, axes: list[Axes]) -> Iterator[tuple[Axes, pd.DataFrame, dict[str, Any]]]:
        """Yield the panel, the rows and the style of each condition in a table."""
        for name, rows in table.groupby("condition", sort=False):
            color, marker = self._style[self.label[str(name)]]
            style = {"color": color, "marker": marker, "markersize": 4, "label": self.label[str(name)]}
            yield axes[self.panel[str(name)]], rows, style


def learning_curves(table: pd.DataFrame, references: pd.DataFrame, panels: Panels) -> Figure:
    """Draw the test accuracies and, in grey, what they can be held against: published curves, the ceiling."""
    figure, axes = curve(table, panels, "test_accuracy")
    names = references.groupby("condition", sort=False) if len(references) else ()
    for (name, rows), dashes in zip(names, cycle(("--", ":"))):
        for one in axes:
            label = f"{name} (n={rows['n'].iloc[0]})"
            if len(rows) > 1:
                one.plot(rows["num_annotations"], rows["mean"], linestyle=dashes, color=GREY, label=label)
            else:
                one.axhline(rows["mean"].iloc[0], linestyle="-.", color=GREY, label=label)
    return with_legend(figure, axes)


def curve(table: pd.DataFrame, panels: Panels, column: str) -> tuple[Figure, list[Axes]]:
    """Draw means with a band of one standard deviation."""
    figure, axes = panels.figure(CURVES[column])
    for one, rows, style in panels.lines(table, axes):
        one.plot(rows["num_annotations"], rows["mean"], markevery=max(1, len(rows) // 12), **style)
        low, high = rows["mean"] - rows["std"], rows["mean"] + rows["std"]
        one.fill_between(rows["num_annotations"], low, high, color=style["color"], alpha=0.15, linewidth=0)
    return figure, axes


def error_ratio(table: pd.DataFrame, panels: Panels) -> Figure:
    """Draw the error relative to the baseline's."""
    figure, axes = panels.figure("error relative to the baseline's")
    for one, rows, style in panels.lines(table, axes):
        one.plot(rows["num_annotations"], rows["ratio"], markevery=max(1, len(rows) // 12), **style)
    for one in axes:
        one.axhline(1, color=GREY, linewidth=1)
    return with_legend(figure, axes)


def differences(table: pd.DataFrame) -> Figure:
    """Draw the paired differences in area with their 95% intervals."""
    rows = table[table["metric"] == "area"].sort_values("difference")
    labels = [f"{a}\nminus {b}" for a, b in zip(rows["condition"], rows["baseline"], strict=True)]
    room = max(map(len, rows["condition"])) * 0.075
    figure = Figure(figsize=(4.5 + room, 1.2 + 0.45 * len(rows)), layout="constrained")
    axes = figure.subplots()
    errors = [rows["difference"] - rows["low"], rows["high"] - rows["difference"]]
    axes.errorbar(rows["difference"], range(len(rows)), xerr=errors, fmt="o", color=COLORS[0], capsize=3)
    axes.set_yticks(range(len(rows)), labels, fontsize="small")
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_xlabel("difference in area, mean and 95% interval")
    return figure


def win_matrix(table: pd.DataFrame) -> Figure:
    """Draw for which share of seeds the row is above the column."""
    size = len(table)
    room = max(map(len, table.index)) * 0.075
    figure = Figure(figsize=(2.5 + room + 0.55 * size, 1 + 0.45 * size), layout="constrained")
    axes = figure.subplots()
    shares = table.where(~np.eye(size, dtype=bool)).to_numpy()
    axes.imshow(shares, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(np.isfinite(shares)).tolist():
        share = shares[row, column]
        color = "white" if share < 0.6 else "black"
        axes.text(column, row, f"{share:.0%}", ha="center", va="center", color=color, fontsize="small")
    axes.set_xticks(range(size), [str(number) for number in range(1, size + 1)])
    axes.set_yticks(range(size), [f"{name}  {number}" for number, name in enumerate(table.index, 1)])
    axes.grid(visible=False)
    axes.set_xlabel("share of seeds for which the row is above the column")
    return figure


def budget_split(table: pd.DataFrame, panels: Panels) -> Figure:
    """Draw the share of purchases that went to examples which had annotations already."""
    figure, axes = panels.figure("purchases for annotated examples")
    for one, rows, style in panels.lines(table, axes):
        one.plot(rows["num_annotations"], rows["mean"], markevery=max(1, len(rows) // 12), **style)
        one.yaxis.set_major_formatter(PercentFormatter(1))
    return with_legend(figure, axes)


def annotations_per_example(table: pd.DataFrame, panels: Panels) -> Figure:
    """Draw how many examples end with so many annotations."""
    figure, axes = panels.figure("examples", "annotations of an example at the end")
    for one, rows, style in panels.lines(table, axes):
        one.plot(rows["num_annotations"], rows["examples"], **style)
        one.xaxis.set_major_locator(MaxNLocator(integer=True))
    return with_legend(figure, axes)


def annotator_quality(table: pd.DataFrame, panels: Panels) -> Figure:
    """Draw the quality inferred for each annotator against how often they are right."""
    figure, axes = panels.figure("inferred quality", "how often the annotator is right")
    for one, rows, style in panels.lines(table, axes):
        one.plot(rows["accuracy"], rows["quality"], **style | {"linestyle": "none", "alpha": 0.5})
        one.axline((1, 1), slope=1, color=GREY, linewidth=1)
    return with_legend(figure, axes)


def by_cap(table: pd.DataFrame) -> Figure:
    """Draw both figures of merit against the cap, at one and the same budget."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    grid = figure.subplots(1, 2)
    names = {"area": "area under the budget curve", "final_accuracy": "test accuracy of the last round"}
    for axes, (metric, name) in zip(grid, names.items(), strict=True):
        for (strategy, rows), color, marker in zip(table.groupby("strategy"), cycle(COLORS), cycle(MARKERS)):
            mean, std = rows[f"{metric}_mean"], rows[f"{metric}_std"]
            axes.errorbar(rows["cap"], mean, yerr=std, color=color, marker=marker, capsize=3, label=str(strategy))
        axes.set_title(name)
        axes.set_xlabel("most annotations an example may have")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return with_legend(figure, list(grid))


def with_legend(figure: Figure, axes: list[Axes]) -> Figure:
    """Put one legend for all panels below them."""
    entries = {label: handle for one in axes for handle, label in zip(*one.get_legend_handles_labels(), strict=True)}
    columns = max(1, int(figure.get_figwidth() / (0.7 + 0.075 * max(map(len, entries)))))
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=min(columns, len(entries)))
    return figure
