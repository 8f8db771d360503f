"""Read a pickled `{str: {str: float}}` from an untrusted NumPy file, running nothing that is in it.

Unpickling normally calls whatever the file names. Here every name stands for a stand-in of our own that can only hold
what the published file holds, so that not even NumPy's own reconstruction code runs on foreign input.
"""

import io
import math
import pickle
import pickletools
import struct

from alab.errors import UserError

NPY_MAGIC = b"\x93NUMPY"
FORMATS = {"f8": "<d", "i8": "<q"}


class _Array:
    """Stands for a zero-dimensional object array: remembers its single element."""

    def __setstate__(self, state: tuple[object, ...]) -> None:
        *_, elements = state
        (self.element,) = elements  # type: ignore[misc]


class _Dtype:
    """Stands for a NumPy data type: remembers its code."""

    def __init__(self, code: str, *_: object) -> None:
        self.code = code

    def __setstate__(self, state: object) -> None:
        pass


def _make_array(*_: object) -> _Array:
    return _Array()


def _make_dtype(code: str, *rest: object) -> _Dtype:
    return _Dtype(code, *rest)


def _make_scalar(dtype: _Dtype, content: bytes) -> float:
    return float(struct.unpack(FORMATS[dtype.code], content)[0])


def _array_type() -> None:
    """Stands for `numpy.ndarray`, which the file only hands on."""


STAND_INS = {
    ("numpy", "ndarray"): _array_type,
    ("numpy", "dtype"): _make_dtype,
    **{
        (f"numpy.{core}.multiarray", name): stand_in
        for core in ("core", "_core")
        for name, stand_in in (("_reconstruct", _make_array), ("scalar", _make_scalar))
    },
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in STAND_INS:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which does not belong in it")
        return STAND_INS[module, name]


def load_nested_dict(content: bytes, name: str) -> dict[str, dict[str, float]]:
    """Read `np.save(file, {outer: {inner: number}})`.

    Args:
        content: the whole file.
        name: what messages call it.

    Raises:
        UserError: if it is damaged, or holds or imports anything else.
    """
    try:
        if not content.startswith(NPY_MAGIC) or len(content) < 10:
            raise ValueError("it does not begin like a .npy file")
        (header_length,) = struct.unpack("<H", content[8:10])
        pickled = content[10 + header_length :]
        _check_memo(pickled)
        array = _Unpickler(io.BytesIO(pickled)).load()
        return _checked(array.element)
    except Exception as error:  # a damaged pickle can raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{name}: not a pickled {{example: {{annotator: label}}}} ({reason})") from error


def _check_memo(pickled: bytes) -> None:
    """Check the memo indices, as the unpickler allocates a slot for each number up to the highest."""
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > len(pickled):
            raise ValueError(f"memo index {argument} is larger than the file")


def _checked(value: object) -> dict[str, dict[str, float]]:
    if not isinstance(value, dict):
        raise ValueError(f"it holds a {type(value).__name__}")
    for outer, inner in value.items():
        if type(outer) is not str or type(inner) is not dict:
            raise ValueError(f"{outer!r} is not a text with a dictionary")
        for key, number in inner.items():
            if type(key) is not str or type(number) not in (float, int) or not math.isfinite(number):
                raise ValueError(f"{key!r} of {outer!r} is not a text with a number")
    return value
