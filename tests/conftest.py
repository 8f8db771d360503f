"""A tiny encoder and a tiny corpus, made once."""

from pathlib import Path

import pytest
from hypothesis import settings
from tiny import write_corpus, write_encoder

settings.register_profile("untimed", deadline=None)  # how long an example takes says nothing on a busy machine
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random two-layer DistilBERT and its own tokenizer."""
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for `data=files`: 60 pool examples, 20 test examples, 4 annotators, a third of the pool annotated."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), num_pool=60, num_test=20)


@pytest.fixture(scope="session")
def tiny(encoder: Path, corpus: Path) -> list[str]:
    """Arguments for a probe on the tiny encoder and corpus, which takes a second beside the start."""
    return [
        f"model.name={encoder}",
        "data=files",
        f"data.root={corpus}",
        "model.max_steps=5",
        "annotations_per_round=7",
    ]
