"""The curves that were published with the ActiveLab demonstration, to draw beside ours."""

import io

import numpy as np

from alab.annotations import FloatArray
from alab.corpora.tables import fetch
from alab.errors import UserError

FILES = {"published ActiveLab": "activelearn_acc.npy", "published random": "random_acc.npy"}


def published_curves(root: str) -> dict[str, FloatArray]:
    """Return the published test accuracies by name, each (S, R) for S seeds and R rounds.

    Args:
        root: folder or fsspec URL of the politeness data.

    Raises:
        UserError: if a file is not there or holds something else.
    """
    return {name: _read(f"{root.rstrip('/')}/{file}") for name, file in FILES.items()}


def _read(url: str) -> FloatArray:
    try:
        curves = np.load(io.BytesIO(fetch(url)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise UserError(f"{url}: cannot be read ({' '.join(str(error).split())})") from error
    if curves.ndim != 2 or curves.dtype.kind != "f":
        raise UserError(f"{url}: expected an array of numbers, seeds by rounds")
    return curves
