"""Labelling for real: no archive, no test set, no true labels; people answer what `next_batch.csv` asks."""

import csv
from pathlib import Path

import pytest
from process import purchases, read_csv, train
from tiny import ANNOTATORS, write_corpus


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose annotations are all that people have made so far."""
    folder = tmp_path / "my_project"
    folder.mkdir()
    write_corpus(folder, num_pool=30, num_test=0, archive=False)
    return folder


def test_a_batch_is_labelled_and_the_next_one_asked_for(project: Path, tmp_path: Path, encoder: Path) -> None:
    arguments = [f"model.name={encoder}", "data=files", f"data.root={project}", "annotations_per_round=5"]
    arguments += ["model.max_steps=5", "assignment=best_quality"]
    done = train(tmp_path, *arguments, "run_dir=one")
    assert "next_batch.csv" in done.stdout
    first = tmp_path / "one"
    assert [row["round"] for row in read_csv(first / "rounds.csv")] == ["1"]
    assert not purchases(first)
    batch = read_csv(first / "next_batch.csv")
    assert len({row["example_id"] for row in batch}) == 5
    said = {(row["example_id"], row["annotator_id"]) for row in read_csv(project / "annotations.csv")}
    assert all(row["ask"] in ANNOTATORS and (row["example_id"], row["ask"]) not in said for row in batch)

    with (project / "annotations.csv").open("a", newline="") as file:
        csv.writer(file).writerows([row["example_id"], row["ask"], "yes"] for row in batch)
    train(tmp_path, *arguments, "run_dir=two")
    counts = [int(read_csv(tmp_path / run / "rounds.csv")[0]["num_annotations"]) for run in ("one", "two")]
    assert counts[1] == counts[0] + 5
    assert read_csv(tmp_path / "two" / "next_batch.csv") != batch


def test_everything_a_budget_owner_wants_is_there(project: Path, tmp_path: Path, encoder: Path) -> None:
    train(tmp_path, f"model.name={encoder}", "data=files", f"data.root={project}", "model.max_steps=5", "run_dir=run")
    labels = read_csv(tmp_path / "run" / "consensus.csv")
    assert {row["example_id"] for row in labels} == {row["example_id"] for row in read_csv(project / "annotations.csv")}
    assert all(row["label"] in ("yes", "no") and 0 <= float(row["quality"]) <= 1 and row["text"] for row in labels)
    annotators = read_csv(tmp_path / "run" / "annotators.csv")
    assert {row["annotator_id"] for row in annotators} == set(ANNOTATORS)
    assert sum(int(row["num_annotations"]) for row in annotators) == len(read_csv(project / "annotations.csv"))
    assert (tmp_path / "run" / "learning_curve.png").read_bytes().startswith(b"\x89PNG")


def test_two_people_and_three_labels_are_enough_to_begin(tmp_path: Path, encoder: Path) -> None:
    (tmp_path / "examples.csv").write_text("id,text,split\n1,great day,pool\n2,bad note,pool\n3,fine word,pool\n")
    (tmp_path / "annotations.csv").write_text("example_id,annotator_id,label\n1,ann,good\n2,ann,bad\n2,bob,ugly\n")
    arguments = [f"model.name={encoder}", "data=files", f"data.root={tmp_path}", "model.max_steps=2", "run_dir=run"]
    done = train(tmp_path, *arguments)
    assert "nan" not in done.stdout
    assert {row["example_id"] for row in read_csv(tmp_path / "run" / "next_batch.csv")} == {"1", "2", "3"}
    for name in ("rounds", "consensus", "annotators", "next_batch"):
        assert "nan" not in (tmp_path / "run" / f"{name}.csv").read_text()
