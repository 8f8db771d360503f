"""The three table formats are read alike, and their faults are named."""

import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alab.corpora.tables import READERS, Table, read_any, read_csv, read_json_lines, read_parquet

Folder = Callable[..., str]
Message = Callable[..., str]
Record = dict[str, str]


def as_parquet(records: list[Any]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), file)
    return file.getvalue()


RECORDS = st.lists(
    st.fixed_dictionaries({"id": st.text(min_size=1), "text": st.text(), "more": st.text()}), min_size=1, max_size=5
)


def read_bytes(ending: str, content: bytes) -> Table:
    path = f"memory://tables/table.{ending}"
    fsspec.filesystem("memory").pipe("/tables/table." + ending, content)
    return READERS[ending](path, None)


@pytest.mark.parametrize("ending", READERS)
@settings(deadline=None)
@given(records=RECORDS)
def test_any_text_survives_in_every_format(
    ending: str, written: Callable[[str, list[Record]], bytes], records: list[Record]
) -> None:
    table = read_bytes(ending, written(ending, records))
    assert table.columns == {name: [record[name] for record in records] for name in ("id", "text", "more")}


@pytest.mark.parametrize("ending", READERS)
@settings(deadline=None)
@given(content=st.binary(max_size=100) | st.text('",\\{}[]: \r\n\ufeff\x00abE19.-').map(str.encode))
def test_arbitrary_bytes_are_read_or_explained(
    ending: str, accepts_or_explains: Callable[..., None], content: bytes
) -> None:
    accepts_or_explains(read_bytes, ending, content)


@settings(deadline=None)
@given(st.data())
def test_a_damaged_parquet_file_is_read_or_explained(
    accepts_or_explains: Callable[..., None], data: st.DataObject
) -> None:
    content = as_parquet([{"id": "a", "text": "one"}, {"id": "b", "text": "two"}])
    position = data.draw(st.integers(0, len(content) - 1))
    accepts_or_explains(read_bytes, "parquet", content[:position])
    damaged = content[:position] + data.draw(st.binary(min_size=1, max_size=1)) + content[position + 1 :]
    accepts_or_explains(read_bytes, "parquet", damaged)


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (b"\xef\xbb\xbfid,text\na,one\n", ["one"]),
        (b"id,text\r\na,one\r\nb,two\r\n", ["one", "two"]),
        (b"id,text\ra,one\rb,two", ["one", "two"]),
        (b"\n\nid,text\n\na,one\n\n", ["one"]),
        (b'id,text\na,"one\n\ntwo, ""three"""\n', ['one\n\ntwo, "three"']),
        (b" id , text \na, one \n", [" one "]),
        (b"id,text\na,\n", [""]),
        (b"id,text\n", []),
        ("id,text\na,\u00e9\u2028\U0001f600\n".encode(), ["\u00e9\u2028\U0001f600"]),
    ],
    ids=["BOM", "CRLF", "CR", "blank lines", "quoted line breaks", "spaced header", "empty", "no rows", "Unicode"],
)
def test_csv_in_the_wild_is_read(content: bytes, cells: list[str], folder: Folder) -> None:
    columns = read_csv(folder({"t.csv": content}) + "/t.csv").columns
    assert list(columns) == ["id", "text"]
    assert columns["text"] == cells


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("1", "1"),
        ("1.0", "1.0"),
        (" x ", " x "),
        (1, "1"),
        (1.0, "1"),
        (0.5, "0.5"),
        (10**20, "1" + "0" * 20),
        (True, "true"),
        (False, "false"),
        (None, ""),
        (float("nan"), ""),
        ("NaN", "NaN"),
        ("null", "null"),
    ],
    ids=repr,
)
def test_a_json_value_becomes_the_cell_that_a_csv_would_hold(value: object, cell: str, folder: Folder) -> None:
    root = folder({"t.jsonl": json.dumps({"label": value})})
    assert read_json_lines(root + "/t.jsonl").columns["label"] == [cell]


def test_a_member_that_a_json_line_leaves_out_is_empty(folder: Folder) -> None:
    root = folder({"t.jsonl": '{"a": "1"}\n\n \n{"b": "2"}\n'})
    table = read_json_lines(root + "/t.jsonl")
    assert table.columns == {"a": ["1", ""], "b": ["", "2"]}
    assert table.rows == [1, 4]


@pytest.mark.parametrize(
    "cells", [["a", None], pa.array(["a", None]).dictionary_encode()], ids=["plain", "categorical"]
)
def test_a_missing_parquet_value_is_empty(cells: Any, tmp_path: Path) -> None:
    pq.write_table(pa.table({"label": cells}), tmp_path / "t.parquet")
    assert read_parquet(str(tmp_path / "t.parquet")).columns["label"] == ["a", ""]


def test_integers_that_a_parquet_file_holds_as_floats_are_integers(tmp_path: Path) -> None:
    pq.write_table(pa.table({"label": [1.0, None, 12.0]}), tmp_path / "t.parquet")
    assert read_parquet(str(tmp_path / "t.parquet")).columns["label"] == ["1", "", "12"]


BAD_CSV = {
    "too few fields": (b"id,text\na,one\nb\n", "row 3: 1 fields, expected 2"),
    "too many fields": (b"id,text\na,one,two\n", "row 2: 3 fields, expected 2"),
    "count after a quoted line break": (b'id,text\na,"one\ntwo"\nb\n', "row 3: 1 fields"),
    "count after a blank line": (b"id,text\n\nb\n", "row 3: 1 fields"),
    "open quote": (b'id,text\na,"one\n', "row 2: not valid CSV"),
    "text after a quote": (b'id,text\na,"one"two\n', "row 2: not valid CSV"),
    "repeated column": (b"id,text,id\na,one,b\n", "row 1: column 'id' stands there twice"),
    "not UTF-8": (b"id,text\na,\xe9\n", "not valid UTF-8 at byte 10"),
    "UTF-16": ("id,text\na,one\n".encode("utf-16"), "not valid UTF-8 at byte 0"),
}
BAD_JSON_LINES = {
    "malformed": (b'{"id": "a"}\n{"id": \n', "row 2: not valid JSON"),
    "two on a line": (b'{"id": "a"} {"id": "b"}\n', "row 1: not valid JSON"),
    "array": (b'\n["a", "b"]\n', "row 2: expected a JSON object, got list"),
    "number": (b"1\n", "row 1: expected a JSON object, got int"),
    "nested list": (b'{"id": "a"}\n{"id": ["b"]}\n', "row 2, column id: expected a text or a number, got list"),
    "nested object": (b'{"id": {"b": 1}}\n', "row 1, column id: expected a text or a number, got dict"),
    "nested under a broken name": (b'{"i\\nd": []}\n', "row 1, column i d: expected a text or a number, got list"),
    "deep": (b"[" * 100_000, "row 1: not valid JSON"),
    "endless number": (b'{"id": ' + b"1" * 5_000 + b"}", "row 1: not valid JSON"),
    "half a surrogate pair": (b'{"id": "\\ud83d"}\n', "row 1, column id: half of a surrogate pair"),
    "not UTF-8": (b'{"id": "\xff"}\n', "not valid UTF-8 at byte 8"),
}
BAD_PARQUET = {
    "empty file": (b"", "not a valid Parquet file"),
    "a CSV": (b"id,text\na,one\n", "not a valid Parquet file"),
    "corrupt footer": (b"PAR1xxxxxxxxPAR1", "not a valid Parquet file"),
    "list": (as_parquet([{"id": ["a"]}]), "row 1, column id: expected a text or a number, got list"),
    "bytes": (as_parquet([{"id": b"a"}]), "row 1, column id: expected"),
    "date": (as_parquet([{"id": None}, {"id": date(2024, 1, 2)}]), "row 2, column id: expected a text or a number"),
}


@pytest.mark.parametrize(
    ("ending", "content", "what"),
    [
        pytest.param(ending, content, what, id=f"{ending}: {name}")
        for ending, cases in (("csv", BAD_CSV), ("jsonl", BAD_JSON_LINES), ("parquet", BAD_PARQUET))
        for name, (content, what) in cases.items()
    ],
)
def test_a_fault_is_named_with_file_and_place(
    ending: str, content: bytes, what: str, folder: Folder, message_of: Message
) -> None:
    path = folder({f"t.{ending}": content}) + f"/t.{ending}"
    message = message_of(READERS[ending], path, None)
    assert message.startswith(f"{path}")
    assert what in message


@pytest.mark.parametrize("ending", READERS)
def test_a_missing_file_is_named(ending: str, tmp_path: Path, message_of: Message) -> None:
    path = f"{tmp_path}/t.{ending}"
    assert message_of(READERS[ending], path, None) == f"{path}: no such file"


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        ("csv", b"id,,,\na,1,2,3\n"),
        ("jsonl", b'{"id": "a", "tags": ["x"], "meta": {"y": null}}\n'),
        ("parquet", as_parquet([{"id": "a", "vector": [0.5], "day": date(2024, 1, 2)}])),
    ],
)
def test_columns_that_are_not_used_may_hold_anything(ending: str, content: bytes, folder: Folder) -> None:
    root = folder({f"t.{ending}": content})
    assert read_any(root, "t", ["id", "label"]).columns == {"id": ["a"]}


def test_a_missing_column_is_named_beside_those_that_are_there(folder: Folder, message_of: Message) -> None:
    table = read_any(folder({"t.csv": '"i\nd",text\na,one\n'}), "t", ["id", "text"])
    assert message_of(table.require, ["id", "text"]).endswith("row 1: missing column id; found: 'i\\nd', 'text'")


def test_an_unknown_kind_of_url_is_named(message_of: Message) -> None:
    assert "nowhere://folder" in message_of(read_any, "nowhere://folder", "examples")
