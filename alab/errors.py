"""The one exception that stands for a user's mistake."""


class UserError(Exception):
    """A mistake in a command, a setting or a file.

    Its message is one line that says what is wrong, where, and what was expected; `train.py` prints it without a
    traceback and exits with status 2. Broken invariants of our own are asserts instead.
    """
