"""The HTML page beside a JSON file: tables and charts in the style of the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from jinja2 import ChoiceLoader, FileSystemLoader

from autoaug.evaluation.statistics import estimate
from autoaug.report.charts.chart import Chart
from autoaug.report.frame import NO_PLOTLY, environment, plotly_script
from autoaug.utils.files import write_atomically


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


def mean_with_interval(values: Sequence[float]) -> str:
    """The mean of signed values, and its 95 % interval if there are several, as one text."""
    mean, interval = mean_and_interval(values)
    return f"{mean} ({interval})" if interval else mean


def mean_and_interval(values: Sequence[float]) -> tuple[str, str]:
    """The mean of signed values, and its 95 % interval, which is empty for a single one."""
    low, high = estimate(values, 0.01).ci95
    return f"{fmean(values):+.2f}", f"{low:+.2f} to {high:+.2f}" if len(values) > 1 else ""


def write_page(path: Path, title: str, words: str, sections: Iterable[Section]) -> None:
    """Write the page. Tables are readable offline; charts load their script of 5 MB from the network."""
    shown = list(sections)
    templates = environment()
    loaders = [FileSystemLoader(Path(__file__).parent), *filter(None, [templates.loader])]
    template = templates.overlay(loader=ChoiceLoader(loaders)).get_template("page.html")
    plotly = plotly_script(cdn=True) if any(section.chart for section in shown) else NO_PLOTLY
    write_atomically(path, template.render(title=title, words=words, sections=shown, plotly=plotly))
