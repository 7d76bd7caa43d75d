"""The HTML page beside a JSON file: tables and charts in the style of the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import ChoiceLoader, FileSystemLoader

from autoaug.report.charts.chart import Chart
from autoaug.report.frame import NO_PLOTLY, environment, plotly_script
from autoaug.utils.files import write_whole


class Table(NamedTuple):
    """Rows of texts and numbers below a header row; the title may be empty."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | float]]


class Section(NamedTuple):
    """A titled part of the page."""

    title: str
    tables: Sequence[Table]
    chart: Chart | None = None


def write_page(path: Path, title: str, words: str, sections: Iterable[Section]) -> None:
    """Write the page. Tables are readable offline; charts load their script of 5 MB from the network."""
    shown = list(sections)
    templates = environment()
    loaders = [FileSystemLoader(Path(__file__).parent), *filter(None, [templates.loader])]
    template = templates.overlay(loader=ChoiceLoader(loaders)).get_template("page.html")
    plotly = plotly_script(cdn=True) if any(section.chart for section in shown) else NO_PLOTLY
    write_whole(path, template.render(title=title, words=words, sections=shown, plotly=plotly))
