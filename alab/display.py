"""What a person sees: a line a round, and below it a live bar with the current fit and the time left."""

import logging
from types import TracebackType
from typing import Any

import lightning as L
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from alab.outputs import RoundRow

HEADINGS = {
    "round": "round",
    "num_annotations": "annotations",
    "num_examples": "examples",
    "test_accuracy": "test accuracy",
    "consensus_accuracy": "consensus accuracy",
    "out_of_sample_agreement": "out-of-sample agreement",
    "seconds": "seconds",
}


class Display:
    """Prints to standard output. The live bar is there only on a terminal.

    Args:
        console: where to print.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("left"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._heading: dict[str, str] = {}

    def start(self, rounds: int, fits_per_round: int, steps_per_fit: int) -> None:
        """Begin the live bar."""
        self._rounds, self._steps_per_fit, self._steps_per_round = rounds, steps_per_fit, fits_per_round * steps_per_fit
        self._task = self._progress.add_task("preparing the texts", total=rounds * self._steps_per_round)
        self._progress.start()

    def begin_round(self, round: int) -> None:
        """Show that a round begins."""
        self._round = round
        self._progress.update(self._task, completed=(round - 1) * self._steps_per_round)

    def fit(self, name: str) -> L.Callback:
        """Return a callback that shows the steps of one fit under this name."""
        return _FitProgress(self, name)

    def step(self, name: str, step: int) -> None:
        """Show that a fit has done so many steps."""
        text = f"round {self._round}/{self._rounds}, {name}, step {step}/{self._steps_per_fit}"
        self._progress.update(self._task, advance=1, description=text)

    def end_round(self, row: RoundRow) -> None:
        """Print the line of a round that has ended."""
        if not self._heading:
            self._heading = {column: heading for column, heading in HEADINGS.items() if column in row}
            self.say("  ".join(self._heading.values()))
        cells = (self._cell(column, row[column]).rjust(len(heading)) for column, heading in self._heading.items())
        self.say("  ".join(cells))

    def say(self, message: str) -> None:
        """Print a line above the live bar."""
        self.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> "Display":
        self._handler = RichHandler(console=self.console, show_time=False, show_path=False)
        logging.getLogger("alab").addHandler(self._handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()
        logging.getLogger("alab").removeHandler(self._handler)

    @staticmethod
    def _cell(column: str, value: float) -> str:
        return f"{value:.1f}" if column == "seconds" else f"{value:.3f}" if isinstance(value, float) else str(value)


class _FitProgress(L.Callback):
    def __init__(self, display: Display, name: str) -> None:
        self._display, self._name = display, name

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._display.step(self._name, batch_idx + 1)
