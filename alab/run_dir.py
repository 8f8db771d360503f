"""The folder of a run: where its files are, and whether a command may begin, continue or leave it."""

import errno
import fcntl
import hashlib
import logging
import pickle
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from alab.atomic import replacing
from alab.config import Settings, flat
from alab.errors import UserError
from alab.ledger import Ledger

log = logging.getLogger(__name__)


class RunDir:
    """The files of one run.

    Which logger a run has is no part of its configuration here: the results are the same with any, and a run that was
    begun without one may be continued with one.

    Args:
        settings: the configuration. If its `run_dir` is null, the folder is named after the configuration, so that the
            same command finds the same folder again.
    """

    def __init__(self, settings: Settings) -> None:
        self.path = Path(settings.run_dir or _default_name(settings))
        self.configuration = settings.model_dump(exclude={"logger"}) | {"run_dir": str(self.path)}
        self.config = self.path / "config.yaml"
        self.ledger = self.path / "annotations.csv"
        self.rounds = self.path / "rounds.csv"
        self.consensus = self.path / "consensus.csv"
        self.annotators = self.path / "annotators.csv"
        self.next_batch = self.path / "next_batch.csv"
        self.learning_curve = self.path / "learning_curve.png"
        self.model = self.path / "model"
        self.checkpoint = self.path / "checkpoints" / "last.ckpt"

    @property
    def finished(self) -> bool:
        """Whether the run is over: `next_batch.csv` is the last file it writes."""
        return self.next_batch.exists()

    def check(self) -> None:
        """Refuse a folder that cannot be, or already is, the folder of another run.

        Raises:
            UserError: naming the keys that differ.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"run_dir={self.path}: this is a file; expected a folder")
        if not self.config.exists():
            if self.ledger.exists():
                raise UserError(f"run_dir={self.path}: annotations.csv is there without its config.yaml")
            return
        try:
            saved = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise UserError(f"{self.config}: not a valid configuration ({' '.join(str(error).split())})") from error
        old, new = flat(saved), flat(self.configuration)
        differing = [
            f"{key} (there {old.get(key, 'unset')}, now {new.get(key, 'unset')})"
            for key in sorted(old.keys() | new.keys())
            if key != "run_dir" and old.get(key) != new.get(key)
        ]
        if differing:
            raise UserError(
                f"run_dir={self.path}: holds a run with another configuration; these differ: {', '.join(differing)}"
            )

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other processes out of the folder; if it is not there yet, from `create` on.

        Raises:
            UserError: if another process, on this machine or one that shares the file system, works in it.
        """
        self._is_new = not self.config.exists()
        with ExitStack() as self._claim:
            if not self._is_new:
                self._acquire()
            yield

    def create(self) -> None:
        """Make the folder and write `config.yaml`, if they were not there before.

        Raises:
            UserError: if another process made them meanwhile.
        """
        if not self._is_new:
            return
        self._acquire()
        if self.config.exists():
            raise UserError(f"run_dir={self.path}: another process has just made it; the same command continues it")
        with replacing(self.config) as temporary:
            temporary.write_text(yaml.safe_dump(self.configuration, sort_keys=False, allow_unicode=True), "utf-8")

    def _acquire(self) -> None:
        """Lock a file of the folder; the system takes the lock back when the process ends, however it ends."""
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        file = self._claim.enter_context((self.checkpoint.parent / "lock").open("w"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"run_dir={self.path}: another process is at work in it") from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP):
                raise
            log.warning("%s: its file system has no locks; let no other process work in it", self.path)

    def usable_checkpoint(self, ledger: Ledger) -> Path | None:
        """Return the checkpoint to continue from, None if there is none that agrees with the ledger.

        The ledger wins: a checkpoint that is damaged, or that knows of another number of annotations than the ledger
        holds up to its round, is left alone, and the rounds are run again.
        """
        import torch  # it takes seconds, and a run that is finished needs nothing of it

        if not self.checkpoint.exists():
            return None
        try:
            state = torch.load(self.checkpoint, weights_only=True, map_location="cpu")
        except (RuntimeError, EOFError, pickle.UnpicklingError):
            log.warning("%s is damaged; the rounds are run again from the ledger", self.checkpoint)
            return None
        progress = next(state for name, state in state["callbacks"].items() if name.startswith("AnnotationRounds"))
        held = sum(entry.round <= len(progress["rows"]) for entry in ledger.entries)
        return self.checkpoint if held == progress["num_annotations"] else None


def digest(settings: Settings, *but: str) -> str:
    """Return 64 hexadecimal digits that stand for all that a run's results follow from, less the keys in `but`.

    Where the files go and who else logs the run are no part of it.
    """
    return hashlib.sha256(settings.model_dump_json(exclude={"run_dir", "logger", *but}).encode()).hexdigest()


def _default_name(settings: Settings) -> str:
    names = f"{settings.strategy.name}-{settings.consensus.name}-{settings.assignment.name}"
    numbers = f"cap{settings.max_annotations_per_example}-seed{settings.seed}"
    return f"outputs/{settings.data.name}/{names}-{numbers}-{digest(settings)[:8]}"
