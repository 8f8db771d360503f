"""`python -m alab.report DIR...`: turn finished runs into figures, tables and one page."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from alab.annotations import FloatArray
from alab.errors import UserError
from alab.report.comparison import Comparison, check_same_data, compare
from alab.report.page import write_report
from alab.report.published import published_curves
from alab.report.runs import Run, read_runs
from alab.report.sections import sections


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a report and say where it is.

    Returns:
        The exit status: 2 after a user's mistake, which is one line on standard error.
    """
    options = _parse(arguments)
    try:
        page = report(options.folders, options.out, options.baseline, options.target, options.ceiling)
    except UserError as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    print(f"page         {page}\nfigures      {page.parent}/*.png, *.svg\nnumbers      {page.parent}/*.csv")
    return 0


def report(
    folders: Sequence[Path],
    out: Path,
    baseline: str = "random",
    target: float | None = None,
    ceiling: Path | None = None,
) -> Path:
    """Report on all finished runs below the folders and return the page.

    Args:
        folders: searched recursively.
        out: where the report goes.
        baseline: the strategy that the others are measured against.
        target: the test accuracy whose cost is asked for; None for the best that every condition reaches.
        ceiling: folder of runs that end with everything bought (`experiment=ceiling`), searched recursively.

    Raises:
        UserError: if there is nothing to report on, or what there is cannot be compared.
    """
    comparison = compare(*read_runs(folders))
    for run in comparison.left_out:
        print(f"left out: {run.path}: {run.reason}")
    published, notes = _published(comparison)
    notes += _caveats(comparison, baseline)
    for note in notes:
        print(f"note: {note}")
    top = _runs_of_one_condition(ceiling) if ceiling else []
    check_same_data([*(run for condition in comparison.conditions for run in condition.runs), *top])
    parts = list(sections(comparison, baseline, target, published, top))
    try:
        return write_report(out, comparison, parts, notes)
    except OSError as error:
        raise UserError(f"--out {out}: cannot be written ({error.strerror})") from error


def _runs_of_one_condition(folder: Path) -> list[Run]:
    conditions = compare(*read_runs([folder])).conditions
    if len(conditions) > 1:
        names = "; ".join(condition.name for condition in conditions)
        raise UserError(f"--ceiling {folder}: expected runs that differ only in their seed, got {names}")
    return conditions[0].runs


def _published(comparison: Comparison) -> tuple[dict[str, FloatArray], list[str]]:
    """Return the published curves where they can stand beside these runs, and say so where they cannot."""
    if comparison.data != "politeness":
        return {}, []
    try:
        curves = published_curves(str(comparison.data_root))
    except UserError as error:
        return {}, [f"The published curves are not drawn: {error}."]
    if any(curve.shape[1] != len(comparison.budgets) for curve in curves.values()):
        return {}, [f"The published curves are not drawn: they have 25 rounds, these runs {len(comparison.budgets)}."]
    return curves, []


def _caveats(comparison: Comparison, baseline: str) -> list[str]:
    """Say what these runs cannot show."""
    notes = []
    if len(comparison.seeds) == 1:
        notes.append("There is a single seed: no deviation, no interval and no test is reported.")
    elif len(comparison.seeds) < 6:
        notes.append(f"With {len(comparison.seeds)} seeds a paired test cannot reach p < 0.05; use ten.")
    if all(condition.strategy != baseline for condition in comparison.conditions):
        notes.append(
            f"No run has strategy {baseline}, so there is no baseline: no ratio and no difference is reported."
        )
    if comparison.left_out:
        notes.append(f"{len(comparison.left_out)} runs are left out; the end of the page says which and why.")
    return notes


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m alab.report", description="Turn finished runs into figures, statistics and one page."
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folder of runs, searched recursively")
    parser.add_argument("--out", type=Path, default=Path("report"), help="where the report goes (default: report)")
    parser.add_argument("--baseline", default="random", help="strategy to measure against (default: random)")
    parser.add_argument(
        "--target", type=_fraction, help="test accuracy to reach (default: the best that all conditions end with)"
    )
    parser.add_argument(
        "--ceiling", type=Path, metavar="DIR", help="folder of runs of experiment=ceiling on the same data"
    )
    return parser.parse_args(arguments)


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
