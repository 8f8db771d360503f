"""A corpus turns names into indices and back, and what starts a simulation is drawn by seed."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alab.corpora.corpus import Corpus, Row, canonical_labels, hold_back, texts

POOL = texts(["e1", "e2"], ["good", "bad"], ["", ""])
TEST = texts(["e3", "e4"], ["fine", "awful"], ["yes", "no"])
INITIAL = [("e2", "bob", "no"), ("e1", "ann", "yes")]
ARCHIVE = [("e2", "ann", "yes"), ("e1", "cat", "no"), ("e1", "bob", "yes")]
NAMES = st.text(min_size=1, max_size=4)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus.build(POOL, TEST, INITIAL, ARCHIVE, ["a note"])


def test_annotators_are_numbered_as_they_come(corpus: Corpus) -> None:
    assert corpus.annotators == ["bob", "ann", "cat"]
    assert corpus.initial.annotator.tolist() == [0, 1]


def test_classes_are_indexed_in_their_order(corpus: Corpus) -> None:
    assert corpus.classes == ["no", "yes"]
    assert corpus.initial.label.tolist() == [0, 1]


def test_examples_are_indexed_in_the_order_of_the_pool(corpus: Corpus) -> None:
    assert corpus.initial.example.tolist() == [1, 0]


def test_test_labels_are_class_indices(corpus: Corpus) -> None:
    assert corpus.test_labels.tolist() == [1, 0]


def test_the_archive_keeps_its_order(corpus: Corpus) -> None:
    assert corpus.decode(corpus.archive) == ARCHIVE


def test_encoding_undoes_decoding(corpus: Corpus) -> None:
    encoded = corpus.encode(ARCHIVE)
    assert encoded.example.tolist() == corpus.archive.example.tolist()
    assert encoded.annotator.tolist() == corpus.archive.annotator.tolist()
    assert encoded.label.tolist() == corpus.archive.label.tolist()


@pytest.mark.parametrize("row", [("e3", "ann", "yes"), ("e1", "di\nd", "yes"), ("e1", "ann", "maybe")])
def test_encoding_names_what_it_does_not_know(row: Row, corpus: Corpus, message_of: Callable[..., str]) -> None:
    stranger = next(name for name in row if name in ("e3", "di\nd", "maybe"))
    assert repr(stranger) in message_of(corpus.encode, [row])


def test_a_corpus_without_initial_annotations_is_refused(message_of: Callable[..., str]) -> None:
    assert "no initial annotations" in message_of(Corpus.build, POOL, TEST, [], ARCHIVE)


def test_a_corpus_of_one_class_is_refused(message_of: Callable[..., str]) -> None:
    assert "every annotation says 'yes'" in message_of(Corpus.build, POOL, TEST, [INITIAL[1]], [ARCHIVE[0]])


def test_a_class_that_only_the_archive_shows_counts() -> None:
    assert Corpus.build(POOL, TEST, [INITIAL[1]], [ARCHIVE[1]]).classes == ["no", "yes"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10", "2", "-1"], ["-1", "2", "10"]),
        (["10", "2", "x"], ["10", "2", "x"]),
        (["b", "B", "a"], ["B", "a", "b"]),
        (["1" * 30, "2"], ["1" * 30, "2"]),
    ],
    ids=["numbers by value", "mixed by character", "strings by character", "long codes by character"],
)
def test_classes_are_in_a_natural_order(labels: list[str], expected: list[str]) -> None:
    rows = [("e1", f"ann{i}", label) for i, label in enumerate(labels)]
    assert Corpus.build(POOL, POOL, rows, []).classes == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"1", "1.0", "0.00", "-2"}, {"1": "1", "1.0": "1", "0.00": "0", "-2": "-2"}),
        ({"1", "1.0", "x"}, {"1": "1", "1.0": "1.0", "x": "x"}),
        ({"1", "1.5"}, {"1": "1", "1.5": "1.5"}),
        ({"NA", "None", "null"}, {"NA": "NA", "None": "None", "null": "null"}),
        ({"1e3", "1"}, {"1e3": "1e3", "1": "1"}),
        (set(), {}),
    ],
)
def test_labels_are_made_plain_only_if_all_are_integers(labels: set[str], expected: dict[str, str]) -> None:
    assert canonical_labels(labels) == expected


@settings(deadline=None)
@given(st.sets(st.integers().map(str), min_size=1))
def test_different_integers_never_become_one_label(labels: set[str]) -> None:
    assert set(canonical_labels(labels).values()) == labels


@pytest.mark.parametrize("label", ["9007199254740993", "9" * 400, "9" * 5_000])
def test_a_long_code_is_a_label_like_any_other(label: str) -> None:
    assert canonical_labels({label, "1"}) == {label: label, "1": "1"}


def draw(examples: list[str], num_examples: int, num_annotations: int, seed: int = 0) -> list[bool]:
    drawn: list[bool] = hold_back(examples, num_examples, num_annotations, np.random.default_rng(seed)).tolist()
    return drawn


@settings(deadline=None)
@given(st.lists(NAMES, max_size=30), st.integers(1, 3), st.integers(0, 2**32))
def test_a_draw_has_exactly_what_was_asked_for(examples: list[str], per_example: int, seed: int) -> None:
    enough = sum(examples.count(example) >= per_example for example in set(examples))
    initial = draw(examples, enough, per_example, seed)
    drawn = [example for example, at_start in zip(examples, initial, strict=True) if at_start]
    assert len(initial) == len(examples)
    assert len(set(drawn)) == enough
    assert all(drawn.count(example) == per_example for example in drawn)


def test_a_draw_depends_on_its_generator_alone() -> None:
    examples = [f"e{i % 20}" for i in range(80)]
    assert draw(examples, 5, 2, seed=1) == draw(examples, 5, 2, seed=1)
    assert draw(examples, 5, 2, seed=1) != draw(examples, 5, 2, seed=2)


def test_a_draw_reaches_every_annotation() -> None:
    examples = ["e1", "e2", "e1", "e2", "e1"]
    reached = np.any([draw(examples, 1, 1, seed) for seed in range(60)], axis=0)
    assert reached.all()


def test_a_draw_of_more_than_there_is_names_both_settings(message_of: Callable[..., str]) -> None:
    message = message_of(draw, ["e1", "e1", "e2"], 2, 2)
    assert message.startswith("data.initial_examples=2: only 1 examples have data.initial_annotations=2")
