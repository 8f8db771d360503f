"""The ledger: what was written is what is read, whatever moment the writer died at."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alab.errors import UserError
from alab.ledger import COLUMNS, Entry, Ledger

HEADER = "round,example_id,annotator_id,label,score\n"

INITIAL = [Entry(0, "e1", "a1", "yes", None), Entry(0, "e2", "a1", "no", None)]

PURCHASES = [
    Entry(1, 'says "hi", twice', "Zoë", "yes", 0.1 + 0.2),
    Entry(1, "😀,\t'", "名前", '"', -1e-17),
    Entry(1, "e1", "a2", "no", 1.0),
]

names = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=8)
entries = st.builds(
    Entry, st.just(1), names, names, names, st.none() | st.floats(allow_nan=False, allow_infinity=False)
)


def written(path: Path, *appends: list[Entry]) -> Ledger:
    """Return a new ledger at `path` after the given appends."""
    ledger = Ledger(path)
    for purchases in appends:
        ledger.append(purchases)
    return ledger


@given(st.lists(entries, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_entries_are_read_as_they_were_written(entries: list[Entry]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "annotations.csv"
        written(path, entries)
        assert Ledger(path).entries == entries


def test_the_file_is_the_csv_that_people_expect(tmp_path: Path) -> None:
    written(tmp_path / "l.csv", INITIAL[:1], [Entry(1, "a,b", "a1", "no", 0.25)])
    assert (tmp_path / "l.csv").read_text() == f'{HEADER}0,e1,a1,yes,\n1,"a,b",a1,no,0.25\n'


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=60, deadline=None)
def test_scores_keep_every_bit(score: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder) / "l.csv", [Entry(1, "e", "a", "x", score)])
        (entry,) = Ledger(Path(folder) / "l.csv").entries
        assert entry.score is not None
        assert entry.score.hex() == score.hex()


def test_initial_annotations_have_no_score(tmp_path: Path) -> None:
    written(tmp_path / "l.csv", INITIAL)
    assert [entry.score for entry in Ledger(tmp_path / "l.csv").entries] == [None, None]


def test_a_ledger_without_a_file_is_empty(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.csv")
    assert ledger.entries == []
    assert ledger.last_round == -1


def test_opening_a_ledger_writes_nothing(tmp_path: Path) -> None:
    Ledger(tmp_path / "l.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_first_append_leaves_no_other_file_behind(tmp_path: Path) -> None:
    written(tmp_path / "l.csv", INITIAL)
    assert [path.name for path in tmp_path.iterdir()] == ["l.csv"]


def test_appending_never_changes_what_is_there(tmp_path: Path) -> None:
    ledger = written(tmp_path / "l.csv", INITIAL)
    before = (tmp_path / "l.csv").read_bytes()
    ledger.append(PURCHASES)
    assert (tmp_path / "l.csv").read_bytes().startswith(before)


def test_a_reopened_ledger_goes_on_as_one_that_was_never_closed(tmp_path: Path) -> None:
    written(tmp_path / "once.csv", INITIAL, PURCHASES)
    written(tmp_path / "twice.csv", INITIAL)
    written(tmp_path / "twice.csv", PURCHASES)
    assert (tmp_path / "twice.csv").read_bytes() == (tmp_path / "once.csv").read_bytes()


def test_appending_shows_at_once_in_the_open_ledger(tmp_path: Path) -> None:
    ledger = written(tmp_path / "l.csv", INITIAL, PURCHASES)
    assert ledger.entries == INITIAL + PURCHASES


def test_a_round_is_read_in_the_order_of_purchase(tmp_path: Path) -> None:
    ledger = written(tmp_path / "l.csv", INITIAL, PURCHASES, [Entry(2, "e2", "a2", "no", 0.5)])
    assert ledger.of_round(1) == PURCHASES


@pytest.mark.parametrize(("appends", "last"), [([INITIAL], 0), ([INITIAL, PURCHASES], 1)])
def test_the_last_round_is_the_last_that_bought(tmp_path: Path, appends: list[list[Entry]], last: int) -> None:
    assert written(tmp_path / "l.csv", *appends).last_round == last


def test_buying_nothing_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    ledger = written(tmp_path / "l.csv", INITIAL)
    before = (tmp_path / "l.csv").read_bytes()
    ledger.append([])
    assert (tmp_path / "l.csv").read_bytes() == before


def test_a_torn_append_keeps_its_whole_lines_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    ledger = written(path, INITIAL)
    start = path.stat().st_size
    ledger.append(PURCHASES)
    content = path.read_bytes()
    for cut in range(start, len(content) + 1):
        path.write_bytes(content[:cut])
        num_whole = content[start:cut].count(b"\n")
        assert Ledger(path).entries == INITIAL + PURCHASES[:num_whole]
        assert path.read_bytes() == content[: content.rfind(b"\n", 0, cut) + 1]


def test_a_torn_append_can_be_completed_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    ledger = written(path, INITIAL)
    start = path.stat().st_size
    ledger.append(PURCHASES)
    content = path.read_bytes()
    for cut in range(start, len(content)):
        path.write_bytes(content[:cut])
        torn = Ledger(path)
        torn.append(PURCHASES[len(torn.of_round(1)) :])
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    "line",
    [
        b"1,e3,a1,yes",
        b"1,e3,a1,yes,0.5,more",
        b"one,e3,a1,yes,0.5",
        b"1,e3,a1,yes,high",
        b'1,"e3,a1,yes,0.5',
        b'1,"e3"x,a1,yes,0.5',
        b"1,\xff,a1,yes,0.5",
        b"",
    ],
)
def test_a_line_that_is_no_entry_is_named_by_file_and_row(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(HEADER.encode() + b"0,e1,a1,yes,\n" + line + b"\n1,e2,a1,no,0.5\n")
    with pytest.raises(UserError) as error:
        Ledger(path)
    assert f"{path}, row 3:" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("line", [b"one,e3,a1,yes,0.5", b'1,"e3,a1,yes,0.5'])
def test_a_file_that_cannot_be_read_is_not_changed(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(HEADER.encode() + line + b"\n1,e2,a1,no,0.5\n")
    before = path.read_bytes()
    with pytest.raises(UserError):
        Ledger(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("header", [b"", b"example_id,annotator_id,label\n", b"\xff\xfer\x00o\x00\n"])
def test_a_file_that_is_no_ledger_is_named_with_the_columns_it_lacks(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(header)
    with pytest.raises(UserError) as error:
        Ledger(path)
    assert f"{path}, row 1: expected the columns {','.join(COLUMNS)}" in str(error.value)
    assert "\n" not in str(error.value)


def test_line_ends_of_other_systems_are_read(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    written(path, INITIAL)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert Ledger(path).entries == INITIAL


def test_rounds_never_go_back(tmp_path: Path) -> None:
    ledger = written(tmp_path / "l.csv", INITIAL, [Entry(2, "e1", "a2", "yes", 0.5)])
    with pytest.raises(AssertionError):
        ledger.append([Entry(1, "e2", "a2", "yes", 0.5)])


@pytest.mark.parametrize(
    "entry",
    [Entry(0, "e\n1", "a1", "yes", None), Entry(0, "e1", "a\r1", "yes", None), Entry(0, "e1", "a1", "yes\n", None)],
)
def test_a_name_with_a_line_break_is_refused_and_nothing_written(tmp_path: Path, entry: Entry) -> None:
    with pytest.raises(UserError):
        Ledger(tmp_path / "l.csv").append([entry])
    assert list(tmp_path.iterdir()) == []
