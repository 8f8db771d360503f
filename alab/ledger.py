"""The ledger: every annotation bought, in an append-only file that is the whole truth about the pool."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from alab.atomic import replacing
from alab.errors import UserError

COLUMNS = ("round", "example_id", "annotator_id", "label", "score")


class Entry(NamedTuple):
    """One line of the ledger. Round 0 holds the initial annotations, whose score is None."""

    round: int
    example_id: str
    annotator_id: str
    label: str
    score: float | None


class Ledger:
    """`annotations.csv`: one line an annotation, written once, never changed.

    A round's purchases are one write, synced before `append` returns. A process that dies within it can only leave a
    torn last line, which the next `Ledger` on the same file drops.

    Args:
        path: the file; it need not exist yet.

    Raises:
        UserError: if a whole line of the file does not read as an entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        if path.exists():
            self._drop_torn_line()
            self.entries = self._read()

    @property
    def last_round(self) -> int:
        """The last round that bought anything; 0 if only the initial annotations are there, -1 if nothing is."""
        return self.entries[-1].round if self.entries else -1

    def of_round(self, round: int) -> list[Entry]:
        """Return what was bought at the end of `round`, in the order of purchase."""
        return [entry for entry in self.entries if entry.round == round]

    def append(self, entries: Iterable[Entry]) -> None:
        """Write the entries in one append and sync them to disk; the first append creates the file whole.

        Raises:
            UserError: if an id or a label holds a line break: a line that is torn there would look whole.
        """
        entries = list(entries)
        for name in (name for entry in entries for name in entry[1:4]):
            if "\n" in name or "\r" in name:
                raise UserError(f"{name!r}: a name of an example, an annotator or a label must be one line")
        assert all(entry.round >= self.last_round for entry in entries), "the ledger only ever grows"
        if self.entries:
            with self.path.open("ab", buffering=0) as file:
                _write_all(file.fileno(), _to_csv(entries))
                os.fsync(file.fileno())
        else:
            with replacing(self.path) as temporary:
                temporary.write_bytes(_to_csv([COLUMNS, *entries]))
        self.entries += entries

    def _drop_torn_line(self) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with self.path.open("r+b") as file:
                file.truncate(whole)
                os.fsync(file.fileno())

    def _read(self) -> list[Entry]:
        header, *lines = self.path.read_bytes().splitlines() or [b""]
        if header != ",".join(COLUMNS).encode():
            got = header.decode(errors="replace")
            raise UserError(f"{self.path}, row 1: expected the columns {','.join(COLUMNS)}, got {got}")
        entries: list[Entry] = []
        for number, line in enumerate(lines, start=2):
            try:
                (row,) = csv.reader([line.decode()], strict=True)
                round, example_id, annotator_id, label, score = row
                entries.append(Entry(int(round), example_id, annotator_id, label, float(score) if score else None))
            except (ValueError, csv.Error) as error:
                where = f"{self.path}, row {number}"
                raise UserError(f"{where}: not an entry of a ledger ({error}); expected {','.join(COLUMNS)}") from error
        return entries


def _to_csv(rows: Iterable[Iterable[object]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()


def _write_all(descriptor: int, content: bytes) -> None:
    """Write in one call where the system takes it whole; a short write (a disk filling up) is carried on."""
    while content:
        content = content[os.write(descriptor, content) :]
