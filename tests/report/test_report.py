"""`python -m alab.report` on runs of the real train.py, whole and damaged."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from process import ENVIRONMENT, REPOSITORY, train

from alab.report.__main__ import main
from alab.report.runs import read_runs

SEEDS = 3


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, tiny: list[str]) -> Path:
    """Two strategies, three seeds, three rounds."""
    folder = tmp_path_factory.mktemp("sweep")
    train(folder, "-m", "strategy=activelab,random", "seed=0,1,2", "rounds=3", *tiny)
    return folder / "outputs"


@pytest.fixture
def runs(sweep: Path, tmp_path: Path) -> Path:
    """A copy of the sweep, to damage."""
    return shutil.copytree(sweep, tmp_path / "runs")


def run_of(runs: Path, strategy: str, seed: int) -> Path:
    """Return the folder of one run."""
    (found,) = runs.glob(f"*/{strategy}-*-seed{seed}-*")
    return found


def edit_config(run: Path, **changes: object) -> None:
    """Change keys of a run's configuration."""
    config = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump(config | changes))


def cut(path: Path, lines: int, tail: str = "") -> None:
    """Keep the first lines of a file and put something after them."""
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]) + tail)


class Page(HTMLParser):
    """What a page refers to and says."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.references: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and what it refers to."""
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


def test_the_command_writes_a_page_that_needs_nothing_else(sweep: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in sweep.rglob("*")}
    done = subprocess.run(
        [sys.executable, "-m", "alab.report", str(sweep), "--out", str(tmp_path / "report")],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert str(tmp_path / "report" / "index.html") in done.stdout
    page = Page(tmp_path / "report" / "index.html")
    assert page.references
    assert all(reference.startswith("data:") for reference in page.references)
    assert "script" not in page.tags
    assert {path: path.stat().st_mtime_ns for path in sweep.rglob("*")} == before, "the runs are left as they are"


def test_the_tables_hold_what_the_runs_measured(sweep: Path, tmp_path: Path) -> None:
    assert main([str(sweep), "--out", str(tmp_path)]) == 0
    accuracy = np.array(
        [pd.read_csv(run_of(sweep, "activelab", seed) / "rounds.csv")["test_accuracy"] for seed in range(SEEDS)]
    )
    curves = pd.read_csv(tmp_path / "learning_curves.csv")
    ours = curves[curves["condition"] == "activelab, crowdlab"]
    np.testing.assert_allclose(ours["mean"], accuracy.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(ours["std"], accuracy.std(axis=0, ddof=1), rtol=1e-5, atol=1e-9)
    assert (ours["n"] == SEEDS).all()

    summary = pd.read_csv(tmp_path / "summary.csv").set_index("condition")
    areas = ((accuracy[:, :-1] + accuracy[:, 1:]) / 2).mean(axis=1)  # every round buys the same
    assert summary.loc["activelab, crowdlab", "area_mean"] == pytest.approx(areas.mean(), rel=1e-5)
    assert summary.loc["activelab, crowdlab", "final_accuracy_mean"] == pytest.approx(accuracy[:, -1].mean(), rel=1e-5)

    differences = pd.read_csv(tmp_path / "comparisons.csv").set_index("metric")
    gap = summary.loc["activelab, crowdlab", "area_mean"] - summary.loc["random, majority_vote", "area_mean"]
    assert differences.loc["area", "difference"] == pytest.approx(gap, abs=1e-5)
    assert differences.loc["area", "low"] <= gap + 1e-5
    assert differences.loc["area", "high"] >= gap - 1e-5

    counts = pd.read_csv(tmp_path / "annotations_per_example.csv")
    totals = (counts["num_annotations"] * counts["examples"]).groupby(counts["condition"]).sum()
    np.testing.assert_allclose(totals, curves["num_annotations"].max(), rtol=1e-4)
    annotators = pd.read_csv(tmp_path / "annotator_quality.csv")
    assert annotators.groupby("annotator_id")["accuracy"].mean().idxmin() == "dan", "who errs most in the tiny corpus"


def test_the_ceiling_is_the_mean_of_the_last_rounds(sweep: Path, runs: Path, tmp_path: Path) -> None:
    for seed in range(SEEDS):
        shutil.rmtree(run_of(runs, "activelab", seed))
    assert main([str(sweep), "--ceiling", str(runs), "--out", str(tmp_path)]) == 0
    curves = pd.read_csv(tmp_path / "learning_curves.csv").set_index("condition")
    last = [pd.read_csv(run_of(runs, "random", s) / "rounds.csv")["test_accuracy"].iloc[-1] for s in range(SEEDS)]
    assert curves.loc["ceiling", "mean"] == pytest.approx(np.mean(last), rel=1e-5)


def test_the_same_runs_give_the_same_report(sweep: Path, tmp_path: Path) -> None:
    assert main([str(sweep), "--out", str(tmp_path / "a")]) == 0
    assert main([str(sweep), "--out", str(tmp_path / "b")]) == 0
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_page_escapes_what_a_run_calls_itself(runs: Path, tmp_path: Path) -> None:
    for seed in range(SEEDS):
        run = run_of(runs, "activelab", seed)
        config = yaml.safe_load((run / "config.yaml").read_text())
        edit_config(run, strategy=config["strategy"] | {"name": "<script>alert(1)</script>"})
    assert main([str(runs), "--out", str(tmp_path / "report")]) == 0
    page = Page(tmp_path / "report" / "index.html")
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.text


def unfinished(runs: Path) -> None:
    (run_of(runs, "activelab", 2) / "next_batch.csv").unlink()


def truncated(runs: Path) -> None:
    cut(run_of(runs, "activelab", 2) / "rounds.csv", 3)


def torn(runs: Path) -> None:
    cut(run_of(runs, "activelab", 2) / "rounds.csv", 3, "3,54,")


def torn_ledger(runs: Path) -> None:
    cut(run_of(runs, "activelab", 2) / "annotations.csv", 30, "1,e4")


def no_table(runs: Path) -> None:
    (run_of(runs, "activelab", 2) / "rounds.csv").unlink()


def not_text(runs: Path) -> None:
    (run_of(runs, "activelab", 2) / "annotators.csv").write_bytes(b"\xff\xfe\x00")


def not_numbers(runs: Path) -> None:
    path = run_of(runs, "activelab", 2) / "rounds.csv"
    path.write_text(path.read_text().replace("\n2,", "\ntwo,"))


def broken_config(runs: Path) -> None:
    (run_of(runs, "activelab", 2) / "config.yaml").write_text("seed: [")


@pytest.mark.parametrize(
    "damage", [unfinished, truncated, torn, torn_ledger, no_table, not_text, not_numbers, broken_config]
)
def test_a_damaged_run_is_named(runs: Path, damage: Callable[[Path], None]) -> None:
    damage(runs)
    whole, left_out = read_runs([runs])
    assert len(whole) == 2 * SEEDS - 1
    assert [run.path for run in left_out] == [run_of(runs, "activelab", 2)]
    assert left_out[0].reason


def test_what_is_left_out_is_said_and_counts_for_nothing(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unfinished(runs)
    assert main([str(runs), "--out", str(tmp_path / "report")]) == 0
    said, page = capsys.readouterr().out, Page(tmp_path / "report" / "index.html").text
    for strategy in ("activelab", "random"):  # the second has nothing left to be compared with
        path = str(run_of(runs, strategy, 2))
        assert re.search(rf"left out: {re.escape(path)}: \S", said)
        assert path in page
    assert (pd.read_csv(tmp_path / "report" / "summary.csv")["n"] == SEEDS - 1).all()


def test_runs_of_another_budget_are_left_out(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for strategy in ("activelab", "random"):
        run = run_of(runs, strategy, 0)
        cut(run / "rounds.csv", 3)
        ledger = (run / "annotations.csv").read_text().splitlines(keepends=True)
        (run / "annotations.csv").write_text("".join(line for line in ledger if not line.startswith("2,")))
    assert main([str(runs), "--out", str(tmp_path / "report")]) == 0
    assert "2 rounds from" in capsys.readouterr().out
    assert (pd.read_csv(tmp_path / "report" / "summary.csv")["n"] == SEEDS - 1).all()


def test_a_single_seed_is_shown_without_a_test(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for strategy in ("activelab", "random"):
        for seed in (1, 2):
            shutil.rmtree(run_of(runs, strategy, seed))
    assert main([str(runs), "--out", str(tmp_path / "report")]) == 0
    assert "single seed" in capsys.readouterr().out
    assert "single seed" in Page(tmp_path / "report" / "index.html").text
    assert not (tmp_path / "report" / "comparisons.csv").exists()


def no_folder(runs: Path) -> str:
    return str(runs / "nowhere")


def no_runs(runs: Path) -> str:
    for config in runs.rglob("config.yaml"):
        config.unlink()
    return str(runs)


def none_finished(runs: Path) -> str:
    for batch in runs.rglob("next_batch.csv"):
        batch.unlink()
    return str(runs)


def other_data(runs: Path) -> str:
    edit_config(run_of(runs, "random", 0), data={"name": "vader", "corpus": "alab.corpora.vader.load"})
    return str(runs)


def twice(runs: Path) -> str:
    shutil.copytree(run_of(runs, "random", 0), runs / "again")
    return str(runs)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (no_folder, "no such folder"),
        (no_runs, "no finished run"),
        (none_finished, "no finished run"),
        (other_data, "on different data, data.name=files (5 runs), vader (1 run)"),
        (twice, "the same configuration and seed"),
    ],
)
def test_a_mistake_gets_one_line_and_writes_nothing(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], mistake: Callable[[Path], str], said: str
) -> None:
    folder = mistake(runs)
    assert main([folder, "--out", str(tmp_path / "report")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "report").exists()


def test_a_ceiling_is_one_condition(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(sweep), "--ceiling", str(sweep), "--out", str(tmp_path / "report")]) == 2
    assert "differ only in their seed" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_gets_one_line(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main([str(sweep), "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
