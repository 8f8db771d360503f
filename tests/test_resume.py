"""A run that was cut off continues with the same command and ends as if it had not been."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from process import ENVIRONMENT, command, rounds_without_seconds, train, wait_for_rounds

ROUNDS = 5
KINDS = {"probe": ["model.frozen=true"], "fine-tuned": ["model=minilm"]}


@pytest.fixture(scope="module", params=list(KINDS))
def arguments(request: pytest.FixtureRequest, tiny: list[str]) -> list[str]:
    """The arguments of a run, for a probe and for a fine-tuned encoder."""
    return [*KINDS[request.param], *tiny, f"rounds={ROUNDS}", "model.max_steps=20", "run_dir=run"]


@pytest.fixture(scope="module")
def whole(arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was never cut off."""
    folder = tmp_path_factory.mktemp("whole")
    train(folder, *arguments)
    return folder / "run"


def test_after_a_kill_in_the_middle_the_ledger_is_the_same(whole: Path, arguments: list[str], tmp_path: Path) -> None:
    process = subprocess.Popen(command(*arguments), cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    wait_for_rounds(tmp_path / "run", 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "run" / "next_batch.csv").exists()
    train(tmp_path, *arguments)
    _assert_same(whole, tmp_path / "run")


def test_purchases_that_the_checkpoint_does_not_know_are_not_bought_again(
    whole: Path, arguments: list[str], tmp_path: Path
) -> None:
    run_dir = _copy(whole, tmp_path)
    (run_dir / "checkpoints" / "last.ckpt").unlink()
    train(tmp_path, *arguments)
    _assert_same(whole, run_dir)


def test_a_damaged_checkpoint_is_not_needed(whole: Path, arguments: list[str], tmp_path: Path) -> None:
    run_dir = _copy(whole, tmp_path)
    checkpoint = run_dir / "checkpoints" / "last.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    train(tmp_path, *arguments)
    _assert_same(whole, run_dir)


def test_a_torn_round_is_completed(whole: Path, arguments: list[str], tmp_path: Path) -> None:
    run_dir = _copy(whole, tmp_path)
    (run_dir / "checkpoints" / "last.ckpt").unlink()
    ledger = run_dir / "annotations.csv"
    ledger.write_bytes(ledger.read_bytes()[:-70])
    train(tmp_path, *arguments)
    _assert_same(whole, run_dir)


def test_a_checkpoint_that_is_ahead_of_the_ledger_is_left_alone(
    whole: Path, arguments: list[str], tmp_path: Path
) -> None:
    run_dir = _copy(whole, tmp_path)
    ledger = run_dir / "annotations.csv"
    ledger.write_bytes(ledger.read_bytes()[:-70])
    train(tmp_path, *arguments)
    _assert_same(whole, run_dir)


def test_what_a_run_leaves_at_its_end_is_written_again_if_it_was_cut_off_there(
    whole: Path, arguments: list[str], tmp_path: Path
) -> None:
    run_dir = _copy(whole, tmp_path)
    train(tmp_path, *arguments)
    for name in ("consensus.csv", "annotators.csv", "next_batch.csv"):
        assert (run_dir / name).read_bytes() == (whole / name).read_bytes()


def test_a_finished_run_says_so_and_changes_nothing(whole: Path, arguments: list[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*")}
    done = train(whole.parent, *arguments)
    assert "finished" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*")} == before


def test_another_configuration_is_refused_by_the_keys_that_differ(whole: Path, arguments: list[str]) -> None:
    done = train(whole.parent, *arguments, "seed=7", "model.max_steps=21", status=2)
    assert "seed" in done.stderr
    assert "model.max_steps" in done.stderr
    assert "rounds" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_ctrl_c_says_how_to_continue(arguments: list[str], tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(*arguments),
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a background job ignores it
    )
    wait_for_rounds(tmp_path / "run", 1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert b"run_dir=run" in said
    assert said.strip().count(b"\n") == 0


def _copy(whole: Path, folder: Path) -> Path:
    """Copy a finished run and take back that it is finished."""
    shutil.copytree(whole, folder / "run")
    (folder / "run" / "next_batch.csv").unlink()
    return folder / "run"


def _assert_same(whole: Path, run_dir: Path) -> None:
    assert (run_dir / "annotations.csv").read_bytes() == (whole / "annotations.csv").read_bytes()
    assert rounds_without_seconds(run_dir) == rounds_without_seconds(whole)
    assert (run_dir / "consensus.csv").read_bytes() == (whole / "consensus.csv").read_bytes()
