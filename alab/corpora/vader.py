"""The embedded corpus: the sentiment of English words, slang and emoticons, each rated by ten people.

`vader_lexicon.txt` of the PyPI package `vaderSentiment` (Hutto and Gilbert, ICWSM 2014) holds 7,520 lines: the token,
the mean rating, its deviation, and the ten ratings from -4 to 4.
"""

import json
from importlib import resources
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt, validate_call

from alab.corpora.corpus import Corpus, Row, hold_back, texts
from alab.seeding import Streams

MIN_ABSOLUTE_MEAN = 0.2
POOL_SIZE, TEST_SIZE = 1_500, 700


class _Entry(NamedTuple):
    id: str
    token: str
    ratings: list[int]

    @property
    def mean(self) -> float:
        return sum(self.ratings) / len(self.ratings)


@validate_call
def load(
    *,
    initial_examples: PositiveInt,
    initial_annotations: PositiveInt,
    max_error_rate: Annotated[float, Field(ge=0, le=1)],
    seed: NonNegativeInt,
) -> Corpus:
    """Load the lexicon as a two-class corpus: is it positive (1) or negative (0)?

    A rating above zero says 1, below zero 0; zero is an abstention. The true label is the sign of the mean rating;
    entries with |mean| <= 0.2 are left out. Of the others 1,500 are drawn as the pool and 700 as the test set.

    Args:
        initial_examples: how many examples are annotated at the start.
        initial_annotations: by how many raters each.
        max_error_rate: each rater gets an error rate of their own, drawn uniformly from 0 to this, and gives the
            other answer that often; 0 leaves the ratings as they are.
        seed: of the draws; it is not the seed of the run, so that all runs share one task.

    Raises:
        UserError: if too few examples have `initial_annotations` annotations.
    """
    streams = Streams(seed)
    entries = _read_lexicon()
    drawn = streams.rng("vader/split").permutation(len(entries))[: POOL_SIZE + TEST_SIZE]
    pool, test = [entries[i] for i in drawn[:POOL_SIZE]], [entries[i] for i in drawn[POOL_SIZE:]]
    annotations = _annotations(pool, max_error_rate, streams.rng("vader/errors"))
    initial = hold_back(
        [example for example, *_ in annotations], initial_examples, initial_annotations, streams.rng("vader/initial")
    )
    return Corpus.build(
        pool=texts(*_columns(pool)),
        test=texts(*_columns(test)),
        initial=[row for row, at_start in zip(annotations, initial, strict=True) if at_start],
        archive=[row for row, at_start in zip(annotations, initial, strict=True) if not at_start],
    )


def _read_lexicon() -> list[_Entry]:
    lines = (resources.files("vaderSentiment") / "vader_lexicon.txt").read_text(encoding="utf-8").splitlines()
    entries = []
    for number, line in enumerate(lines, start=1):
        token, _, _, ratings = line.split("\t")
        entries.append(_Entry(f"v{number:04d}", token.strip(), json.loads(ratings)))
    return [entry for entry in entries if abs(entry.mean) > MIN_ABSOLUTE_MEAN]


def _annotations(entries: list[_Entry], max_error_rate: float, rng: np.random.Generator) -> list[Row]:
    ratings = np.array([entry.ratings for entry in entries])
    error_rate = rng.uniform(0, max_error_rate, size=ratings.shape[1])
    wrong = rng.random(ratings.shape) < error_rate
    positive = (ratings > 0) != wrong
    return [
        (entries[example].id, f"rater{rater}", str(int(positive[example, rater])))
        for example, rater in zip(*np.nonzero(ratings), strict=True)
    ]


def _columns(entries: list[_Entry]) -> tuple[list[str], list[str], list[str]]:
    return [e.id for e in entries], [e.token for e in entries], [str(int(e.mean > 0)) for e in entries]
