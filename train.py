"""Compose the configuration, run it, and say in the exit status how that went. See `python train.py --help`."""

import os
import shlex
import sys
import traceback
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from alab.command_line import explain
from alab.config import parse
from alab.errors import Failure, UserError
from alab.labelled import labelled
from alab.run_dir import RunDir

CONFIGS = Path(__file__).parent / "configs"

MISTAKES = (HydraException, OmegaConfBaseException, OSError, RuntimeError, ValueError)
"""What Hydra and the launchers raise if they cannot do what a command asks for."""


@hydra.main(version_base="1.3", config_path="configs", config_name="train")
def main(config: DictConfig) -> Failure | None:
    """Run one configuration.

    A job of a sweep returns its failure, from whatever process or machine it runs in, and `hydra_plugins.alab_sweeper`
    makes the exit status of them; so one job does not take the others with it.
    """
    hydra_config = HydraConfig.get()
    in_sweep = hydra_config.mode == RunMode.MULTIRUN
    console, errors = Console(), sys.stderr
    if in_sweep and hydra_config.runtime.choices["hydra/launcher"] != "basic":  # it runs beside others
        label = f"{hydra_config.job.num} | "
        console, errors = Console(file=labelled(sys.stdout, label)), labelled(sys.stderr, label)
    failure = None
    try:
        run_job(config, console)
    except UserError as error:
        failure = Failure(2, one_line(error))
        errors.write(f"error: {failure.message}\n")
    except Exception as error:
        failure = Failure(1, f"{type(error).__name__}: {one_line(error)}")
        errors.write(traceback.format_exc())
    if failure and not in_sweep:
        sys.exit(failure.status)
    return failure


def run_job(config: DictConfig, console: Console) -> None:
    """Check the configuration and its folder, then run. The first line is out before slow libraries are imported."""
    try:
        configuration = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise UserError(explain(error, CONFIGS)) from error
    settings = parse(configuration)
    console.print(settings.title, markup=False, highlight=False, soft_wrap=True)
    run_dir = RunDir(settings)
    run_dir.check()
    if run_dir.finished:
        console.print(f"This run is finished, nothing to do: {run_dir.path}", highlight=False, soft_wrap=True)
        return
    from alab.experiment import run

    run(settings, run_dir, console)


def one_line(error: Exception) -> str:
    """Return the message of an error in one line."""
    return " ".join(str(error).split())


if __name__ == "__main__":
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hand us the exceptions instead of printing them
    try:
        main()
    except KeyboardInterrupt:
        print(f"\ninterrupted; this continues it: python {shlex.join(sys.argv)}", file=sys.stderr)
        sys.exit(130)
    except MISTAKES as error:  # in the command; what goes wrong in a job does not come here
        print(f"error: {explain(error, CONFIGS)}", file=sys.stderr)
        sys.exit(2)
