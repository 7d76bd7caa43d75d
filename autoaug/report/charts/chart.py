"""A chart as it stands in a page: a figure, what it shows in words, and the table of its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup
from plotly.io import to_html

from autoaug.results import ACCURACY, MetricRecord, Robustness, SearchResult, TrialSummary


class RunFacts(NamedTuple):
    """What charts are drawn from.

    Attributes:
        trials: of the search, so far.
        full_length: sample passes of a training of full length.
        metric: what was measured.
        result: of a finished run.
        robustness: of its kept model, where it was measured.
    """

    trials: Sequence[TrialSummary] = ()
    full_length: int = 1
    metric: MetricRecord = ACCURACY
    result: SearchResult | None = None
    robustness: Robustness | None = None


class Chart(NamedTuple):
    """A figure with its text alternative.

    Attributes:
        name: of the figure, unique in the page.
        section: of the page that it stands in.
        title: of the chart.
        words: what it shows.
        figure: of Plotly.
        head: of the table of its data; empty where the page has that table already.
        rows: of the table, texts and numbers.
    """

    name: str
    section: str
    title: str
    words: str
    figure: Any
    head: tuple[str, ...] = ()
    rows: Sequence[Sequence[str | float]] = ()

    def html(self) -> Markup:
        """The figure as a part of a page that has Plotly and draws its charts one after another (``page.js``)."""
        # What would end the script or begin a comment is escaped; what Plotly would take for markup, the figures have
        # escaped.
        data = self.figure.to_json().replace("<", "\\u003c").replace(">", "\\u003e")
        place = Markup('<div id="figure-{0}" style="height: {1}px"></div>').format(self.name, self.figure.layout.height)
        return place + Markup(f'<script type="application/json" data-figure="figure-{self.name}">{data}</script>')  # noqa: S704

    def html_at_once(self) -> Markup:
        """The same with a script of its own, for a page of others."""
        name = f"figure-{self.name}"
        return Markup(to_html(self.figure, include_plotlyjs=False, full_html=False, div_id=name))  # noqa: S704
