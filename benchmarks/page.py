"""The page beside a JSON file: tables and charts in the style of the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup
from plotly.offline import get_plotlyjs_version

from autoaug.report.charts import Chart
from autoaug.report.pictures import environment
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
    source = f"https://cdn.plot.ly/plotly-{get_plotlyjs_version()}.min.js"
    plotly = Markup('<script src="{}" charset="utf-8"></script>').format(source)
    templates = environment()
    loaders = [FileSystemLoader(Path(__file__).parent), *filter(None, [templates.loader])]
    template = templates.overlay(loader=ChoiceLoader(loaders)).get_template("page.html")
    has_charts = any(section.chart for section in shown)
    text = template.render(title=title, words=words, sections=shown, plotly=plotly if has_charts else "")
    write_whole(path, text)
