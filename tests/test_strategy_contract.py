"""What every query strategy promises; a new yaml in configs/strategy is picked up by itself."""

from collections import Counter
from pathlib import Path

import pytest
import yaml
from process import REPOSITORY, Row, purchases, read_csv, train

STRATEGIES = sorted(path.stem for path in (REPOSITORY / "configs" / "strategy").glob("*.yaml"))
ROUNDS, PER_ROUND, CAP = 4, 7, 3

Ledgers = dict[tuple[str, str, int], Path]


@pytest.fixture(scope="module")
def run_dirs(tmp_path_factory: pytest.TempPathFactory, tiny: list[str]) -> Ledgers:
    """The run folders of a sweep over every strategy and two seeds, and of the first seed again elsewhere."""
    settings = [*tiny, f"rounds={ROUNDS}", f"max_annotations_per_example={CAP}"]
    found: Ledgers = {}
    for name, seeds in (("first", "0,1"), ("again", "0")):
        folder = tmp_path_factory.mktemp(name)
        train(folder, "-m", f"strategy={','.join(STRATEGIES)}", f"seed={seeds}", *settings)
        for path in folder.rglob("config.yaml"):
            config = yaml.safe_load(path.read_text())
            found[name, config["strategy"]["name"], config["seed"]] = path.parent
    assert len(found) == 3 * len(STRATEGIES)
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_buys_the_right_number_of_distinct_examples_every_round(run_dirs: Ledgers, strategy: str) -> None:
    bought = purchases(run_dirs["first", strategy, 0])
    assert Counter(row["round"] for row in bought) == {str(r): PER_ROUND for r in range(1, ROUNDS)}
    assert len({(row["round"], row["example_id"]) for row in bought}) == len(bought)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_buys_the_best_scores_first(run_dirs: Ledgers, strategy: str) -> None:
    for round in range(1, ROUNDS):
        bought = purchases(run_dirs["first", strategy, 0])
        scores = [float(row["score"]) for row in bought if row["round"] == str(round)]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_keeps_the_cap_and_asks_nobody_twice(run_dirs: Ledgers, strategy: str) -> None:
    ledger = read_csv(run_dirs["first", strategy, 0] / "annotations.csv")
    assert max(Counter(row["example_id"] for row in ledger).values()) <= CAP
    assert len({(row["example_id"], row["annotator_id"]) for row in ledger}) == len(ledger)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_buys_only_what_the_archive_holds(run_dirs: Ledgers, strategy: str, corpus: Path) -> None:
    archive = {_key(row) for row in read_csv(corpus / "annotations.csv") if row["initial"] == "false"}
    assert {_key(row) for row in purchases(run_dirs["first", strategy, 0])} <= archive


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_is_a_function_of_the_seed(run_dirs: Ledgers, strategy: str) -> None:
    first, again, other = (
        (run_dirs[name, strategy, seed] / "annotations.csv").read_bytes()
        for name, seed in (("first", 0), ("again", 0), ("first", 1))
    )
    assert first == again
    assert first != other


def test_all_strategies_share_the_first_round(run_dirs: Ledgers) -> None:
    accuracies = {
        read_csv(run_dirs["first", strategy, 0] / "rounds.csv")[0]["test_log_loss"] for strategy in STRATEGIES
    }
    assert len(accuracies) == 1


def _key(row: Row) -> tuple[str, str, str]:
    return row["example_id"], row["annotator_id"], row["label"]
