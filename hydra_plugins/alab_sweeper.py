"""The sweeper: Hydra's own, which also outlives a job that is killed, and says at the end which jobs failed."""

import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from alab.errors import Failure


class AlabSweeper(BasicSweeper):
    """Every combination of the values given, by any launcher. Each job returns a `Failure`, or None if it went well."""

    def setup(self, *, config: DictConfig, **others: Any) -> None:
        """Build the launcher that the configuration names."""
        if "batch_size" in config.hydra.launcher:
            # joblib takes jobs that are finished already for a sign of short ones, and hands out the rest in bundles.
            config.hydra.launcher.batch_size = 1
        super().setup(config=config, **others)
        assert self.launcher is not None
        self.launcher = _Outliving(self.launcher, log_folder=config.hydra.launcher.get("submitit_folder"))

    def sweep(self, arguments: list[str]) -> None:
        """Run all jobs, then name those that failed.

        Raises:
            SystemExit: if a job failed; with 2 if only by users' mistakes, else with 1. Hydra drops what is returned.
        """
        jobs = [job for batch in super().sweep(arguments) for job in batch]
        common = set.intersection(*(set(job.overrides) for job in jobs)) if len(jobs) > 1 else set()
        failures = [(number, job) for number, job in enumerate(jobs) if job.return_value]
        for number, job in failures:
            own = " ".join(override for override in job.overrides if override not in common)
            print(f"job {number} ({own}) failed: {job.return_value.message}", file=sys.stderr)
        if failures:
            print(f"jobs: {len(jobs)}, failed: {len(failures)}", file=sys.stderr)
            sys.exit(min(job.return_value.status for _, job in failures))
        print(f"jobs: {len(jobs)}, all finished")


class _Outliving(Launcher):
    """A launcher that goes on when the process of a job is killed, and where it cannot, says what became of the others.

    Args:
        launcher: the one that does the work, set up.
        log_folder: where the jobs print, if not here.
    """

    def __init__(self, launcher: Launcher, log_folder: str | None) -> None:
        self._launcher, self._log_folder = launcher, log_folder

    def setup(self, **parts: Any) -> None:
        raise AssertionError("the launcher is set up already")

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        where = f", printing to {self._log_folder}" if self._log_folder else ""
        print(f"jobs: {len(job_overrides)}{where}", flush=True)
        try:
            return self._launcher.launch(job_overrides, initial_job_idx)
        except BrokenExecutor:  # joblib cannot tell whose process it was, and has stopped the others
            print("a process was killed, perhaps for want of memory; now one job at a time", file=sys.stderr)
        except KeyboardInterrupt:
            if type(self._launcher).__name__ == "SlurmLauncher":
                print("\nthe jobs go on in the queue; scancel stops them", file=sys.stderr)
            raise
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("submitit", "ray"):
                raise
            note = "a job was killed; the others go on, and the same command continues what is not finished"
            print(f"{error}\n{note}", file=sys.stderr)
            sys.exit(1)
        return [self._launch_alone(overrides, initial_job_idx + i) for i, overrides in enumerate(job_overrides)]

    def _launch_alone(self, overrides: Sequence[str], number: int) -> JobReturn:
        try:
            (job,) = self._launcher.launch([overrides], number)
        except BrokenExecutor:
            job = JobReturn(overrides=overrides, status=JobStatus.COMPLETED)
            job.return_value = Failure(1, "its process was killed")
        return job
