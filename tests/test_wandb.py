"""What `logger=wandb` logs is what the run's files say, and no fault of W&B's ends a run.

W&B itself is the real one, read back from its own files or from what a server got. No account or network is needed.
"""

import functools
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from process import ENVIRONMENT, REPOSITORY, command, purchases, read_csv, train, wait_for_rounds, wait_until
from wandb_server import WandbServer

from alab.config import Settings, parse
from alab.errors import UserError
from alab.outputs import ROUND_COLUMNS
from alab.run_dir import RunDir
from alab.wandb_logging import WandbLogging
from alab.wandb_process import check

Item = dict[str, Any]

ROUNDS = 5
ACCOUNTLESS = {"NETRC": os.devnull, "WANDB_CONFIG_DIR": os.devnull, "WANDB_ERROR_REPORTING": "false"}
NO_ACCOUNT = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("WANDB_")} | ACCOUNTLESS
NO_SERVER = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "k" * 40, "WANDB_INIT_TIMEOUT": "1"}


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have an account; they are not to use it."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name, value in ACCOUNTLESS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def arguments(tiny: list[str]) -> list[str]:
    """The arguments of a run whose rounds take a moment."""
    return [*tiny, "model.max_steps=20", "logger=wandb", "logger.tags=[paper]"]


@pytest.fixture(scope="module")
def sweep(arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working directory of a sweep of two runs without an account, with what it printed in `said`."""
    folder = tmp_path_factory.mktemp("sweep")
    done = train(folder, "-m", *arguments, f"rounds={ROUNDS}", "seed=0,1", environment=NO_ACCOUNT)
    assert done.stderr == ""
    (folder / "said").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def run_dirs(sweep: Path) -> list[Path]:
    """The two run folders of the sweep."""
    return sorted(path.parent for path in sweep.glob("outputs/*/*/config.yaml"))


@pytest.fixture
def copy(run_dirs: list[Path], tmp_path: Path) -> Path:
    """A copy of a run folder, without what W&B has there."""
    return shutil.copytree(run_dirs[0], tmp_path / "run", ignore=shutil.ignore_patterns("wandb"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, no_account: None) -> Iterator[WandbServer]:
    """A server that is used by what this test logs."""
    server = WandbServer()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()


def test_every_round_is_logged_as_rounds_csv_has_it(run_dirs: list[Path]) -> None:
    for run_dir in run_dirs:
        *rounds, last = [record["history"]["item"] for record in records(run_dir) if record["type"] == "history"]
        assert [item["_step"] for item in rounds] == list(range(1, ROUNDS + 1))
        assert [numbers(item) for item in rounds] == [pytest.approx(row) for row in rows(run_dir)]
        assert not {"round", "test_accuracy"} & last.keys()


def test_annotations_are_the_x_axis(run_dirs: list[Path]) -> None:
    metrics = [record["metric"] for record in records(run_dirs[0]) if record["type"] == "metric"]
    assert {metric.get("glob_name"): metric.get("step_metric") for metric in metrics}["*"] == "num_annotations"


def test_a_run_is_named_after_its_configuration_and_grouped_with_its_other_seeds(run_dirs: list[Path]) -> None:
    first, second = (
        next(record["run"] for record in records(run_dir) if record["type"] == "run") for run_dir in run_dirs
    )
    assert run_dirs[0].name.endswith(first["run_id"][:8])
    assert first["run_id"] != second["run_id"]
    assert first["run_group"] == second["run_group"]
    assert first["job_type"] == "train"
    assert {"files", "activelab", "crowdlab", "existing_first", "paper"} == set(first["tags"])
    saved = yaml.safe_load((run_dirs[0] / "config.yaml").read_text())
    assert {key: value for key, value in first["config"]["update"].items() if key != "_wandb"} == saved


def test_what_a_run_leaves_is_logged_as_tables_and_artifacts(run_dirs: list[Path]) -> None:
    run_dir = run_dirs[0]
    bought = read_table(run_dir, "bought")
    texts = {row["example_id"]: row["text"] for row in read_csv(run_dir / "consensus.csv")}
    names = ("round", "example_id", "annotator_id", "label")
    assert [[str(row[name]) for name in names] for row in bought] == [
        [row[name] for name in names] for row in purchases(run_dir)
    ]
    assert [row["score"] for row in bought] == [float(row["score"]) for row in purchases(run_dir)]
    assert [row["text"] for row in bought] == [texts[row["example_id"]] for row in bought]
    for logged_row, row in zip(read_table(run_dir, "annotators"), read_csv(run_dir / "annotators.csv"), strict=True):
        assert logged_row.pop("annotator_id") == row.pop("annotator_id")
        assert logged_row == {name: float(cell) for name, cell in row.items()}
    artifacts = [record["artifact"]["type"] for record in records(run_dir) if record["type"] == "artifact"]
    assert {"ledger", "pool"} <= set(artifacts)


def test_a_run_without_an_account_says_in_a_line_how_to_upload_it(sweep: Path, run_dirs: list[Path]) -> None:
    lines = [line for line in (sweep / "said").read_text().splitlines() if "wandb" in line]
    assert len(lines) == 2
    for line, run_dir in zip(lines, run_dirs, strict=True):
        upload = line.partition("uploads it: ")[2]
        assert str(run_dir.relative_to(sweep)) in upload
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(upload), "--dry-run"],
            cwd=sweep,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Would sync 1 run" in done.stderr


def test_the_files_of_wandb_are_in_the_run_folders_alone(sweep: Path, run_dirs: list[Path]) -> None:
    assert {path.name for path in sweep.iterdir()} == {"outputs", "said"}
    assert {path.parent for path in sweep.rglob("*wandb*") if path.is_dir() and path.name == "wandb"} == set(run_dirs)


def test_who_logs_a_run_is_no_part_of_its_configuration(run_dirs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run_dirs[0].parents[2])
    without, with_wandb = (
        RunDir(settings(run_dirs[0], run_dir=None, logger={"name": name})) for name in ("csv", "wandb")
    )
    assert without.path == with_wandb.path == run_dirs[0].relative_to(Path.cwd())
    without.check()


def test_a_run_that_is_killed_and_continues_without_a_server_logs_every_round_once(
    run_dirs: list[Path], arguments: list[str], tmp_path: Path
) -> None:
    arguments = [*arguments, f"rounds={ROUNDS}", "run_dir=run"]
    process = subprocess.Popen(command(*arguments), cwd=tmp_path, env=NO_ACCOUNT, stdout=subprocess.DEVNULL)
    wait_for_rounds(tmp_path / "run", 2)
    process.kill()
    process.wait()
    done = train(tmp_path, *arguments, environment=NO_ACCOUNT | NO_SERVER)
    assert done.stderr == ""
    assert [line for line in done.stdout.splitlines() if "warning" in line and "127.0.0.1:9" in line]
    assert done.stdout.count("warning") == 1
    items = [record["history"]["item"] for record in records(tmp_path / "run") if record["type"] == "history"]
    assert [numbers(item) for item in items[:-1]] == [pytest.approx(row) for row in rows(tmp_path / "run")]
    assert (tmp_path / "run" / "annotations.csv").read_bytes() == (run_dirs[0] / "annotations.csv").read_bytes()


def test_a_server_gets_every_round_once_and_then_the_tables_and_artifacts(server: WandbServer, copy: Path) -> None:
    table = copy / "rounds.csv"
    whole = table.read_text()
    table.unlink()
    with suppress(KeyboardInterrupt), logging(copy):
        table.write_text("".join(whole.splitlines(keepends=True)[:4]))
        raise KeyboardInterrupt
    assert len(logged(server)) == 3
    with logging(copy) as said:
        table.write_text(whole)
    assert logged(server) == [pytest.approx(row) for row in rows(copy)]
    assert {name.partition("-")[0] for name in server.artifacts} == {"run", "ledger", "pool"}
    assert len(said) == 1
    assert server.environment["WANDB_BASE_URL"] in said[0]


def test_a_run_that_starts_anew_takes_the_place_of_what_the_server_has(server: WandbServer, copy: Path) -> None:
    table = copy / "rounds.csv"
    whole = table.read_text()
    for _ in range(2):
        table.unlink()
        with logging(copy):
            table.write_text(whole)
        assert logged(server) == [pytest.approx(row) for row in rows(copy)]


def test_a_server_that_is_gone_in_the_middle_costs_a_warning(server: WandbServer, copy: Path) -> None:
    with logging(copy, upload_seconds=2) as said:
        wait_until(lambda: bool(server.history))
        server.stop()
    assert len(said) == 1
    assert "warning" in said[0]
    assert "wandb sync" in said[0]


def test_a_folder_that_cannot_be_written_costs_a_warning(copy: Path) -> None:
    (copy / "wandb").touch()
    with logging(copy) as said:
        pass
    assert len(said) == 1
    assert "warning" in said[0]
    assert "Not a directory" in said[0]


def test_a_file_that_the_disk_had_no_room_for_is_noticed(run_dirs: list[Path], tmp_path: Path) -> None:
    (folder,) = (run_dirs[0] / "wandb").glob("offline-run-*")
    shutil.copytree(folder, tmp_path / folder.name)
    (file,) = (tmp_path / folder.name).glob("*.wandb")
    check(file.parent)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(OSError, match="full"):
        check(file.parent)


def test_the_dashboard_draws_columns_of_rounds_csv_against_annotations_by_group(server: WandbServer) -> None:
    dashboard = [sys.executable, "-m", "alab.wandb_workspace", "me/alab"]
    done = subprocess.run(dashboard, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith(f"{server.environment['WANDB_BASE_URL']}/me/alab")
    (shown,) = server.dashboards
    curves, tables = (section["panels"] for section in shown["section"]["panelBankConfig"]["sections"])
    drawn = [curve["config"] for curve in curves]
    assert {curve["metrics"][0] for curve in drawn} <= set(ROUND_COLUMNS)
    assert {"test_accuracy", "consensus_accuracy", "test_calibration_error"} <= {curve["metrics"][0] for curve in drawn}
    assert {(curve["xAxis"], curve["groupBy"], curve["groupArea"]) for curve in drawn} == {
        ("num_annotations", "group", "stddev")
    }
    assert ['"val": "bought"' in json.dumps(table) for table in tables] == [True, False]


def test_a_dashboard_needs_an_account() -> None:
    dashboard = [sys.executable, "-m", "alab.wandb_workspace", "me/alab"]
    done = subprocess.run(dashboard, cwd=REPOSITORY, env=NO_ACCOUNT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "wandb login" in done.stderr


def test_without_wandb_the_error_says_what_to_install(run_dirs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    chosen = settings(run_dirs[0], logger={"name": "wandb"})
    with pytest.raises(UserError, match="pip install"):
        WandbLogging(chosen, RunDir(chosen), print)


@contextmanager
def logging(run_dir: Path, upload_seconds: float = 60) -> Iterator[list[str]]:
    """Log what is done to the files of a run in the block, as a run would; the lines that it says follow the block."""
    chosen = settings(
        run_dir, run_dir=str(run_dir), logger={"name": "wandb", "project": "alab", "upload_seconds": upload_seconds}
    )
    said: list[str] = []
    with WandbLogging(chosen, RunDir(chosen), said.append):
        yield said


@functools.cache
def records(run_dir: Path) -> list[Item]:
    """Read back all that W&B has written for a run."""
    found = []
    for file in sorted(run_dir.glob("wandb/*run-*/*.wandb")):
        inspect = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(file)]
        done = subprocess.run(
            inspect, env=NO_ACCOUNT | {"WANDB_MODE": "offline"}, capture_output=True, text=True, check=True
        )
        found += [json.loads(line) for line in done.stdout.splitlines()]
    return found


def numbers(item: Item) -> Item:
    """Return what was logged, less what W&B adds to it."""
    return {name: value for name, value in item.items() if not name.startswith("_")}


def logged(server: WandbServer) -> list[Item]:
    """Return the rounds that the only run on a server has."""
    return [numbers(line) for lines in server.history.values() for line in lines if "round" in line]


def rows(run_dir: Path) -> list[Item]:
    """Return the lines of `rounds.csv`, less what is not known."""
    return [{name: float(cell) for name, cell in row.items() if cell} for row in read_csv(run_dir / "rounds.csv")]


def read_table(run_dir: Path, name: str) -> list[Item]:
    """Read back a table as rows by column."""
    (file,) = run_dir.glob(f"wandb/offline-run-*/files/media/table/{name}_*.table.json")
    table = json.loads(file.read_text())
    return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]


def settings(folder: Path, **changes: Any) -> Settings:
    """Return the configuration of a run with some keys changed."""
    return parse(yaml.safe_load((folder / "config.yaml").read_text()) | changes)
