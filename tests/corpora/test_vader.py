"""The embedded corpus is what the lexicon's raters said."""

import ast
from collections import Counter
from importlib import resources
from typing import Any

import numpy as np
import pydantic
import pytest

from alab.corpora import vader
from alab.corpora.corpus import Corpus, Row
from alab.errors import UserError

DEFAULTS: dict[str, Any] = {"initial_examples": 100, "initial_annotations": 2, "max_error_rate": 0.0, "seed": 0}


def load(**options: Any) -> Corpus:
    return vader.load(**(DEFAULTS | options))


def rows(corpus: Corpus) -> list[Row]:
    return [*corpus.decode(corpus.initial), *corpus.decode(corpus.archive)]


def truth(corpus: Corpus) -> dict[str, str]:
    return dict(zip(corpus.pool["id"], corpus.pool["label"], strict=True))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load()


@pytest.fixture(scope="module")
def lexicon() -> dict[str, list[int]]:
    """The ten ratings of each token, read on our own; no token that the corpus uses stands there twice."""
    content = (resources.files("vaderSentiment") / "vader_lexicon.txt").read_bytes().decode()
    lines = [line.split("\t") for line in content.split("\n") if line]
    assert len(lines) == 7_520
    return {fields[0].strip(): ast.literal_eval(fields[3]) for fields in lines}


def test_sizes_are_those_of_the_task(corpus: Corpus) -> None:
    assert (len(corpus.pool), len(corpus.test)) == (1_500, 700)
    assert len(corpus.annotators) == 10


def test_a_hundred_examples_start_with_two_annotations_each(corpus: Corpus) -> None:
    _, counts = np.unique(corpus.initial.example, return_counts=True)
    assert counts.tolist() == [2] * 100


def test_pool_and_test_set_share_no_text(corpus: Corpus) -> None:
    texts = [*corpus.pool["text"], *corpus.test["text"]]
    assert len(set(texts)) == len(texts)


def test_ids_are_unique(corpus: Corpus) -> None:
    ids = [*corpus.pool["id"], *corpus.test["id"]]
    assert len(set(ids)) == len(ids)


def test_every_text_is_a_token_of_the_lexicon(corpus: Corpus, lexicon: dict[str, list[int]]) -> None:
    assert {*corpus.pool["text"], *corpus.test["text"]} <= set(lexicon)


def test_true_label_is_the_sign_of_the_mean_rating(corpus: Corpus, lexicon: dict[str, list[int]]) -> None:
    for split in (corpus.pool, corpus.test):
        for text, label in zip(split["text"], split["label"], strict=True):
            assert label == ("1" if sum(lexicon[text]) > 0 else "0"), text


def test_examples_near_zero_are_left_out(corpus: Corpus, lexicon: dict[str, list[int]]) -> None:
    assert min(abs(sum(lexicon[text])) for text in [*corpus.pool["text"], *corpus.test["text"]]) == 3


def test_annotations_are_the_signs_of_all_ratings_but_zeros(corpus: Corpus, lexicon: dict[str, list[int]]) -> None:
    text_of = dict(zip(corpus.pool["id"], corpus.pool["text"], strict=True))
    said = {(text_of[example], annotator): label for example, annotator, label in rows(corpus)}
    expected = {
        (text, f"rater{rater}"): "1" if rating > 0 else "0"
        for text in corpus.pool["text"]
        for rater, rating in enumerate(lexicon[text])
        if rating != 0
    }
    assert said == expected


def test_nothing_is_both_there_at_the_start_and_in_the_archive(corpus: Corpus) -> None:
    assert max(Counter((example, annotator) for example, annotator, _ in rows(corpus)).values()) == 1


def test_the_same_seed_gives_the_same_corpus(corpus: Corpus) -> None:
    again = load()
    assert again.pool.to_dict() == corpus.pool.to_dict()
    assert again.test.to_dict() == corpus.test.to_dict()
    assert again.decode(again.initial) == corpus.decode(corpus.initial)
    assert again.decode(again.archive) == corpus.decode(corpus.archive)


def test_another_seed_draws_another_pool(corpus: Corpus) -> None:
    assert set(load(seed=1).pool["id"]) != set(corpus.pool["id"])


def test_the_start_does_not_change_which_examples_are_drawn(corpus: Corpus) -> None:
    other = load(initial_examples=7, initial_annotations=3)
    assert other.pool["id"][:] == corpus.pool["id"][:]
    assert other.test["id"][:] == corpus.test["id"][:]


def test_errors_do_not_change_which_annotations_there_are(corpus: Corpus) -> None:
    noisy = load(max_error_rate=0.5)
    assert [row[:2] for row in noisy.decode(noisy.initial)] == [row[:2] for row in corpus.decode(corpus.initial)]
    assert [row[:2] for row in noisy.decode(noisy.archive)] == [row[:2] for row in corpus.decode(corpus.archive)]


def test_errors_do_not_change_the_true_labels(corpus: Corpus) -> None:
    assert truth(load(max_error_rate=0.5)) == truth(corpus)


def test_a_higher_error_rate_makes_annotators_disagree_more_with_the_truth() -> None:
    def disagreement(rate: float) -> float:
        corpus = load(max_error_rate=rate)
        label_of = truth(corpus)
        return float(np.mean([label != label_of[example] for example, _, label in rows(corpus)]))

    none, some, most = map(disagreement, (0.0, 0.3, 0.8))
    assert none < 0.1
    assert none + 0.05 < some < most - 0.05


def test_each_rater_has_an_error_rate_of_their_own(corpus: Corpus) -> None:
    noisy = load(max_error_rate=0.6)
    changed: dict[str, list[bool]] = {}
    for (_, annotator, before), (_, _, after) in zip(rows(corpus), rows(noisy), strict=True):
        changed.setdefault(annotator, []).append(before != after)
    rates = [float(np.mean(flips)) for flips in changed.values()]
    assert max(rates) < 0.65
    assert max(rates) - min(rates) > 0.1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("initial_examples", 0),
        ("initial_examples", "many"),
        ("initial_annotations", 0),
        ("initial_annotations", 1.5),
        ("max_error_rate", -0.1),
        ("max_error_rate", 1.1),
        ("max_error_rate", float("nan")),
        ("seed", -1),
        ("seeds", 1),
    ],
)
def test_a_bad_option_is_named(option: str, value: object) -> None:
    with pytest.raises(pydantic.ValidationError, match=option):
        load(**{option: value})


@pytest.mark.parametrize("options", [{"initial_examples": 1_501}, {"initial_annotations": 11}])
def test_a_start_that_the_lexicon_cannot_fill_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(UserError, match=r"data\.initial_examples=\d+: only \d+ examples"):
        load(**options)
