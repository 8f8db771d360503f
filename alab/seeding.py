"""Everything random comes from one seed, through named streams that are passed explicitly."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """Independent random streams, each a pure function of (seed, purpose, round, fold, member).

    A draw for one purpose never shifts the draws for another, so a run that is continued in round 12 draws what an
    uninterrupted one draws there.
    """

    seed: int

    def rng(self, purpose: str, *, round: int = 0, fold: int = 0, member: int = 0) -> np.random.Generator:
        """Return a fresh generator at the start of the named stream."""
        key = (zlib.crc32(purpose.encode()), round, fold, member)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def integer(self, purpose: str, *, round: int = 0, fold: int = 0, member: int = 0) -> int:
        """Return the stream's first draw in [0, 2**32), for libraries that want an integer seed."""
        return int(self.rng(purpose, round=round, fold=fold, member=member).integers(2**32))


@contextmanager
def numpy_seeded(rng: np.random.Generator) -> Iterator[None]:
    """Seed NumPy's global generator from `rng` for a library that draws from it, and restore it afterwards."""
    state = np.random.get_state()
    np.random.seed(rng.integers(2**32))
    try:
        yield
    finally:
        np.random.set_state(state)
