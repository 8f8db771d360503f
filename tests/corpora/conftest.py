"""What the corpus tests share: folders to load from, and a check of the messages that users get."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alab.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., str]:
    """Write files, given as name and content, into a fresh folder and return its path."""

    def write(files: dict[str, str | bytes]) -> str:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(tmp_path)

    return write


@pytest.fixture(scope="session")
def message_of() -> Callable[..., str]:
    """Call a function that must refuse its input, and return its message, which must be one line."""

    def call(function: Callable[..., object], *args: object, **options: object) -> str:
        with pytest.raises(UserError) as caught:
            function(*args, **options)
        message = str(caught.value)
        assert len(message.splitlines()) == 1
        return message

    return call


@pytest.fixture(scope="session")
def accepts_or_explains() -> Callable[..., None]:
    """Call a function on input that may be anything: it may refuse it, but only in one line."""

    def call(function: Callable[..., object], *args: object, **options: object) -> None:
        message = "read without a fault"
        try:
            function(*args, **options)
        except UserError as error:
            message = str(error)
        assert len(message.splitlines()) == 1

    return call


@pytest.fixture(scope="session")
def npy() -> Callable[[bytes], bytes]:
    """Put a pickle behind the header of a .npy file that holds a single object."""

    def wrap(pickled: bytes) -> bytes:
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        return file.getvalue() + pickled

    return wrap


@pytest.fixture(scope="session")
def saved() -> Callable[[object], bytes]:
    """Return the .npy file that NumPy writes for a single object."""

    def save(content: object) -> bytes:
        array = np.empty((), dtype=object)
        array[()] = content
        file = io.BytesIO()
        np.save(file, array)
        return file.getvalue()

    return save


@pytest.fixture(scope="session")
def written() -> Callable[[str, list[dict[str, Any]]], bytes]:
    """Write records, all with the same keys, in the format that a file's ending stands for."""

    def write(ending: str, records: list[dict[str, Any]]) -> bytes:
        if ending == "jsonl":
            return "".join(json.dumps(record) + "\n" for record in records).encode()
        if ending == "parquet":
            binary = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(records), binary)
            return binary.getvalue()
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
        return text.getvalue().encode()

    return write
