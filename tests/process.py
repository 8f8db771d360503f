"""Runs the real train.py in a process of its own and reads what it leaves."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
Row = dict[str, str]


def command(*arguments: str) -> list[str]:
    """Return the command line of a run."""
    return [sys.executable, str(REPOSITORY / "train.py"), *arguments]


ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
"""The tests run side by side; threads that wait for each other's cores are slower than none."""


def train(
    folder: Path, *arguments: str, status: int = 0, environment: dict[str, str] = ENVIRONMENT
) -> subprocess.CompletedProcess[str]:
    """Run train.py with `folder` as the working directory, wait for it and check its exit status."""
    done = subprocess.run(
        command(*arguments), cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.01)


def wait_for_rounds(run_dir: Path, number: int) -> None:
    """Wait until a run has done so many rounds."""
    table = run_dir / "rounds.csv"
    wait_until(lambda: table.exists() and len(table.read_text().splitlines()) > number)


def read_csv(path: Path) -> list[Row]:
    """Read a CSV as a list of rows by column."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def purchases(run_dir: Path) -> list[Row]:
    """Return the lines of a run's ledger that were bought, that is not the initial ones."""
    return [row for row in read_csv(run_dir / "annotations.csv") if row["round"] != "0"]


def rounds_without_seconds(run_dir: Path) -> list[Row]:
    """Return a run's rounds less what differs from run to run."""
    return [{key: cell for key, cell in row.items() if key != "seconds"} for row in read_csv(run_dir / "rounds.csv")]
