"""Layers: lower modules never import higher ones, and what is below the model never imports torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "alab"

LAYERS = [
    {"errors", "atomic", "seeding", "annotations", "binding", "cleanlab_io", "ledger"},
    {"consensus", "acquisition", "assignment"},
    {"pool", "oracle", "strategies", "buying"},
    {"corpora", "encoder", "config", "datamodule", "model", "quiet"},
    {"crossval", "rounds", "outputs", "display", "labelled"},
    {"experiment", "run_dir", "saved_model", "learning_curve", "trainer_flags", "command_line"}
    | {"wandb_logging", "wandb_process", "wandb_workspace", "report"},
]

PURE = sorted(set.union(*LAYERS[:3]))

HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}

FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def module_of(path: Path) -> str:
    """Return the name by which a file stands in `LAYERS`: of the module, or of the package that it is in."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(source: str) -> set[str]:
    """Return the modules of alab, as they stand in `LAYERS`, that some source imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name.split(".")[1] for name in names if name.startswith("alab.")}


def test_every_module_has_its_layer_and_every_layer_its_modules() -> None:
    assert {module_of(path) for path in FILES} == set(HEIGHT)


def test_no_module_is_in_two_layers() -> None:
    assert sum(map(len, LAYERS)) == len(HEIGHT)


@pytest.mark.parametrize(
    "source",
    ["import alab.model", "from alab import model", "from alab.model import X", "def f():\n import alab.model"],
)
def test_an_import_is_seen_however_it_is_written(source: str) -> None:
    assert imports(source) == {"model"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_none_of_a_higher_layer(path: Path) -> None:
    height = HEIGHT[module_of(path)]
    assert {name for name in imports(path.read_text()) if HEIGHT[name] > height} == set()


def test_modules_below_the_model_do_not_import_torch() -> None:
    script = f"import sys, {', '.join(f'alab.{name}' for name in PURE)}; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "False"
