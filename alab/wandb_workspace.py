"""The dashboard of a W&B project of runs of alab: `python -m alab.wandb_workspace ENTITY/PROJECT` makes it there.

Curves are means over the runs of a group, that is over seeds, with a band of one standard deviation.
"""

import argparse
import sys

import wandb
import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws

from alab.errors import UserError

CURVES = {
    "test_accuracy": "Test accuracy",
    "consensus_accuracy": "Consensus accuracy",
    "out_of_sample_agreement": "Out-of-sample agreement with the consensus",
    "test_calibration_error": "Calibration error",
    "test_log_loss": "Log loss",
    "num_examples": "Annotated examples",
}
"""What is drawn against the number of annotations: columns of `rounds.csv` and their titles."""

BUDGET = ("num_annotations", "num_examples", "test_accuracy", "consensus_accuracy")
"""What the table of runs shows first: columns of `rounds.csv`, at the last round."""

MAX_RUNS = 500
"""W&B draws ten runs unless told otherwise; means would lack seeds."""


def workspace(entity: str, project: str) -> ws.Workspace:
    """Describe the dashboard: a curve for each of `CURVES`, and the tables of what was bought from whom."""
    return ws.Workspace(
        entity=entity,
        project=project,
        name="Accuracy against annotations",
        sections=[
            ws.Section(
                name="Against the number of annotations",
                panels=[_curve(column, title) for column, title in CURVES.items()],
                is_open=True,
            ),
            ws.Section(
                name="What was bought, and from whom",
                panels=[wr.WeavePanelSummaryTable(table_name=name) for name in ("bought", "annotators")],
                is_open=True,
            ),
        ],
        settings=ws.WorkspaceSettings(x_axis="num_annotations", max_runs=MAX_RUNS),
        runset_settings=ws.RunsetSettings(
            groupby=[ws.Metric("Group")], pinned_columns=[f"summary:{name}" for name in BUDGET]
        ),
    )


def main(path: str) -> str:
    """Make the dashboard of ENTITY/PROJECT and return its address.

    Raises:
        UserError: if that is not the name of a project, or if there is no account to make it with.
    """
    entity, _, project = path.partition("/")
    if not (entity and project):
        raise UserError(f"{path}: not a project of W&B; expected ENTITY/PROJECT")
    wandb.setup(wandb.Settings(silent=True))
    if not wandb.login(prompt=False, verify=False):
        raise UserError("a dashboard is made on W&B's server, which needs an account; this logs in: wandb login")
    return workspace(entity, project).save().url


def _curve(column: str, title: str) -> wr.LinePlot:
    return wr.LinePlot(
        title=title,
        x="num_annotations",
        y=[column],
        title_x="annotations",
        title_y=title.lower(),
        groupby="Group",
        groupby_aggfunc="mean",
        groupby_rangefunc="stddev",
        max_runs_to_show=MAX_RUNS,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m alab.wandb_workspace", description="Make a dashboard in W&B.")
    parser.add_argument("project", metavar="ENTITY/PROJECT")
    try:
        print(main(parser.parse_args().project))
    except (UserError, wandb.Error) as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)
