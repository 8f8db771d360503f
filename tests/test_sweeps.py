"""Sweeps through the real train.py: side by side, in folders of their own, whatever becomes of the single job."""

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import OmegaConf
from process import ENVIRONMENT, REPOSITORY, command, train

from alab.config import parse

ROUNDS = 6
JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
RAY = importlib.util.find_spec("ray") is not None
CONFIGS = REPOSITORY / "configs"
EXPERIMENTS = sorted(path.stem for path in (CONFIGS / "experiment").glob("*.yaml"))


def name(seed: int) -> str:
    """Return the start of a run's folder name."""
    return f"random-majority_vote-existing_first-cap5-seed{seed}-"


def run_dirs(folder: Path) -> dict[str, Path]:
    """Return the folders of the finished runs by their names less what tells configurations of one name apart."""
    return {path.parent.name[:-8]: path.parent for path in folder.glob("outputs/files/*/next_batch.csv")}


@pytest.fixture(scope="module")
def sweep(tiny: list[str]) -> list[str]:
    """The arguments of a small sweep, less what it varies and by which launcher."""
    return ["-m", *tiny, f"rounds={ROUNDS}", "strategy=random"]


@pytest.fixture(scope="module")
def whole(sweep: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working directory of a sweep over three seeds, and one that is none, by submitit."""
    folder = tmp_path_factory.mktemp("whole")
    done = train(folder, *sweep, "hydra/launcher=submitit_local", "seed=0,1,2,-1", status=2)
    assert done.stdout == "jobs: 4, printing to outputs/.submitit/%j\n"
    assert done.stderr.splitlines() == [
        "job 3 (seed=-1) failed: seed=-1: input should be greater than or equal to 0",
        "jobs: 4, failed: 1",
    ]
    return folder


def test_every_job_has_a_folder_that_is_named_after_it(whole: Path) -> None:
    assert sorted(run_dirs(whole)) == [name(seed) for seed in (0, 1, 2)]
    assert {path.name for path in (whole / "outputs").iterdir()} == {"files", "multirun.yaml", ".submitit"}


def test_a_job_that_fails_leaves_the_others_alone_and_each_goes_on_from_where_it_is(
    whole: Path, sweep: list[str], tmp_path: Path
) -> None:
    shutil.copytree(whole / "outputs" / "files", tmp_path / "outputs" / "files")
    busy, finished, cut_off = (run_dirs(tmp_path)[name(seed)] for seed in (0, 1, 2))
    (busy / "next_batch.csv").unlink()
    (cut_off / "next_batch.csv").unlink()
    ledger = cut_off / "annotations.csv"
    ledger.write_bytes(ledger.read_bytes()[:-70])
    times = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}

    variants = ["seed=0,1,2,3", "strategy.acquisition=alab.acquisition.random,os.getcwd"]
    with (busy / "checkpoints" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = train(tmp_path, *sweep, *JOBLIB, *variants, status=1)

    assert sorted(run_dirs(tmp_path)) == [name(seed) for seed in (1, 2, 3)]
    assert ledger.read_bytes() == (run_dirs(whole)[name(2)] / "annotations.csv").read_bytes()
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == times
    first, *lines = done.stdout.splitlines()
    assert first == "jobs: 8"
    assert {line[:4] for line in lines} == {f"{job} | " for job in range(8)}
    assert f"2 | This run is finished, nothing to do: {finished.relative_to(tmp_path)}" in lines
    *lines, total = done.stderr.splitlines()
    assert total == "jobs: 8, failed: 5"
    failures = [line.partition(" failed: ")[0] for line in lines[-5:]]
    assert failures == [
        "job 0 (seed=0 strategy.acquisition=alab.acquisition.random)",
        *(f"job {2 * seed + 1} (seed={seed} strategy.acquisition=os.getcwd)" for seed in range(4)),
    ]
    assert "another process is at work in it" in lines[-5]
    assert {line[:4] for line in lines[:-5]} == {"0 | ", "1 | ", "3 | ", "5 | ", "7 | "}


@pytest.mark.slow
def test_the_others_finish_when_the_process_of_a_job_is_killed(sweep: list[str], tmp_path: Path) -> None:
    variants = ["seed=0,1", "strategy.acquisition=os.abort,alab.acquisition.random"]
    done = train(tmp_path, *sweep, *JOBLIB, *variants, status=1)
    assert sorted(run_dirs(tmp_path)) == [name(seed) for seed in (0, 1)]
    assert done.stderr.splitlines()[-3:] == [
        "job 0 (seed=0 strategy.acquisition=os.abort) failed: its process was killed",
        "job 2 (seed=1 strategy.acquisition=os.abort) failed: its process was killed",
        "jobs: 4, failed: 2",
    ]


@pytest.mark.slow
@pytest.mark.skipif(not RAY, reason="Ray is large, so that only the extra `ray` brings it")
def test_ray_runs_the_jobs_of_a_sweep(sweep: list[str], tmp_path: Path) -> None:
    done = train(tmp_path, *sweep, "hydra/launcher=ray", "+hydra.launcher.ray.init.num_cpus=2", "seed=0,-1", status=2)
    assert sorted(run_dirs(tmp_path)) == [name(0)]
    assert "jobs: 2, failed: 1\n" in done.stderr


@pytest.mark.skipif(RAY, reason="Ray is installed")
def test_a_launcher_that_is_not_installed_is_named_with_the_extra_that_brings_it(tmp_path: Path) -> None:
    done = train(tmp_path, "-m", "hydra/launcher=ray", status=2)
    assert done.stderr.startswith("error: hydra/launcher=ray: it is not installed; ")
    assert "'.[ray]'" in done.stderr


@pytest.mark.slow
def test_ctrl_c_stops_all_jobs_and_says_how_to_continue(sweep: list[str], tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(*sweep, *JOBLIB, "model.max_steps=3000", "seed=0,1"),
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a background job ignores it
    )
    deadline = time.monotonic() + 120
    while len(list(tmp_path.rglob("config.yaml"))) < 2:
        assert time.monotonic() < deadline, "the jobs do not start"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().count("\n") == 0
    assert "seed=0,1" in said


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_composes_whatever_it_varies(experiment: str) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        hydra_config = compose("train", [f"experiment={experiment}"], return_hydra_config=True).hydra
        params = hydra_config.sweeper.get("params") or {}
        assert (hydra_config.mode == RunMode.MULTIRUN) == bool(params)
        parser = OverridesParser.create()
        varied = parser.parse_overrides([f"{key}={choices}" for key, choices in params.items()])
        single = [[f"{param.key_or_group}={value}"] for param in varied for value in param.sweep_string_iterator()]
        for override in [[], *single]:
            config = compose("train", [f"experiment={experiment}", *override])
            parse(OmegaConf.to_container(config, resolve=True, throw_on_missing=True))


def test_an_experiment_is_a_sweep_that_the_command_line_narrows(tmp_path: Path) -> None:
    narrowed = ["experiment=cap_ablation", "seed=0,1", "max_annotations_per_example=range(9,11)"]
    done = train(tmp_path, *narrowed, "folds=1", status=2)
    assert done.stdout == "jobs: 12\n"
    assert "job 11 (seed=1 max_annotations_per_example=10 strategy=uncertainty) failed: folds=1" in done.stderr
