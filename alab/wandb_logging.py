"""The callback behind `logger=wandb`: it tells a process of its own, `alab/wandb_process.py`, when there is news.

W&B runs in that process alone, so that nothing it does can reach the run, not even waiting: if the server is gone,
wandb 0.31 waits far beyond its own timeouts. What there is to log is in the run's files.
"""

import importlib.util
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import lightning as L

from alab.config import Settings
from alab.errors import UserError
from alab.run_dir import RunDir, digest

if TYPE_CHECKING:
    from alab.wandb_process import Task

PROGRAM = Path(__file__).with_name("wandb_process.py")


class WandbLogging(L.Callback):
    """With `logger=wandb`, has what happens within its `with` block logged: the rounds, and what the run leaves.

    Args:
        settings: of the run.
        run_dir: the run's own files; those of W&B go into `wandb/` there.
        say: prints a line.

    Raises:
        UserError: if W&B is not installed.
    """

    def __init__(self, settings: Settings, run_dir: RunDir, say: Callable[[str], None]) -> None:
        self.settings, self.run_dir, self.say = settings, run_dir, say
        self.wanted = settings.logger.name == "wandb"
        if self.wanted and importlib.util.find_spec("wandb") is None:
            raise UserError("logger=wandb: W&B is not installed; this installs it: pip install -e '.[wandb]'")
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "WandbLogging":
        if self.wanted:
            self.process = self._start()
            self._tell(json.dumps(self.task))
            self._tell("rounds")  # those that a run which continues has already
        return self

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Tell that `rounds.csv` has a new line."""
        self._tell("rounds")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self._tell("finished")
        self._end()

    @property
    def task(self) -> "Task":
        """What the process is to log, and under which names."""
        settings, run_dir = self.settings, self.run_dir
        parts = (settings.data, settings.strategy, settings.consensus, settings.assignment)
        names = [part.name for part in parts]
        return {
            "init": {
                "id": digest(settings)[:16],
                "project": settings.logger.project,
                "entity": settings.logger.entity,
                "name": "-".join([*names, f"seed{settings.seed}"]),
                "group": settings.logger.group or "-".join([*names, digest(settings, "seed")[:8]]),
                "job_type": "train",
                "tags": [*names, *settings.logger.tags],
                "config": run_dir.configuration,
                "dir": str(run_dir.path.absolute()),
            },
            "continues": run_dir.rounds.exists(),
            "sync": self._sync,
            "rounds": str(run_dir.rounds.absolute()),
            "ledger": str(run_dir.ledger.absolute()),
            "pool": str(run_dir.consensus.absolute()),
            "annotators": str(run_dir.annotators.absolute()),
        }

    @property
    def _sync(self) -> str:
        return f"wandb sync {shlex.quote(str(self.run_dir.path / 'wandb' / 'latest-run'))}"

    def _start(self) -> "subprocess.Popen[str]":
        """Start the process with the arguments of this one, which W&B shows as the command of the run."""
        environment = {
            "WANDB_SILENT": "true",
            "WANDB_CONSOLE": "off",
            "WANDB_PROGRAM": sys.argv[0],
            "WANDB_DATA_DIR": str(self.run_dir.path.absolute() / "wandb"),  # where artifacts wait for their upload
            "WANDB__STATS_PID": str(os.getpid()),  # whose use of the machine is of interest
            "WANDB__TRANSACTION_LOG_FLUSH_INTERVAL": "1",  # seconds; what was not flushed is lost in a kill
        }
        return subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM), *sys.argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
            start_new_session=True,  # Ctrl-C is for the run; the process learns of it from the end of its input
        )

    def _tell(self, message: str) -> None:
        """Send a line to the process; if it has ended before its time, say why."""
        if self.process is not None:
            try:
                print(message, file=self.process.stdin, flush=True)
            except BrokenPipeError:
                self._end()

    def _end(self) -> None:
        """Wait for the process to end, but not for ever, and pass on what it says."""
        if self.process is None:
            return
        process, self.process, seconds = self.process, None, self.settings.logger.upload_seconds
        with process:
            try:
                said, errors = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                what = f"warning: W&B has not got everything within {seconds:g} seconds"
                self.say(f"{what}; this uploads it: {self._sync} --include-online")
                return
        for line in said.splitlines():
            self.say(line)
        if process.returncode:
            self.say(f"warning: W&B has died ({(errors.splitlines() or [f'status {process.returncode}'])[-1]})")
