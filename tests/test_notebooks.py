"""The notebooks run from top to bottom, on small settings."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from process import REPOSITORY

SMALL = 'SEEDS, ROUNDS, STEPS = "0,1", 2, 20'


def test_the_cookbook_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(REPOSITORY / "notebooks" / "cookbook.ipynb", as_version=4)
    (parameters,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    parameters.source += "\n" + SMALL
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert len(list(tmp_path.glob("outputs/vader/*/next_batch.csv"))) == 4, "two strategies, two seeds"
