"""A stream that labels its lines, so that those of jobs that run side by side can be told apart."""

import io
from typing import TextIO, cast


def labelled(stream: TextIO, label: str) -> TextIO:
    """Return a stream that writes to `stream`, with a label at the start of every line.

    What is written at once must be whole lines, and goes out in one piece. No line is ever written over: the new stream
    is no terminal, even if the other one is.
    """
    return cast(TextIO, _Labelled(stream, label))


class _Labelled(io.TextIOBase):
    def __init__(self, stream: TextIO, label: str) -> None:
        self._stream, self._label = stream, label

    def write(self, text: str) -> int:
        self._stream.write("".join(self._label + line for line in text.splitlines(keepends=True)))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()
