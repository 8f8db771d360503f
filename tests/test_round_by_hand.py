"""One round replayed by hand, from nothing but the files that runs leave, on a pool of six examples."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from cleanlab.multiannotator import get_active_learning_scores, get_label_quality_multiannotator
from process import read_csv, train

IDS = ["a", "b", "c", "d", "e", "f"]
TEXTS = ["great fine day", "awful rude note", "kind lovely thing", "bad cold word", "fine page", "rude talk"]
INITIAL = [("a", "ann", "yes"), ("a", "bob", "yes"), ("b", "bob", "no"), ("b", "cat", "yes"), ("b", "ann", "no")]
INITIAL += [("c", "ann", "yes"), ("d", "bob", "no"), ("d", "cat", "no")]
ARCHIVE = [("f", "dan", "no"), ("a", "dan", "no"), ("a", "cat", "yes"), ("e", "dan", "yes"), ("e", "bob", "yes")]
ARCHIVE += [("c", "cat", "yes"), ("c", "bob", "no"), ("f", "eve", "yes"), ("d", "dan", "no")]
ANNOTATORS = ["ann", "bob", "cat", "dan", "eve"]
CAP, PER_ROUND = 3, 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, encoder: Path) -> Path:
    """A run of one round, which ends with the predictions of round 1, and the same run with a second round."""
    folder = tmp_path_factory.mktemp("by_hand")
    with (folder / "examples.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["id", "text", "split"], *((i, t, "pool") for i, t in zip(IDS, TEXTS, strict=True))]
        )
    with (folder / "annotations.csv").open("w", newline="") as file:
        rows = [(*row, "yes") for row in INITIAL] + [(*row, "no") for row in ARCHIVE]
        csv.writer(file).writerows([["example_id", "annotator_id", "label", "initial"], *rows])
    settings = [f"model.name={encoder}", "data=files", f"data.root={folder}", "model.max_steps=20"]
    settings += [f"max_annotations_per_example={CAP}", f"annotations_per_round={PER_ROUND}"]
    for rounds in (1, 2):
        train(folder, *settings, f"rounds={rounds}", f"run_dir={rounds}")
    return folder


def test_scores_are_activelabs_on_the_initial_annotations(folder: Path) -> None:
    scores = _scores(_matrix(INITIAL), _pred_probs(folder / "1"))
    bought = read_csv(folder / "2" / "annotations.csv")[len(INITIAL) :]
    assert [float(row["score"]) for row in bought] == pytest.approx(
        [scores[IDS.index(r["example_id"])] for r in bought]
    )


def test_buys_the_best_of_those_below_the_cap_that_the_archive_can_answer(folder: Path) -> None:
    scores = _scores(_matrix(INITIAL), _pred_probs(folder / "1"))
    eligible = [i for i in IDS if i != "b"]  # b has three annotations already
    best_first = sorted(eligible, key=lambda i: -scores[IDS.index(i)])
    bought = read_csv(folder / "2" / "annotations.csv")[len(INITIAL) :]
    assert [row["example_id"] for row in bought] == best_first[:PER_ROUND]


def test_asks_the_first_in_the_archive_who_is_known_already(folder: Path) -> None:
    expected = {"a": {("cat", "yes")}, "c": {("cat", "yes")}, "e": {("bob", "yes")}}
    # Nobody in the pool can answer d or f, so anyone in the archive may be asked.
    expected |= {"d": {("dan", "no")}, "f": {("dan", "no"), ("eve", "yes")}}
    for row in read_csv(folder / "2" / "annotations.csv")[len(INITIAL) :]:
        assert (row["annotator_id"], row["label"]) in expected[row["example_id"]]


def test_the_final_consensus_is_crowdlabs_on_all_that_was_bought(folder: Path) -> None:
    ledger = [(r["example_id"], r["annotator_id"], r["label"]) for r in read_csv(folder / "2" / "annotations.csv")]
    labels = _matrix(ledger)
    annotated, present = ~np.isnan(labels).all(axis=1), ~np.isnan(labels).all(axis=0)
    expected = get_label_quality_multiannotator(
        labels[annotated][:, present], _pred_probs(folder / "2")[annotated], calibrate_probs=True, verbose=False
    )["label_quality"]
    written = read_csv(folder / "2" / "consensus.csv")
    assert [row["example_id"] for row in written] == [i for i, a in zip(IDS, annotated, strict=True) if a]
    assert [("no", "yes").index(row["label"]) for row in written] == expected["consensus_label"].tolist()
    assert [float(row["quality"]) for row in written] == pytest.approx(expected["consensus_quality_score"], rel=1e-5)
    assert [int(row["num_annotations"]) for row in written] == expected["num_annotations"].tolist()


def test_without_a_test_set_only_its_columns_are_empty(folder: Path) -> None:
    for row in read_csv(folder / "2" / "rounds.csv"):
        empty = {column for column, cell in row.items() if not cell}
        assert empty == {column for column in row if column.startswith("test_")} | {"consensus_accuracy"}


def test_what_to_do_next_comes_from_the_last_round(folder: Path) -> None:
    ledger = [(r["example_id"], r["annotator_id"], r["label"]) for r in read_csv(folder / "2" / "annotations.csv")]
    labels = _matrix(ledger)
    scores = _scores(labels, _pred_probs(folder / "2"))
    counts = (~np.isnan(labels)).sum(axis=1)
    open_ids = sorted((i for i in IDS if counts[IDS.index(i)] < CAP), key=lambda i: -scores[IDS.index(i)])
    written = read_csv(folder / "2" / "next_batch.csv")
    assert [row["example_id"] for row in written] == open_ids[:PER_ROUND]
    assert [float(row["score"]) for row in written] == pytest.approx(
        [scores[IDS.index(i)] for i in open_ids[:PER_ROUND]], rel=1e-5
    )


def _matrix(rows: list[tuple[str, str, str]]) -> np.ndarray:
    labels = np.full((len(IDS), len(ANNOTATORS)), np.nan)
    for example, annotator, label in rows:
        labels[IDS.index(example), ANNOTATORS.index(annotator)] = ("no", "yes").index(label)
    return labels


def _pred_probs(run_dir: Path) -> np.ndarray:
    checkpoint = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)
    (probs,) = checkpoint["MultiAnnotatorDataModule"]["ensemble_probs"].numpy()
    assert probs.sum(axis=1) == pytest.approx(1)
    return probs


def _scores(labels: np.ndarray, pred_probs: np.ndarray) -> np.ndarray:
    annotated, present = ~np.isnan(labels).all(axis=1), ~np.isnan(labels).all(axis=0)
    scores = np.empty(len(labels))
    quality = get_active_learning_scores(
        labels[annotated][:, present],
        pred_probs[annotated],
        pred_probs[~annotated] if not annotated.all() else None,
    )
    scores[annotated], scores[~annotated] = 1 - quality[0], 1 - quality[1]
    return scores
