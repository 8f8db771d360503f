"""The process that logs one run to Weights & Biases; `alab.wandb_logging` starts it.

It reads a `Task` from the first line of its input, then a line each time the run's files hold news: "rounds" after a
round, "finished" after what the run leaves at its end. An input that ends before that is a run that was cut off.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd
import wandb


class Task(TypedDict):
    """What to log.

    Attributes:
        init: what `wandb.init` is to be told about the run.
        continues: whether it has rounds already.
        sync: the command that uploads an offline run.
        rounds: the path of `rounds.csv`.
        ledger: of `annotations.csv`.
        pool: of `consensus.csv`.
        annotators: of `annotators.csv`.
    """

    init: dict[str, Any]
    continues: bool
    sync: str
    rounds: str
    ledger: str
    pool: str
    annotators: str


def main() -> None:
    """Log until the input ends, then close the run and say where it is."""
    task: Task = json.loads(sys.stdin.readline())
    run = start(task)
    if run.disabled:
        return
    next_round = run.step if run.resumed else 1
    finished = False
    for message in sys.stdin:
        next_round = log_rounds(run, Path(task["rounds"]), next_round)
        finished = message == "finished\n"
    log_rounds(run, Path(task["rounds"]), next_round)  # a run that is cut off may not have told of its last round
    if finished:
        log_outputs(run, task)
    folder, url = Path(run.dir).parent, run.url
    run.finish(exit_code=0 if finished else 1)
    if run.offline:
        check(folder)
    for other in Path(task["init"]["dir"], "wandb").glob("*run-*"):
        if other.name != folder.name:  # of a run that was cut off: this one or the server has all that it has
            shutil.rmtree(other)
    place = f"offline; this uploads it: {task['sync']}" if run.offline else url
    print(f"W&B          {place}")


def start(task: Task) -> wandb.Run:
    """Begin the run in W&B: as `WANDB_MODE` says, but offline if there is no API key or no server that answers.

    A server that has some of the run already gets the rest. An offline file cannot know what the server has: it holds
    the whole run, and takes the place of what is there when it is uploaded.
    """
    try:
        online = wandb.setup().settings.mode == "online"
        if online and not wandb.login(prompt=False, verify=False):
            return init(task, mode="offline")
        return init(task, resume="allow" if online and task["continues"] else None)
    except wandb.Error as error:
        print(f"warning: W&B does not log online ({one_line(error)})")
        wandb.teardown()
        return init(task, mode="offline")


def init(task: Task, **how: Any) -> wandb.Run:
    """Begin the run in W&B, with annotations as the x axis of everything."""
    run = wandb.init(**task["init"], **how)
    run.define_metric("num_annotations")
    run.define_metric("*", step_metric="num_annotations")
    return run


def log_rounds(run: wandb.Run, table: Path, first: int) -> int:
    """Log the lines of `rounds.csv` from a round on, with the round as the step.

    Returns:
        The round to go on from.
    """
    if table.exists():
        for row in pd.read_csv(table).query("round >= @first").to_dict("records"):
            first = row["round"] + 1
            known = {str(column): value for column, value in row.items() if pd.notna(value)}
            run.log(known, step=row["round"], commit=True)
    return first


def log_outputs(run: wandb.Run, task: Task) -> None:
    """Log what was bought and from whom as tables, and the ledger and the pool as artifacts."""
    ledger, pool, annotators = (
        pd.read_csv(path, dtype={"example_id": str, "annotator_id": str, "label": str}, keep_default_na=False)
        for path in (task["ledger"], task["pool"], task["annotators"])
    )
    bought = ledger[ledger["round"] > 0].merge(pool[["example_id", "text"]], on="example_id").astype({"score": float})
    tables = {"bought": bought, "annotators": annotators}
    run.log({name: wandb.Table(dataframe=table) for name, table in tables.items()})
    for kind, path in {"ledger": task["ledger"], "pool": task["pool"]}.items():
        artifact = wandb.Artifact(f"{kind}-{run.id}", type=kind)
        artifact.add_file(path, policy="immutable", skip_cache=True)
        run.log_artifact(artifact)
        if not run.offline:
            artifact.wait()  # raises what the server says against it


def check(folder: Path) -> None:
    """Read back the file of an offline run: W&B does not tell that it could not write it, as when the disk is full.

    Raises:
        OSError: if its end is missing.
    """
    inspect = [sys.executable, "-P", "-m", "wandb", "leet", "inspect", "--json", str(folder)]
    offline = os.environ | {"WANDB_MODE": "offline"}
    records = subprocess.run(inspect, env=offline, capture_output=True, text=True, check=False)
    if '"type":"exit"' not in records.stdout:
        raise OSError(f"{folder} has no end; is the disk full?")


def one_line(error: Exception) -> str:
    """Return what an exception says without its line breaks."""
    return " ".join(str(error).split())


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # whatever it is, the run goes on and says so in a line
        print(f"warning: W&B has not logged all of the run ({type(error).__name__}: {one_line(error)})")
