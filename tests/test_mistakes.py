"""A mistake in a command gets one line that says what is wrong and what would be right, and exit status 2."""

from pathlib import Path

import pytest
from process import train

from alab.errors import UserError
from alab.trainer_flags import trainer_flags

MISTAKES = {
    "strateg=random": "strategy",
    "strategy=actvelab": "activelab, activelab_ensemble",
    "strategy=3": "string",
    "consensus=vote": "majority_vote",
    "model.lr=3": "model.name",
    "learning_rate=0.1": "model.learning_rate",
    "data.root=here": "data.root",
    "+foo=1": "foo",
    "+model.foo=1": "model.foo",
    "~seed": "seed",
    "rounds=-1": "rounds=-1",
    "rounds=0": "greater than 0",
    "rounds=ten": "rounds=ten",
    "rounds=2.5": "rounds=2.5",
    "seed=null": "seed",
    "seed=-1": "seed=-1",
    "folds=1": "greater than or equal to 2",
    "max_annotations_per_example=0": "max_annotations_per_example=0",
    "annotations_per_round=0": "annotations_per_round=0",
    "model.learning_rate=0": "model.learning_rate=0",
    "model.max_steps=none": "model.max_steps=none",
    "strategy.ensemble_size=0": "strategy.ensemble_size=0",
    "data=files": "data.root",
    "experiment=nothing": "cookbook",
    "logger=tensorboard": "csv, wandb",
    "logger.project=mine": "the logger that was chosen",
    "hydra/launcher=nothing": "basic, joblib",
    "run_dir=": "run_dir",
    "model=[minilm": "[minilm",
}


@pytest.mark.parametrize("argument", MISTAKES)
def test_a_wrong_key_group_or_value_is_named(argument: str, tmp_path: Path) -> None:
    done = train(tmp_path, argument, status=2)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert MISTAKES[argument] in done.stderr
    assert not list(tmp_path.iterdir())


SHOW_LATER = {
    "data.root=nowhere": "data.root=nowhere: no such folder",
    "model.name=nowhere": "model.name=nowhere",
    "strategy.acquisition=alab.nothing": "alab.nothing",
    "run_dir=file": "expected a folder",
}


@pytest.mark.parametrize("argument", SHOW_LATER)
def test_a_mistake_that_shows_later_is_told_likewise_and_leaves_nothing(
    argument: str, tiny: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = train(tmp_path, *tiny, argument, status=2)
    assert done.stderr.count("\n") == 1
    assert SHOW_LATER[argument] in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["file"]


FLAGS = {
    "precision": ("fp8", "fp8"),
    "max_epochs": (3, "accelerator, devices"),
    "devices": (2, "one device"),
    "accelerator": ("abacus", "abacus"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_that_lightning_does_not_take_here_is_named(name: str) -> None:
    value, expected = FLAGS[name]
    with pytest.raises(UserError, match=expected):
        trainer_flags({"accelerator": "cpu", "devices": 1, name: value})


def test_mixed_precision_is_bf16_where_there_is_bf16() -> None:
    assert trainer_flags({"accelerator": "cpu", "devices": 1, "precision": "mixed"})["precision"] == "bf16-mixed"


def test_one_wrong_job_does_not_take_the_sweep_with_it(tmp_path: Path, tiny: list[str]) -> None:
    done = train(tmp_path, "-m", *tiny, "rounds=1", "strategy=random", "folds=1,2", status=2)
    said = "folds=1: input should be greater than or equal to 2"
    assert done.stderr.splitlines() == [f"error: {said}", f"job 0 (folds=1) failed: {said}", "jobs: 2, failed: 1"]
    assert len(list(tmp_path.rglob("next_batch.csv"))) == 1


def test_help_is_one_screen_that_names_every_group_and_key(tmp_path: Path) -> None:
    shown = train(tmp_path, "--help").stdout
    assert len(shown.splitlines()) <= 40
    groups = ("strategy", "consensus", "assignment", "data", "model", "trainer", "logger", "experiment")
    keys = (
        "seed",
        "rounds",
        "annotations_per_round",
        "max_annotations_per_example",
        "folds",
        "run_dir",
        "model.max_steps",
    )
    for word in groups + keys:
        assert word in shown
