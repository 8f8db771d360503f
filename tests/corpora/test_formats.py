"""Whatever is in a user's folder, in whichever format: the same corpus, or one line that says what is wrong."""

from collections.abc import Callable
from typing import Any

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alab.corpora import files
from alab.corpora.corpus import Corpus

Record = dict[str, str]
Written = Callable[[str, list[Record]], bytes]
Project = tuple[list[Record], list[Record]]

EXAMPLES = b"id,text,split,label\ne1,good,pool,\ne2,bad,pool,0\ne3,fine,test,1\n"
ANNOTATIONS = b"example_id,annotator_id,label,initial\ne2,bob,0,yes\ne1,ann,1,yes\ne1,bob,1,no\n"

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=5).filter(
    lambda name: name == name.strip()
)
WORDS = NAMES.filter(lambda name: not name[-1].isdigit())
TEXTS = st.text(min_size=1, max_size=20).filter(str.strip)


def load(ending: str, examples: bytes, annotations: bytes) -> Corpus:
    """Load two files that are held in memory."""
    memory = fsspec.filesystem("memory")
    memory.pipe({f"/{ending}/examples.{ending}": examples, f"/{ending}/annotations.{ending}": annotations})
    return files.load(root=f"memory://{ending}", simulate=False, initial_examples=1, initial_annotations=1, seed=0)


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """Examples and annotations without a fault: at least two classes, and something to start from."""
    classes = draw(st.lists(WORDS, min_size=2, max_size=4, unique=True))
    ids = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    annotators = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    pool = ids[: draw(st.integers(1, len(ids)))]
    examples = [
        {
            "id": id,
            "text": draw(TEXTS),
            "split": "pool" if id in pool else "test",
            "label": draw(st.sampled_from(classes[:2])),
        }
        for id in ids
    ]
    pairs = st.tuples(st.sampled_from(pool), st.sampled_from(annotators))
    said = draw(st.dictionaries(pairs, st.sampled_from(classes)))
    said |= {(ids[0], annotators[0]): classes[0], (ids[0], annotators[1]): classes[1]}
    annotations = [
        {
            "example_id": id,
            "annotator_id": annotator,
            "label": label,
            "initial": "true" if id == ids[0] else draw(st.sampled_from(["true", "false", ""])),
        }
        for (id, annotator), label in said.items()
    ]
    return examples, draw(st.permutations(annotations))


def rows(annotations: list[Record], *, initial: bool) -> list[tuple[str, ...]]:
    return [
        (row["example_id"], row["annotator_id"], row["label"])
        for row in annotations
        if (row["initial"] == "true") == initial
    ]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@settings(max_examples=60, deadline=None)
@given(project=projects())
def test_a_project_comes_back_as_it_was_written(ending: str, written: Written, project: Project) -> None:
    examples, annotations = project
    corpus = load(ending, written(ending, examples), written(ending, annotations))
    for split, name in ((corpus.pool, "pool"), (corpus.test, "test")):
        expected = [row for row in examples if row["split"] == name]
        assert split.to_dict() == {column: [row[column] for row in expected] for column in ("id", "text", "label")}
    assert corpus.decode(corpus.initial) == rows(annotations, initial=True)
    assert corpus.decode(corpus.archive) == rows(annotations, initial=False)
    assert corpus.classes == sorted({row["label"] for row in annotations})


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """A good file of which a few bytes are replaced, dropped or put in."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(start + 3, len(content))))
        content = (
            content[:start] + draw(st.binary(max_size=3) | st.sampled_from([b",", b'"', b"\n", b"1"])) + content[end:]
        )
    return content


@settings(max_examples=150, deadline=None)
@given(examples=damaged(EXAMPLES), annotations=damaged(ANNOTATIONS))
def test_a_damaged_project_is_read_or_explained(
    accepts_or_explains: Callable[..., None], examples: bytes, annotations: bytes
) -> None:
    accepts_or_explains(load, "csv", examples, ANNOTATIONS)
    accepts_or_explains(load, "csv", EXAMPLES, annotations)


VALUES: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(["a"])


@settings(max_examples=100, deadline=None)
@given(value=VALUES, column=st.sampled_from(["example_id", "annotator_id", "label", "initial", "more"]))
def test_any_json_value_in_any_column_is_read_or_explained(
    accepts_or_explains: Callable[..., None], written: Written, value: object, column: str
) -> None:
    good: list[dict[str, Any]] = [
        {"example_id": "e1", "annotator_id": "ann", "label": "yes", "initial": True},
        {"example_id": "e2", "annotator_id": "ann", "label": "no", "initial": True},
        {"example_id": "e2", "annotator_id": "bob", "label": "no", "initial": True},
    ]
    examples: list[Record] = [{"id": id, "text": "a text", "split": "pool"} for id in ("e1", "e2")]
    for broken in (good[0] | {column: value}, good[2] | {column: value}):
        accepts_or_explains(load, "jsonl", written("jsonl", examples), written("jsonl", [*good[:2], broken]))
