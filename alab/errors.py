"""The one exception that stands for a user's mistake, and what is left of any exception once its job has ended."""

from typing import NamedTuple


class UserError(Exception):
    """A mistake in a command, a setting or a file.

    Its message is one line that says what is wrong, where, and what was expected; `train.py` prints it without a
    traceback and exits with status 2. Broken invariants of our own are asserts instead.
    """


class Failure(NamedTuple):
    """Why a job failed: the exit status that it stands for, 2 for a user's mistake, and one line."""

    status: int
    message: str
