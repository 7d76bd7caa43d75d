"""The page: one HTML file that opens offline."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from autoaug.report import figures, numbers
from autoaug.report.pictures import Picture, data_uri, environment
from autoaug.result import SearchResult
from autoaug.run_folder import RunFolder, write_whole
from autoaug.version import __version__


class Card(NamedTuple):
    """An image of the gallery: as it was, and each time it was drawn."""

    original: Picture
    drawn: list[Picture]


def write_report(folder: RunFolder) -> Path:
    """Write ``report.html`` of a finished run; returns its path. Raises `RunError` where there is no result."""
    result = SearchResult.load(folder.root)
    _, config = RunFolder.open(folder.root)
    history, classes, importance = numbers.history(result), numbers.classes(result), numbers.importance(result)
    rows, front = numbers.candidate_rows(result), numbers.front(result)
    page = (
        environment()
        .get_template("report.html")
        .render(
            version=__version__,
            result=result,
            config=config,
            rows=rows,
            costs=numbers.costs(result),
            failures=numbers.failures(result),
            power_note=numbers.power_note(result),
            classes=classes,
            history=history,
            importance=importance,
            stages=numbers.stages(result),
            fidelity=numbers.fidelity(result),
            shift=numbers.shift(result),
            affinities=numbers.affinities(result),
            front=sorted((point for point in front if point.is_best), key=lambda point: -point.values[0]),
            finalist=result.candidate(result.comparison.candidate) if result.comparison else None,
            galleries={which: _gallery(folder.gallery(which)) for which in ("returned", "finalist")},
            policy_text=folder.policy.read_text(),
            modules={
                path.stem.removeprefix("policy_"): path.read_text() for path in sorted(folder.root.glob("policy_*.py"))
            },
            plotly_js=Markup(get_plotlyjs()),  # noqa: S704 (the library's own script)
            figures={
                "candidates": _embed(figures.candidates_figure(rows), "candidates"),
                "history": _embed(figures.history_figure(history), "history") if history.drawn else "",
                "classes": _embed(figures.classes_figure(classes), "classes") if classes else "",
                "front": _embed(figures.front_figure(front, result.objectives), "front") if front else "",
                "importance": _embed(figures.importance_figure(importance), "importance") if importance else "",
            },
        )
    )
    write_whole(folder.report, page)
    return folder.report


def _embed(figure: object, name: str) -> Markup:
    config = {"displaylogo": False, "responsive": True, "displayModeBar": False}
    # Plotly escapes what would end the script; what it would take for markup, the figures have escaped.
    return Markup(to_html(figure, include_plotlyjs=False, full_html=False, div_id=f"figure-{name}", config=config))  # noqa: S704


def _gallery(path: Path) -> list[Card]:
    if not path.is_file():
        return []
    with np.load(path, allow_pickle=False) as file:
        originals, augmented, captions, classes = (file[k] for k in ("originals", "augmented", "captions", "classes"))
    return [
        Card(
            original=Picture(data_uri(originals[i]), str(classes[i])),
            drawn=[Picture(data_uri(draw[i]), str(text[i])) for draw, text in zip(augmented, captions, strict=True)],
        )
        for i in range(len(originals))
    ]
