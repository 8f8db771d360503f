"""A user's own folder becomes a corpus, or one line says what is wrong with it."""

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alab.corpora import files
from alab.corpora.corpus import Corpus

Folder = Callable[..., str]
Message = Callable[..., str]

EXAMPLES = "id,text,split,label\ne1,good,pool,\ne2,bad,pool,0\ne3,fine,test,1\n"
ANNOTATIONS = "example_id,annotator_id,label,initial\ne2,bob,0,yes\ne1,ann,1,yes\ne1,bob,1,no\ne2,ann,1,no\n"
"""Rows 2 to 5."""


def load(root: str, **options: Any) -> Corpus:
    settings: dict[str, Any] = {"simulate": False, "initial_examples": 1, "initial_annotations": 1, "seed": 0}
    return files.load(root=root, **(settings | options))


def without_initial(annotations: str) -> str:
    return "".join(line.rpartition(",")[0] + "\n" for line in annotations.splitlines())


BAD_EXAMPLES = {
    "no id column": (EXAMPLES.replace("id,", "name,"), "row 1: missing column id; found: 'name', 'text'"),
    "two columns missing": ("id\ne1\n", "row 1: missing column text, split"),
    "nothing at all": ("", "row 1: missing column id, text, split; found: none"),
    "no rows": ("id,text,split\n", "no example has split pool"),
    "no pool rows": (EXAMPLES.replace(",pool,", ",test,1"), "no example has split pool"),
    "id twice": (EXAMPLES.replace("e2,", "e1,"), "row 3, column id: 'e1' stands there twice"),
    "id twice but for a space": (EXAMPLES.replace("e2,", "e1 ,"), "row 3, column id: 'e1' stands there twice"),
    "empty id": (EXAMPLES.replace("e2,", ","), "row 3, column id: it is empty"),
    "blank id": (EXAMPLES.replace("e2,", " ,"), "row 3, column id: it is empty"),
    "line break in id": (EXAMPLES.replace("e2,", '"e\n2",'), "row 3, column id: 'e\\n2' has a line break"),
    "tab in id": (EXAMPLES.replace("e2,", "e\t2,"), "row 3, column id: 'e\\t2' has a line break or control"),
    "line separator in id": (EXAMPLES.replace("e2,", "e\u20282,"), "row 3, column id: 'e\\u20282' has a line break"),
    "empty text": (EXAMPLES.replace("bad", ""), "row 3, column text: it is empty"),
    "blank text": (EXAMPLES.replace("bad", '" \n "'), "row 3, column text: it is empty"),
    "unknown split": (EXAMPLES.replace("bad,pool", "bad,train"), "row 3, column split: 'train' is unknown"),
    "empty split": (EXAMPLES.replace("bad,pool", "bad,"), "row 3, column split: '' is unknown; expected pool or test"),
    "test row without label": (EXAMPLES.replace("test,1", "test,"), "row 4, column label: it is empty"),
    "test row without label column": (without_initial(EXAMPLES), "row 4, column label: it is empty"),
    "label never annotated": (EXAMPLES.replace("test,1", "test,2"), "row 4, column label: no annotation says '2'"),
    "too many fields": (EXAMPLES.replace("bad", "bad,worse"), "row 3: 5 fields, expected 4"),
}
BAD_ANNOTATIONS = {
    "no label column": (ANNOTATIONS.replace("label", "vote"), "row 1: missing column label; found: 'example_id'"),
    "no rows": ("example_id,annotator_id,label\n", "no annotation of a pool example"),
    "test examples only": ("example_id,annotator_id,label\ne3,ann,1\n", "no annotation of a pool example"),
    "unknown example": (ANNOTATIONS.replace("e1,bob", "e9,bob"), "row 4, column example_id: 'e9' is not in examples"),
    "empty example": (ANNOTATIONS.replace("e1,bob", ",bob"), "row 4, column example_id: it is empty"),
    "empty annotator": (ANNOTATIONS.replace("e1,bob", "e1,"), "row 4, column annotator_id: it is empty"),
    "line break in annotator": (
        ANNOTATIONS.replace("e1,bob", 'e1,"b\nob"'),
        "row 4, column annotator_id: 'b\\nob' has a line break",
    ),
    "empty label": (ANNOTATIONS.replace("e1,bob,1", "e1,bob,"), "row 4, column label: it is empty"),
    "line break in label": (ANNOTATIONS.replace("e1,bob,1", 'e1,bob,"1\n2"'), "row 4, column label: '1\\n2' has a"),
    "annotator twice on one example": (
        ANNOTATIONS.replace("e1,bob", "e1,ann"),
        "row 4, column annotator_id: 'ann' has annotated 'e1' already, in row 3",
    ),
    "one class": (ANNOTATIONS.replace(",0,", ",1,"), "every annotation says '1'"),
    "initial all false": (ANNOTATIONS.replace("yes", "no"), "no initial annotations"),
    "initial all empty": (ANNOTATIONS.replace("yes", "").replace("no\n", "\n"), "no initial annotations"),
    "unreadable initial": (
        ANNOTATIONS.replace("e1,bob,1,no", "e1,bob,1,maybe"),
        "row 4, column initial: 'maybe' is unknown; expected true or false",
    ),
}


@pytest.mark.parametrize(("content", "what"), BAD_EXAMPLES.values(), ids=BAD_EXAMPLES)
def test_a_fault_in_examples_is_named(content: str, what: str, folder: Folder, message_of: Message) -> None:
    root = folder({"examples.csv": content, "annotations.csv": ANNOTATIONS})
    message = message_of(load, root)
    assert message.startswith(f"{root}/examples.csv")
    assert what in message


@pytest.mark.parametrize(("content", "what"), BAD_ANNOTATIONS.values(), ids=BAD_ANNOTATIONS)
def test_a_fault_in_annotations_is_named(content: str, what: str, folder: Folder, message_of: Message) -> None:
    root = folder({"examples.csv": EXAMPLES, "annotations.csv": content})
    message = message_of(load, root)
    assert message.startswith(f"{root}/annotations.csv")
    assert what in message


def test_a_nested_value_in_a_column_that_is_used_is_named(folder: Folder, message_of: Message) -> None:
    lines = '{"example_id": "e1", "annotator_id": "ann", "label": ["1"]}\n'
    root = folder({"examples.csv": EXAMPLES, "annotations.jsonl": lines})
    assert f"{root}/annotations.jsonl, row 1, column label: expected a text" in message_of(load, root)


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ([], "no examples file there; expected one of examples.csv, examples.jsonl, examples.parquet"),
        (["examples.csv"], "no annotations file there"),
        (["examples.csv", "examples.jsonl", "annotations.csv"], "examples.csv and examples.jsonl are both there"),
        (["examples.csv", "annotations.csv", "annotations.parquet"], "annotations.csv and annotations.parquet are"),
    ],
)
def test_each_file_must_be_there_once(names: list[str], what: str, folder: Folder, message_of: Message) -> None:
    root = folder(dict.fromkeys(names, EXAMPLES))
    message = message_of(load, root)
    assert message.startswith(f"data.root={root}: ")
    assert what in message


@pytest.mark.parametrize("name", ["missing", "file.csv"])
def test_a_root_that_is_no_folder_is_named(name: str, folder: Folder, message_of: Message) -> None:
    root = folder({"file.csv": EXAMPLES})
    assert message_of(load, f"{root}/{name}") == f"data.root={root}/{name}: no such folder"


@pytest.fixture
def corpus(folder: Folder) -> Corpus:
    return load(folder({"examples.csv": EXAMPLES, "annotations.csv": ANNOTATIONS}))


def test_rows_are_split_into_pool_and_test(corpus: Corpus) -> None:
    assert corpus.pool.to_dict() == {"id": ["e1", "e2"], "text": ["good", "bad"], "label": ["", "0"]}
    assert corpus.test.to_dict() == {"id": ["e3"], "text": ["fine"], "label": ["1"]}


def test_initial_says_what_was_there_at_the_start(corpus: Corpus) -> None:
    assert corpus.decode(corpus.initial) == [("e2", "bob", "0"), ("e1", "ann", "1")]


def test_the_archive_keeps_the_order_of_the_file(corpus: Corpus) -> None:
    assert corpus.decode(corpus.archive) == [("e1", "bob", "1"), ("e2", "ann", "1")]


def test_without_initial_every_annotation_counts_as_bought(folder: Folder) -> None:
    corpus = load(folder({"examples.csv": EXAMPLES, "annotations.csv": without_initial(ANNOTATIONS)}))
    assert (len(corpus.initial), len(corpus.archive)) == (4, 0)


@pytest.mark.parametrize("yes", ["1", "1.0", "true", "TRUE", "True", " yes "])
@pytest.mark.parametrize("no", ["0", "0.0", "false", "FALSE", "no", ""])
def test_initial_may_be_written_in_many_ways(yes: str, no: str, folder: Folder) -> None:
    content = ANNOTATIONS.replace("yes", yes).replace("no\n", no + "\n")
    corpus = load(folder({"examples.csv": EXAMPLES, "annotations.csv": content}))
    assert (len(corpus.initial), len(corpus.archive)) == (2, 2)


def test_a_test_set_is_not_needed(folder: Folder) -> None:
    corpus = load(
        folder({"examples.csv": "id,text,split\ne1,good,pool\ne2,bad,pool\n", "annotations.csv": ANNOTATIONS})
    )
    assert len(corpus.test) == len(corpus.test_labels) == 0


def test_annotations_of_test_examples_are_left_out_with_a_note(folder: Folder) -> None:
    content = ANNOTATIONS + "e3,ann,1,yes\ne3,eve,7,no\n"
    corpus = load(folder({"examples.csv": EXAMPLES, "annotations.csv": content}))
    assert corpus.notes == ("2 annotations of test examples are not used",)
    assert (corpus.annotators, corpus.classes) == (["bob", "ann"], ["0", "1"])


def test_floats_in_one_file_are_the_integers_of_the_other(folder: Folder) -> None:
    content = ANNOTATIONS.replace(",0,", ",0.0,").replace(",1,", ",1.0,")
    corpus = load(folder({"examples.csv": EXAMPLES, "annotations.csv": content}))
    assert corpus.classes == ["0", "1"]
    assert corpus.test_labels.tolist() == [1]


def annotated(*labels: str) -> dict[str, str]:
    rows = [f"e1,ann{i},{label}\n" for i, label in enumerate(labels)]
    return {
        "examples.csv": f"id,text,split,label\ne1,one,pool,\nt1,two,test,{labels[0]}\n",
        "annotations.csv": "example_id,annotator_id,label\n" + "".join(rows),
    }


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "2", "1"], ["1", "2", "10"]),
        (["spam", "ham", "eggs"], ["eggs", "ham", "spam"]),
        (["NA", "None", "null", "nan"], ["NA", "None", "nan", "null"]),
        (["tr\u00e8s\u00a0bon", "bon"], ["bon", "tr\u00e8s\u00a0bon"]),
        (["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f468\u200d\U0001f469"], None),
        (["9007199254740993", "9007199254740992"], ["9007199254740992", "9007199254740993"]),
        (["9" * 400, "1"], ["1", "9" * 400]),
    ],
    ids=["numbers", "words", "words for nothing", "no-break space", "joiners", "large numbers", "long code"],
)
def test_labels_may_be_any_words_or_numbers(labels: list[str], classes: list[str] | None, folder: Folder) -> None:
    assert load(folder(annotated(*labels))).classes == (classes or sorted(labels))


def test_ids_may_be_integers_where_the_format_has_them(folder: Folder) -> None:
    examples = "".join(json.dumps({"id": i, "text": "x", "split": "pool"}) + "\n" for i in (1, 2))
    file = io.BytesIO()
    columns = {"example_id": [1, 2], "annotator_id": [7, 8], "label": [0, 1], "initial": [True, False]}
    pq.write_table(pa.table(columns), file)
    corpus = load(folder({"examples.jsonl": examples, "annotations.parquet": file.getvalue()}))
    assert corpus.decode(corpus.initial) == [("1", "7", "0")]
    assert corpus.decode(corpus.archive) == [("2", "8", "1")]


SIMULATED = {
    "examples.csv": "id,text,split\n" + "".join(f"e{i},text {i},pool\n" for i in range(9)),
    "annotations.csv": "example_id,annotator_id,label,initial\n"
    + "".join(f"e{i},ann{j},{(i + j) % 2},yes\n" for j in range(4) for i in range(9)),
}


def test_a_simulation_holds_back_all_but_the_first_draw(folder: Folder) -> None:
    root = folder(SIMULATED)
    everything = load(root)
    corpus = load(root, simulate=True, initial_examples=3, initial_annotations=2)
    initial, archive = corpus.decode(corpus.initial), corpus.decode(corpus.archive)
    assert (len(initial), len({example for example, *_ in initial})) == (6, 3)
    assert archive == [row for row in everything.decode(everything.initial) if row not in initial]


def test_a_simulation_starts_from_what_its_seed_draws(folder: Folder) -> None:
    root = folder(SIMULATED)
    draws = [load(root, simulate=True, initial_examples=3, initial_annotations=2, seed=seed) for seed in (1, 1, 2)]
    first, again, other = (corpus.decode(corpus.initial) for corpus in draws)
    assert first == again
    assert first != other


def test_a_simulation_that_asks_for_too_much_names_the_setting(folder: Folder, message_of: Message) -> None:
    message = message_of(load, folder(SIMULATED), simulate=True, initial_examples=10)
    assert "data.initial_examples=10: only 9 examples" in message
