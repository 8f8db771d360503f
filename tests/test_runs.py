"""Every data set and model through the real train.py, and what a run leaves."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from process import REPOSITORY, purchases, read_csv, rounds_without_seconds, train
from transformers import pipeline

from alab.saved_model import Probe

POLITENESS = REPOSITORY.parent / "shared" / "data" / "stanford-politeness"
COLUMNS = {
    "annotations.csv": ["round", "example_id", "annotator_id", "label", "score"],
    "rounds.csv": ["round", "num_annotations", "num_examples", "num_annotators", "test_accuracy"],
    "consensus.csv": ["example_id", "text", "label", "quality", "num_annotations"],
    "annotators.csv": ["annotator_id", "quality", "num_annotations", "agreement", "accuracy"],
    "next_batch.csv": ["example_id", "text", "score", "num_annotations", "ask"],
}


@pytest.fixture(scope="module")
def vader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default command, shortened."""
    folder = tmp_path_factory.mktemp("vader")
    train(folder, "strategy=activelab", "rounds=2", "model.max_steps=30", "run_dir=run")
    return folder / "run"


def test_the_default_run_leaves_every_file_with_its_columns(vader: Path) -> None:
    for name, columns in COLUMNS.items():
        with (vader / name).open() as file:
            assert file.readline().strip().split(",")[: len(columns)] == columns
    assert {path.name for path in vader.iterdir()} == {
        *COLUMNS, "config.yaml", "learning_curve.png", "model", "checkpoints",
    }  # fmt: skip


def test_the_default_run_starts_from_100_examples_and_200_annotations(vader: Path) -> None:
    rows = read_csv(vader / "rounds.csv")
    assert [(row["num_annotations"], row["num_annotators"]) for row in rows] == [("200", "10"), ("225", "10")]
    assert rows[0]["num_examples"] == "100"
    assert len(purchases(vader)) == 25
    assert all(0.5 < float(row["test_accuracy"]) <= float(row["consensus_accuracy"]) <= 1 for row in rows)


def test_the_saved_configuration_is_resolved(vader: Path) -> None:
    config = yaml.safe_load((vader / "config.yaml").read_text())
    assert config["strategy"]["name"] == "activelab"
    assert config["model"]["max_steps"] == 30
    assert config["run_dir"] == "run"


def test_a_saved_probe_predicts(vader: Path) -> None:
    probe = Probe(vader / "model")
    probs = probe.predict_proba(["wonderful", "terrible"])
    assert probs.shape == (2, 2)
    assert probs.argmax(axis=1).tolist() == [1, 0]


def test_a_fine_tuned_model_is_a_pipeline_with_the_users_labels(tiny: list[str], tmp_path: Path) -> None:
    train(tmp_path, "model=minilm", *tiny, "rounds=1", "strategy=random", "run_dir=run")
    (answer,) = pipeline("text-classification", model=str(tmp_path / "run" / "model"))(["great fine day"])
    assert answer["label"] in ("yes", "no")
    assert 0.5 <= answer["score"] <= 1


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_embedded_encoder_is_fine_tuned_in_either_precision(precision: str, corpus: Path, tmp_path: Path) -> None:
    settings = ["model=minilm", "data=files", f"data.root={corpus}", "model.max_steps=25", "rounds=1", "run_dir=run"]
    train(tmp_path, *settings, "strategy=uncertainty", "model.learning_rate=2e-4", f"trainer.precision={precision}")
    (row,) = read_csv(tmp_path / "run" / "rounds.csv")
    assert float(row["test_accuracy"]) > 0.65


@pytest.mark.skipif(not POLITENESS.exists(), reason="the published data are not part of the repository")
def test_politeness_replays_the_published_archive(encoder: Path, tmp_path: Path) -> None:
    settings = [f"model.name={encoder}", "data=politeness", f"data.root={POLITENESS}", "model.max_steps=2", "rounds=2"]
    train(tmp_path, *settings, "run_dir=run")
    first, second = read_csv(tmp_path / "run" / "rounds.csv")
    assert (first["num_annotations"], first["num_examples"], second["num_annotations"]) == ("200", "100", "225")
    assert {row["label"] for row in purchases(tmp_path / "run")} == {"0", "1"}


@pytest.mark.parametrize("consensus", ["majority_vote", "dawid_skene"])
def test_consensus_on_the_command_line_wins_over_the_strategys(consensus: str, tiny: list[str], tmp_path: Path) -> None:
    train(tmp_path, *tiny, "strategy=activelab", f"consensus={consensus}", "rounds=3", "run_dir=run")
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["consensus"]["name"] == consensus
    assert len(purchases(tmp_path / "run")) == 14


def test_a_run_that_has_nothing_left_to_buy_ends_and_says_so(tiny: list[str], tmp_path: Path) -> None:
    settings = [*tiny, "strategy=random", "annotations_per_round=50", "max_annotations_per_example=2", "run_dir=run"]
    done = train(tmp_path, *settings)
    assert "Nothing is left to buy" in done.stdout
    bought = [int(row["num_annotations"]) for row in read_csv(tmp_path / "run" / "rounds.csv")]
    assert 3 <= len(bought) < 25
    assert bought == sorted(set(bought))
    before = (tmp_path / "run" / "annotations.csv").read_bytes()
    (tmp_path / "run" / "next_batch.csv").unlink()
    train(tmp_path, *settings)
    assert (tmp_path / "run" / "annotations.csv").read_bytes() == before
    assert len(read_csv(tmp_path / "run" / "rounds.csv")) == len(bought)


def test_a_cap_below_the_initial_annotations_buys_new_examples_only(tiny: list[str], tmp_path: Path) -> None:
    train(tmp_path, *tiny, "strategy=entropy", "max_annotations_per_example=1", "rounds=3", "run_dir=run")
    ledger = read_csv(tmp_path / "run" / "annotations.csv")
    initial = {row["example_id"] for row in ledger if row["round"] == "0"}
    bought = [row["example_id"] for row in ledger if row["round"] != "0"]
    assert len(bought) == 14
    assert len(set(bought) - initial) == 14


def test_the_assignment_policies_ask_different_people(tiny: list[str], tmp_path: Path) -> None:
    ledgers = []
    for assignment in ("existing_first", "random", "best_quality"):
        train(tmp_path, *tiny, "strategy=random", f"assignment={assignment}", "rounds=3", f"run_dir={assignment}")
        ledgers.append([row["annotator_id"] for row in purchases(tmp_path / assignment)])
    assert ledgers[0] != ledgers[1] != ledgers[2] != ledgers[0]


def test_rounds_are_the_same_whether_or_not_more_follow(tiny: list[str], tmp_path: Path) -> None:
    for rounds in (2, 4):
        train(tmp_path, *tiny, f"rounds={rounds}", f"run_dir={rounds}")
    short, long = (rounds_without_seconds(tmp_path / rounds) for rounds in ("2", "4"))
    assert long[:2] == short
    assert np.isfinite([float(row["test_log_loss"]) for row in long]).all()
