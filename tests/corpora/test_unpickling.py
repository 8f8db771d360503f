"""The reader of pickled answers admits what the published file holds, and runs nothing."""

import builtins
import copyreg
import io
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alab.corpora.unpickling import load_nested_dict

ANSWERS = {"e1": {"ann": np.float64(1), "bob": np.float64(0)}, "e2": {"ann": np.float64(0)}}
PLAIN = {"e1": {"ann": 1.0, "bob": 0.0}, "e2": {"ann": 0.0}}
EXTENSION = 0xF0

Wrap = Callable[[Any], bytes]


class Calls:
    """An object whose pickle calls a function when it is loaded."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def opcode_payload(opcode: str, command: str) -> bytes:
    text = command.encode()
    argument = b"X" + len(text).to_bytes(4, "little") + text
    return {
        "GLOBAL": b"cos\nsystem\n" + argument + b"\x85R.",
        "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93" + argument + b"\x85R.",
        "INST": b"(" + argument + b"ios\nsystem\n.",
        "OBJ": b"(cos\nsystem\n" + argument + b"o.",
        "EXT1": b"\x80\x02\x82" + bytes([EXTENSION]) + argument + b"\x85R.",
    }[opcode]


@pytest.fixture
def extension() -> Iterator[None]:
    """Register `os.system` in the way in which EXT opcodes find things."""
    copyreg.add_extension("os", "system", EXTENSION)
    yield
    copyreg.remove_extension("os", "system", EXTENSION)


@pytest.mark.parametrize("opcode", ["GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "EXT1"])
def test_an_opcode_that_calls_something_does_not_run(
    opcode: str, tmp_path: Path, extension: None, npy: Wrap, message_of: Callable[..., str]
) -> None:
    payload = opcode_payload(opcode, f"touch '{tmp_path}/marker'")
    assert "os.system" in message_of(load_nested_dict, npy(payload), "extra.npy")
    assert not (tmp_path / "marker").exists()
    pickle.loads(payload)
    assert (tmp_path / "marker").exists(), "the payload would not have run anywhere"


@pytest.mark.parametrize(
    "place",
    [
        lambda payload: payload,
        lambda payload: {"e1": payload},
        lambda payload: {"e1": {"ann": payload}},
        lambda payload: {"e1": {"ann": np.array([payload], dtype=object)}},
        lambda payload: {"e1": {"ann": [({"deep": payload},)]}},
    ],
    ids=["alone", "example", "label", "object array", "deep"],
)
@pytest.mark.parametrize("function", [eval, exec, builtins.open, os.mkdir], ids=lambda function: function.__name__)
def test_a_call_hidden_among_answers_does_not_run(
    place: Callable[[object], object],
    function: Callable[..., object],
    tmp_path: Path,
    saved: Wrap,
    message_of: Callable[..., str],
) -> None:
    marker = tmp_path / "marker"
    arguments = {
        eval: (f"open({str(marker)!r}, 'w')",),
        exec: (f"open({str(marker)!r}, 'w')",),
        open: (str(marker), "w"),
        os.mkdir: (str(marker),),
    }[function]
    content = saved(place(Calls(function, *arguments)))
    assert function.__name__ in message_of(load_nested_dict, content, "extra.npy")
    assert not marker.exists()


class Plain:
    """A class that an old pickle rebuilds through `copyreg`."""


@pytest.mark.parametrize("protocol", [0, 1])
def test_copyreg_is_not_called(protocol: int, npy: Wrap, message_of: Callable[..., str]) -> None:
    payload = pickle.dumps(Plain(), protocol)
    assert "_reconstructor" in message_of(load_nested_dict, npy(payload), "extra.npy")


@pytest.mark.parametrize("name", ["numpy.ndarray.tofile", "numpy.load", "numpy._core.multiarray.fromfile"])
def test_other_names_of_numpy_are_refused(name: str, npy: Wrap, message_of: Callable[..., str]) -> None:
    module, attribute = name.rsplit(".", 1)
    assert name in message_of(load_nested_dict, npy(f"c{module}\n{attribute}\n.".encode()), "extra.npy")


def test_a_dotted_name_does_not_reach_into_an_admitted_one(npy: Wrap, message_of: Callable[..., str]) -> None:
    payload = b"\x80\x04\x8c\x05numpy\x8c\x14dtype.__subclasses__\x93."
    assert "dtype.__subclasses__" in message_of(load_nested_dict, npy(payload), "extra.npy")


def test_a_pickle_cannot_change_how_the_next_file_is_read(
    npy: Wrap, saved: Wrap, message_of: Callable[..., str]
) -> None:
    nothing = b"}X\x0c\x00\x00\x00__setstate__Ns"
    for name in (b"numpy\nndarray", b"numpy\ndtype", b"numpy._core.multiarray\nscalar"):
        message_of(load_nested_dict, npy(b"c" + name + b"\nN" + nothing + b"\x86b."), "extra.npy")
    assert load_nested_dict(saved(ANSWERS), "extra.npy") == PLAIN


def test_a_huge_memo_index_is_refused_before_memory_is_taken_for_it(npy: Wrap, message_of: Callable[..., str]) -> None:
    assert "memo" in message_of(load_nested_dict, npy(b"\x80\x04Nr\x00\x00\x00\x02."), "extra.npy")


@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_pickles_of_both_numpy_generations_are_read(core: str, npy: Wrap) -> None:
    array = np.empty((), dtype=object)
    array[()] = ANSWERS
    pickled = pickle.dumps(array, protocol=3)
    assert b"cnumpy._core.multiarray\n" in pickled
    content = npy(pickled.replace(b"cnumpy._core.", f"c{core}.".encode()))
    assert load_nested_dict(content, "extra.npy") == PLAIN


LABELS = st.one_of(
    st.integers(-(2**62), 2**62).map(np.int64),
    st.floats(allow_nan=False, allow_infinity=False).map(np.float64),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.dictionaries(st.text(), LABELS)))
def test_what_numpy_saves_is_read_back(saved: Wrap, answers: dict[str, dict[str, float]]) -> None:
    assert load_nested_dict(saved(answers), "extra.npy") == answers


@pytest.mark.parametrize(
    "content",
    [
        ["e1"],
        None,
        1.0,
        "e1",
        {1: {"ann": 1.0}},
        {"e1": {2: 1.0}},
        {"e1": [1.0]},
        {"e1": 1.0},
        {"e1": {"ann": "1"}},
        {"e1": {"ann": None}},
        {"e1": {"ann": True}},
        {"e1": {"ann": {"bob": 1.0}}},
        {"e1": {"ann": np.float32(1)}},
        {("e1",): {"ann": 1.0}},
        {"e1\ne2": {"ann": "line\nbreak"}},
    ],
    ids=repr,
)
def test_other_contents_are_refused(content: object, saved: Wrap, message_of: Callable[..., str]) -> None:
    message = message_of(load_nested_dict, saved(content), "extra.npy")
    assert message.startswith("extra.npy: not a pickled {example: {annotator: label}}")


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros(()), np.array([ANSWERS, ANSWERS])], ids=repr)
def test_other_arrays_are_refused(array: np.ndarray[Any, Any], message_of: Callable[..., str]) -> None:
    file = io.BytesIO()
    np.save(file, array)
    assert message_of(load_nested_dict, file.getvalue(), "extra.npy").startswith("extra.npy: ")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip file", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{"])
def test_what_is_no_npy_file_is_refused(content: bytes, message_of: Callable[..., str]) -> None:
    assert message_of(load_nested_dict, content, "extra.npy").startswith("extra.npy: ")


@settings(deadline=None)
@given(st.data())
def test_a_truncated_file_is_refused(saved: Wrap, message_of: Callable[..., str], data: st.DataObject) -> None:
    content = saved(ANSWERS)
    length = data.draw(st.integers(0, len(content) - 1))
    assert message_of(load_nested_dict, content[:length], "extra.npy").startswith("extra.npy: ")


@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_explained(
    saved: Wrap, accepts_or_explains: Callable[..., None], data: st.DataObject
) -> None:
    content = bytearray(saved(ANSWERS))
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    accepts_or_explains(load_nested_dict, bytes(content), "extra.npy")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_pickles_are_read_or_explained(
    npy: Wrap, accepts_or_explains: Callable[..., None], pickled: bytes
) -> None:
    accepts_or_explains(load_nested_dict, npy(pickled), "extra.npy")
