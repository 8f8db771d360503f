"""The published files become a corpus, wherever they are, and nothing that is in them runs."""

import os
from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alab.corpora import politeness
from alab.corpora.corpus import Corpus

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "stanford-politeness"
ANSWERS = {"e2": {"cat": np.float64(0)}, "e3": {"ann": np.float64(1), "bob": np.float64(0)}}

Folder = Callable[..., str]
Files = dict[str, str | bytes]
Message = Callable[..., str]
Saved = Callable[[object], bytes]


@pytest.fixture(scope="session")
def small(saved: Saved) -> Files:
    """A corpus of the published layout: two annotated examples, one without annotations, two of the test set."""
    return {
        "X_labeled_full.csv": "id,text,ann,bob,cat\ne1,please,1.0,,1.0\ne2,no,0.0,1.0,\n",
        "X_unlabeled.csv": "id,text\ne3,perhaps\n",
        "test.csv": "text,ann,bob,label,id\nthanks,1.0,,1,t1\nwhy,,0.0,0,t2\n",
        "extra_annotations.npy": saved(ANSWERS),
    }


@pytest.fixture(scope="module")
def published() -> Corpus:
    if not PUBLISHED.is_dir():
        pytest.skip("the published files are not part of the repository")
    return politeness.load(root=str(PUBLISHED))


def test_a_small_corpus_is_read(small: Files, folder: Folder) -> None:
    corpus = politeness.load(root=folder(small))
    assert corpus.pool["id"][:] == ["e1", "e2", "e3"]
    assert corpus.pool["text"][:] == ["please", "no", "perhaps"]
    assert corpus.test["id"][:] == ["t1", "t2"]
    assert corpus.classes == ["0", "1"]
    assert corpus.test_labels.tolist() == [1, 0]


def test_annotator_columns_are_what_is_there_at_the_start(small: Files, folder: Folder) -> None:
    corpus = politeness.load(root=folder(small))
    assert corpus.decode(corpus.initial) == [
        ("e1", "ann", "1"),
        ("e1", "cat", "1"),
        ("e2", "ann", "0"),
        ("e2", "bob", "1"),
    ]


def test_the_archive_keeps_the_order_of_the_file(small: Files, folder: Folder) -> None:
    corpus = politeness.load(root=folder(small))
    assert corpus.decode(corpus.archive) == [("e2", "cat", "0"), ("e3", "ann", "1"), ("e3", "bob", "0")]


def test_true_labels_of_the_pool_are_not_known(small: Files, folder: Folder) -> None:
    assert set(politeness.load(root=folder(small)).pool["label"]) == {""}


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_url_gives_the_same_as_a_folder(slash: str, small: Files, folder: Folder) -> None:
    memory = fsspec.filesystem("memory")
    for name, content in small.items():
        memory.pipe(f"/polite/{name}", content if isinstance(content, bytes) else content.encode())
    remote, local = politeness.load(root=f"memory://polite{slash}"), politeness.load(root=folder(small))
    assert remote.pool.to_dict() == local.pool.to_dict()
    assert remote.test.to_dict() == local.test.to_dict()
    assert remote.decode(remote.initial) == local.decode(local.initial)
    assert remote.decode(remote.archive) == local.decode(local.archive)


@pytest.mark.parametrize("name", ["X_labeled_full.csv", "X_unlabeled.csv", "test.csv", "extra_annotations.npy"])
def test_a_missing_file_is_named(name: str, small: Files, folder: Folder, message_of: Message) -> None:
    root = folder({other: content for other, content in small.items() if other != name})
    assert message_of(politeness.load, root=root) == f"{root}/{name}: no such file"


class Marks:
    """An object that makes a folder when a pickle of it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.marker),)


def test_a_pickle_that_calls_something_is_refused_unrun(
    small: Files, saved: Saved, folder: Folder, tmp_path: Path, message_of: Message
) -> None:
    hostile = saved(ANSWERS | {"e1": {"ann": Marks(tmp_path / "marker")}})
    root = folder(small | {"extra_annotations.npy": hostile})
    assert message_of(politeness.load, root=root).startswith(f"{root}/extra_annotations.npy: ")
    assert not (tmp_path / "marker").exists()
    np.load(f"{root}/extra_annotations.npy", allow_pickle=True)
    assert (tmp_path / "marker").exists(), "the payload would not have run anywhere"


def test_a_truncated_archive_is_refused(small: Files, saved: Saved, folder: Folder, message_of: Message) -> None:
    root = folder(small | {"extra_annotations.npy": saved(ANSWERS)[:-20]})
    assert message_of(politeness.load, root=root).startswith(f"{root}/extra_annotations.npy: ")


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("X_labeled_full.csv", "id,words\ne1,please\n", "X_labeled_full.csv, row 1: missing column text"),
        ("X_unlabeled.csv", "a,b\n", "X_unlabeled.csv, row 1: missing column id, text"),
        ("test.csv", "id,text\nt1,thanks\n", "test.csv, row 1: missing column label"),
        ("test.csv", "id,text,label\nt1,thanks,2\n", "test.csv, row 2, column label: no annotation says '2'"),
        ("test.csv", "id,text,label\nt1,thanks,\n", "test.csv, row 2, column label: no annotation says ''"),
        ("X_unlabeled.csv", "id,text\ne3\n", "X_unlabeled.csv, row 2: 1 fields, expected 2"),
        ("X_unlabeled.csv", "id,text\ne4,perhaps\n", "extra_annotations.npy: example 'e3' stands in neither"),
        ("X_labeled_full.csv", "id,text,ann\ne1,a,\ne2,b,\n", "no initial annotations"),
        ("X_labeled_full.csv", 'id,text,ann\ne1,a,"1\n"\ne2,b,0\n', "test.csv, row 2, column label"),
    ],
)
def test_another_layout_is_named(
    name: str, content: str, what: str, small: Files, folder: Folder, message_of: Message
) -> None:
    assert what in message_of(politeness.load, root=folder(small | {name: content}))


@settings(deadline=None)
@given(
    name=st.sampled_from(["X_labeled_full.csv", "X_unlabeled.csv", "test.csv", "extra_annotations.npy"]),
    content=st.binary(max_size=40) | st.text('id,text\nlabel"e123.0 ').map(str.encode),
)
def test_any_file_is_read_or_explained(
    name: str, content: bytes, small: Files, accepts_or_explains: Callable[..., None]
) -> None:
    memory = fsspec.filesystem("memory")
    for file, good in (small | {name: content}).items():
        memory.pipe(f"/arbitrary/{file}", good if isinstance(good, bytes) else good.encode())
    accepts_or_explains(politeness.load, root="memory://arbitrary")


def test_the_published_corpus_has_its_published_sizes(published: Corpus) -> None:
    assert (len(published.pool), len(published.test), len(published.annotators)) == (1_500, 678, 219)
    assert (len(published.initial), len(published.archive)) == (200, 7_300)
    assert published.classes == ["0", "1"]


def test_the_published_start_is_two_annotations_of_the_first_hundred(published: Corpus) -> None:
    assert np.bincount(published.initial.example).tolist() == [2] * 100


def test_the_published_archive_has_three_or_five_annotations_of_each_example(published: Corpus) -> None:
    counts = np.bincount(published.archive.example)
    assert set(counts[:100]) == {3}
    assert set(counts[100:]) == {5}


def test_no_published_annotation_is_both_at_the_start_and_in_the_archive(published: Corpus) -> None:
    pairs = [row[:2] for row in published.decode(published.initial + published.archive)]
    assert len(set(pairs)) == len(pairs)


def test_published_annotations_are_those_of_the_files(published: Corpus) -> None:
    wide = pd.read_csv(PUBLISHED / "X_labeled_full.csv", index_col="id").drop(columns="text")
    answers = np.load(PUBLISHED / "extra_annotations.npy", allow_pickle=True).item()
    assert published.decode(published.initial) == [
        (id, annotator, str(int(label))) for (id, annotator), label in wide.stack().dropna().items()
    ]
    assert published.decode(published.archive) == [
        (id, annotator, str(int(label))) for id, given in answers.items() for annotator, label in given.items()
    ]


def test_published_test_labels_are_those_of_the_file(published: Corpus) -> None:
    table = pd.read_csv(PUBLISHED / "test.csv")
    assert published.test_labels.tolist() == table["label"].astype(int).tolist()
    assert published.test["text"][:] == table["text"].tolist()
