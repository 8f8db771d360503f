"""Finding the runs below some folders and reading what they left, without changing any of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from alab.config import flat
from alab.errors import UserError

NEEDED = {
    "seed": int,
    "max_annotations_per_example": int,
    "strategy.name": str,
    "consensus.name": str,
    "assignment.name": str,
    "data.name": str,
}
"""The keys of a configuration without which a run cannot be compared, and their types."""


@dataclass(frozen=True)
class Run:
    """What one finished run of R rounds left.

    Attributes:
        path: its folder.
        settings: its configuration by dotted key.
        rounds: `rounds.csv`, R rows.
        ledger: `annotations.csv`, a row an annotation.
        annotators: `annotators.csv`, a row an annotator.
    """

    path: Path
    settings: dict[str, Any]
    rounds: pd.DataFrame
    ledger: pd.DataFrame
    annotators: pd.DataFrame

    @property
    def seed(self) -> int:
        """The seed it ran with."""
        return int(self.settings["seed"])

    @property
    def budgets(self) -> tuple[int, ...]:
        """How many annotations each of its R rounds trained on."""
        return tuple(self.rounds["num_annotations"])


class LeftOut(NamedTuple):
    """A run that is not in the report, and why."""

    path: Path
    reason: str


def read_runs(folders: Sequence[Path]) -> tuple[list[Run], list[LeftOut]]:
    """Read every run below the folders.

    Returns:
        the runs that are finished and whole, by path, and those that are not.

    Raises:
        UserError: if a folder is not there or no run can be read.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder; expected one that holds runs of train.py")
    paths = sorted({config.parent.resolve() for folder in folders for config in folder.rglob("config.yaml")})
    runs: list[Run] = []
    left_out: list[LeftOut] = []
    for path in (_shown(path) for path in paths):
        try:
            runs.append(read_run(path))
        except UserError as error:
            left_out.append(LeftOut(path, str(error)))
    if not runs:
        reasons = "; ".join(f"{path}: {reason}" for path, reason in left_out[:3])
        raise UserError(
            f"{', '.join(map(str, folders))}: no finished run"
            + (f" ({len(left_out)} left out: {reasons})" * bool(left_out))
        )
    return runs, left_out


def read_run(path: Path) -> Run:
    """Read the folder of one run.

    Raises:
        UserError: if it is not finished, has no test accuracy, or one of its files is damaged or at odds with another.
    """
    if not (path / "next_batch.csv").exists():
        raise UserError("not finished; the command that began it continues it")
    settings = _read_settings(path / "config.yaml")
    rounds = _read_table(path / "rounds.csv", "round", "num_annotations", "num_examples", numeric=True)
    ledger = _read_table(path / "annotations.csv", "round", "example_id", "annotator_id", "label")
    annotators = _read_table(path / "annotators.csv", "annotator_id", "quality", "num_annotations", "agreement")
    if "test_accuracy" not in rounds or rounds["test_accuracy"].isna().any():
        raise UserError("it has no test accuracy, so there is nothing to compare")
    bought = pd.to_numeric(ledger["round"], errors="coerce")
    if bought.isna().any():
        raise UserError("annotations.csv holds a round that is not a number")
    expected = pd.DataFrame({"round": range(1, int(bought.max()) + 2)})  # the last round buys nothing
    expected["num_annotations"] = [int((bought < round).sum()) for round in expected["round"]]
    if not expected.equals(rounds[["round", "num_annotations"]]):
        raise UserError("rounds.csv does not fit annotations.csv; one of them has lost lines")
    return Run(path, settings, rounds, ledger.assign(round=bought.astype(int)), annotators)


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = flat(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise UserError("config.yaml is damaged") from error
    for key, kind in NEEDED.items():
        if not isinstance(settings.get(key), kind):
            raise UserError(f"config.yaml is damaged: {key} is {settings.get(key, 'missing')}")
    return settings


def _read_table(path: Path, *columns: str, numeric: bool = False) -> pd.DataFrame:
    """Read a CSV that must be whole and hold these columns, without guessing at ids that look like numbers."""
    try:
        content = path.read_bytes()
        table = pd.read_csv(path, dtype=str, keep_default_na=False, on_bad_lines="error", index_col=False)
    except FileNotFoundError as error:
        raise UserError(f"{path.name} is missing") from error
    except (ValueError, pd.errors.ParserError, OSError) as error:  # not UTF-8, no columns, a line with too many cells
        raise UserError(f"{path.name} is damaged ({' '.join(str(error).split())})") from error
    missing = [column for column in columns if column not in table]
    if missing:
        raise UserError(f"{path.name} has no column {missing[0]}")
    if not content.endswith(b"\n") or table.empty or table[list(columns)].isna().any(axis=None):
        raise UserError(f"{path.name} is cut off")
    if numeric:
        try:
            table = table.replace("", np.nan).astype(float).dropna(axis="columns", how="all")
        except ValueError as error:
            raise UserError(f"{path.name} holds a cell that is not a number ({error})") from error
        if not np.isfinite(table[list(columns)]).all(axis=None):
            raise UserError(f"{path.name} is cut off")
        table = table.astype(dict.fromkeys(columns, int))
    return table


def _shown(path: Path) -> Path:
    """Return the path as a person would type it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
