"""Tables from CSV, JSON Lines or Parquet, as text cells that know which row they came from."""

import csv
import io
import json
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import fsspec
import pyarrow.parquet as pq

from alab.errors import UserError

csv.field_size_limit(sys.maxsize)

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
BREAKS = ("Cc", "Zl", "Zp")
"""Unicode categories of control characters and line breaks."""


@dataclass(frozen=True)
class Table:
    """Text cells by column. A cell that the source leaves out is the empty string.

    Attributes:
        name: the file, as messages name it.
        columns: column name to its cells.
        rows: the number of each row in the file. A CSV's header is row 1, as in a spreadsheet; JSON Lines and Parquet
            count from 1.
        found: the names of all columns of the file, read or not.
    """

    name: str
    columns: dict[str, list[str]]
    rows: list[int]
    found: list[str]

    def __len__(self) -> int:
        return len(self.rows)

    def fault(self, index: int, column: str, what: str) -> UserError:
        """Describe what is wrong in one cell: the file, the row, the column, what was found and expected."""
        return UserError(f"{self.name}, row {self.rows[index]}, column {column}: {what}")

    def require(self, columns: Sequence[str]) -> None:
        """Check that all of `columns` are there.

        Raises:
            UserError: naming those that are missing and those that were found.
        """
        missing = [column for column in columns if column not in self.columns]
        if missing:
            found = ", ".join(map(repr, self.found[:12])) or "none"
            raise UserError(f"{self.name}, row 1: missing column {', '.join(missing)}; found: {found}")

    def strip(self, *columns: str) -> None:
        """Drop white space around the cells of those of `columns` that are there."""
        for column in columns:
            if column in self.columns:
                self.columns[column] = [cell.strip() for cell in self.columns[column]]

    def check_ids(self, column: str) -> None:
        """Check that every cell of a column names something, and each something else.

        Raises:
            UserError: at the first that does not.
        """
        seen: set[str] = set()
        for index, cell in enumerate(self.columns[column]):
            self.check_name(index, column)
            if cell in seen:
                raise self.fault(index, column, f"{cell!r} stands there twice; expected a new id for each example")
            seen.add(cell)

    def check_name(self, index: int, column: str) -> None:
        """Check that a cell can name something: it is not empty and stands on one line.

        Raises:
            UserError: if it is not so.
        """
        cell = self.columns[column][index]
        if not cell:
            raise self.fault(index, column, "it is empty; expected a value")
        if any(unicodedata.category(character) in BREAKS for character in cell):
            raise self.fault(index, column, f"{cell!r} has a line break or control character; expected one line")


def fetch(path: str) -> bytes:
    """Read a whole file from a local path or any fsspec URL.

    Raises:
        UserError: if it cannot be read.
    """
    try:
        with fsspec.open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except Exception as error:  # every file system behind a URL has errors of its own
        raise UserError(f"{path}: cannot be read ({_one_line(error)})") from error


def read_csv(path: str, used: Collection[str] | None = None) -> Table:
    """Read the columns `used`, or all, of comma-separated values with a header, in UTF-8. Blank lines are skipped."""
    content = _decode(path)
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    header: list[str] = []
    records: list[list[str]] = []
    rows: list[int] = []
    row = 0
    try:
        for row, record in enumerate(reader, start=1):
            if not header:
                header = [name.strip() for name in record]
            elif record:
                if len(record) != len(header):
                    raise UserError(f"{path}, row {row}: {len(record)} fields, expected {len(header)} as in the header")
                records.append(record)
                rows.append(row)
    except csv.Error as error:
        raise UserError(f"{path}, row {row + 1}: not valid CSV ({error})") from error
    wanted = set(header if used is None else used)
    repeated = {name for name in header if name in wanted and header.count(name) > 1}
    if repeated:
        raise UserError(f"{path}, row 1: column {min(repeated)!r} stands there twice")
    columns = {name: [record[i] for record in records] for i, name in enumerate(header) if name in wanted}
    return Table(path, columns, rows, header)


def read_json_lines(path: str, used: Collection[str] | None = None) -> Table:
    """Read the members `used`, or all, of one JSON object a line, in UTF-8. Blank lines are skipped."""
    records: list[dict[str, object]] = []
    rows: list[int] = []
    for row, line in enumerate(_decode(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}, row {row}: not valid JSON ({_one_line(error)})") from error
        if not isinstance(record, dict):
            raise UserError(f"{path}, row {row}: expected a JSON object, got {type(record).__name__}")
        records.append(record)
        rows.append(row)
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = {
        name: _to_text(path, rows, name, (record.get(name) for record in records))
        for name in names
        if used is None or name in used
    }
    return Table(path, columns, rows, names)


def read_parquet(path: str, used: Collection[str] | None = None) -> Table:
    """Read the columns `used`, or all, of a Parquet file."""
    file = io.BytesIO(fetch(path))
    try:
        content = pq.read_table(file)
        rows = list(range(1, content.num_rows + 1))
        columns = {
            name: _to_text(path, rows, name, column.to_pylist())
            for name, column in zip(content.column_names, content.columns, strict=True)
            if used is None or name in used
        }
    except UserError:
        raise
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{path}: not a valid Parquet file ({_one_line(error)})") from error
    return Table(path, columns, rows, content.column_names)


READERS: dict[str, Callable[[str, Collection[str] | None], Table]] = {
    "csv": read_csv,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
}


def read_any(root: str, stem: str, used: Collection[str] | None = None) -> Table:
    """Read `stem` from a folder or fsspec URL, in whichever one of the three formats is there.

    Args:
        root: the folder or URL.
        stem: the file's name without its ending.
        used: the columns to read, all by default; the others may hold anything.

    Raises:
        UserError: if none is there, or more than one.
    """
    try:
        system, folder = fsspec.url_to_fs(root)
        if not system.isdir(folder):
            raise UserError(f"data.root={root}: no such folder")
    except UserError:
        raise
    except Exception as error:  # every file system behind a URL has errors of its own
        raise UserError(f"data.root={root}: cannot be read ({_one_line(error)})") from error
    found = [ending for ending in READERS if system.isfile(f"{folder}/{stem}.{ending}")]
    expected = ", ".join(f"{stem}.{ending}" for ending in READERS)
    if not found:
        raise UserError(f"data.root={root}: no {stem} file there; expected one of {expected}")
    if len(found) > 1:
        names = " and ".join(f"{stem}.{ending}" for ending in found)
        raise UserError(f"data.root={root}: {names} are both there; expected only one of {expected}")
    return READERS[found[0]](f"{root.rstrip('/')}/{stem}.{found[0]}", used)


def _decode(path: str) -> str:
    try:
        return fetch(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not valid UTF-8 at byte {error.start}; save it as UTF-8") from error


def _to_text(path: str, rows: list[int], column: str, values: Iterable[object]) -> list[str]:
    """Write JSON and Parquet values as a CSV would hold them; integers that became floats as integers."""
    cells = []
    for row, value in zip(rows, values, strict=True):
        where = f"{path}, row {row}, column {_one_line(column)}"
        if value is None or (isinstance(value, float) and math.isnan(value)):
            cells.append("")
        elif isinstance(value, bool):
            cells.append(str(value).lower())
        elif isinstance(value, float) and value.is_integer():
            cells.append(str(int(value)))
        elif isinstance(value, str) and LONE_SURROGATE.search(value):
            raise UserError(f"{where}: half of a surrogate pair in {value!r:.60}; expected valid Unicode")
        elif isinstance(value, str | int | float):
            cells.append(str(value))
        else:
            raise UserError(f"{where}: expected a text or a number, got {type(value).__name__}")
    return cells


def _one_line(what: BaseException | str) -> str:
    return " ".join(str(what).split()) or type(what).__name__
