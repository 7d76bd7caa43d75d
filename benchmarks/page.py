"""The page beside a JSON file: tables and charts in the style of the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import ChoiceLoader, FileSystemLoader

from autoaug.report.charts.chart import Chart
from autoaug.report.frame import NO_PLOTLY, environment, plotly_script
from autoaug.utils.files import write_whole


class Table(NamedTuple):
    """Rows of texts and numbers under a head; the title may be empty."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | float]]


class Section(NamedTuple):
    """A part of the page with a title of its own."""

    title: str
    tables: Sequence[Table]
    chart: Chart | None = None


def write_page(path: Path, title: str, words: str, sections: Iterable[Section]) -> None:
    """Write the page. Its tables can be read offline; charts need a network: their script would be 5 MB."""
    shown = list(sections)
    templates = environment()
    loaders = [FileSystemLoader(Path(__file__).parent), *filter(None, [templates.loader])]
    template = templates.overlay(loader=ChoiceLoader(loaders)).get_template("page.html")
    plotly = plotly_script(cdn=True) if any(section.chart for section in shown) else NO_PLOTLY
    write_whole(path, template.render(title=title, words=words, sections=shown, plotly=plotly))
