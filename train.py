"""Compose the configuration, run it, and say in the exit status how that went. See `python train.py --help`."""

import os
import shlex
import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from alab.command_line import explain
from alab.config import parse
from alab.errors import UserError

CONFIGS = Path(__file__).parent / "configs"

jobs: list[UserError | None] = []
"""One entry for each job that was composed and started: what the user got wrong, if anything."""


@hydra.main(version_base="1.3", config_path="configs", config_name="train")
def main(config: DictConfig) -> None:
    """Run one configuration; a mistake in it does not take the other jobs of a sweep with it."""
    jobs.append(None)
    try:
        run_job(config)
    except UserError as error:
        jobs[-1] = error
        print_error(str(error))


def run_job(config: DictConfig) -> None:
    """Check the configuration and its folder, then run. The first line is out before slow libraries are imported."""
    try:
        configuration = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise UserError(explain(error, CONFIGS)) from error
    settings = parse(configuration)
    console = Console()
    console.print(settings.title, markup=False, highlight=False, soft_wrap=True)
    from alab.experiment import run
    from alab.run_dir import RunDir

    run_dir = RunDir(settings)
    run_dir.check()
    if run_dir.finished:
        console.print(f"This run is finished, nothing to do: {run_dir.path}", highlight=False, soft_wrap=True)
    else:
        run(settings, run_dir, console)


def print_error(message: str) -> None:
    """Print an error in one line."""
    print("error: " + " ".join(message.split()), file=sys.stderr)


if __name__ == "__main__":
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hand us the exceptions instead of printing them
    try:
        main()
    except KeyboardInterrupt:
        print(f"\ninterrupted; this continues it: python {shlex.join(sys.argv)}", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if jobs:
            raise
        print_error(explain(error, CONFIGS))
        sys.exit(2)
    sys.exit(2 if any(jobs) else 0)
