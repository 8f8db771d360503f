"""The files of a report: a CSV, a PNG and an SVG a section, and one page that holds them all and needs nothing else."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import jinja2
import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from alab.atomic import replacing
from alab.report.comparison import Comparison
from alab.report.sections import Section


def write_report(folder: Path, comparison: Comparison, sections: Sequence[Section], notes: Sequence[str]) -> Path:
    """Write every section's files and the page.

    Args:
        folder: where; it is made if need be.
        comparison: what is reported on.
        sections: in the order of the page.
        notes: what a reader must know first.

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shown = []
    for section in sections:
        with replacing(folder / f"{section.name}.csv") as temporary:
            section.numbers.to_csv(temporary, index=False, float_format="%.6g")
        drawing = b""
        if section.figure:
            drawing = _svg(section.figure, section.name)
            with replacing(folder / f"{section.name}.svg") as temporary:
                temporary.write_bytes(drawing)
            with replacing(folder / f"{section.name}.png") as temporary:
                section.figure.savefig(temporary)
        if section.figure or section.shown is not None:
            shown.append(_view(section, drawing))
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("alab.report", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    html = environment.get_template("page.html.jinja").render(
        title=f"Active learning on {comparison.data}",
        introduction=_introduction(comparison),
        notes=notes,
        sections=shown,
        left_out=comparison.left_out,
    )
    page = folder / "index.html"
    with replacing(page) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return page


def _introduction(comparison: Comparison) -> str:
    conditions, seeds, budgets = comparison.conditions, comparison.seeds, comparison.budgets
    return (
        f"{len(conditions)} condition{'s' * (len(conditions) > 1)}, each with seed{'s' * (len(seeds) > 1)} "
        f"{', '.join(map(str, seeds))} and {len(budgets)} rounds from {budgets[0]} to {budgets[-1]} annotations. "
        "A condition is named by the settings in which it differs from the others."
    )


def _svg(figure: Figure, name: str) -> bytes:
    """Draw a figure so that the same numbers give the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _view(section: Section, drawing: bytes) -> dict[str, object]:
    table = pd.DataFrame() if section.shown is None else section.shown
    return {
        "title": section.title,
        "text": section.text,
        "figure": base64.b64encode(drawing).decode(),
        "header": list(table.columns),
        "is_text": [
            not pd.api.types.is_numeric_dtype(table[name]) and name in ("condition", "minus", "in") for name in table
        ],
        "rows": table.to_numpy().tolist(),
    }
