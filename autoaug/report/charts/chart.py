"""A chart on a page: a figure, a description, and a table of its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from autoaug.results import ACCURACY, MetricRecord, SearchResult, TrialSummary
from autoaug.results.robustness import Robustness


class RunFacts(NamedTuple):
    """The data that charts are drawn from.

    Attributes:
        trials: the trials of the search so far.
        full_length: sample passes of a full-length training.
        metric: the metric of the run.
        own_trial_metric: what the scores of trials are, if it is another one.
        result: the result of a finished run.
        robustness: the robustness of its model, if it was measured.
    """

    trials: Sequence[TrialSummary] = ()
    full_length: int = 1
    metric: MetricRecord = ACCURACY
    result: SearchResult | None = None
    robustness: Robustness | None = None
    own_trial_metric: MetricRecord | None = None

    @property
    def trial_metric(self) -> MetricRecord:
        """What the scores of trials are."""
        return self.own_trial_metric or self.metric


class Chart(NamedTuple):
    """A figure with its text alternative.

    Attributes:
        name: the name of the figure, unique on the page.
        section: its section on the page.
        title: the title of the chart.
        words: a description of what it shows.
        figure: the Plotly figure.
        head: the head of the data table; empty if the page already has that table.
        rows: the rows of the table, texts and numbers.
        is_folded: whether it is shown on demand.
    """

    name: str
    section: str
    title: str
    words: str
    figure: Any
    head: tuple[str, ...] = ()
    rows: Sequence[Sequence[str | float]] = ()
    is_folded: bool = False

    def html(self) -> Markup:
        """HTML for a page that includes Plotly and draws its charts one after another (``page.js``)."""
        # Characters that could end the script or begin a comment are escaped here; the figures themselves escape what
        # Plotly would read as markup.
        data = self.figure.to_json().replace("<", "\\u003c").replace(">", "\\u003e")
        place = Markup('<div id="figure-{0}" style="height: {1}px"></div>').format(self.name, self.figure.layout.height)
        return place + Markup(f'<script type="application/json" data-figure="figure-{self.name}">{data}</script>')  # noqa: S704
