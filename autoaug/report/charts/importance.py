"""The importance of each choice."""

from __future__ import annotations

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, base_figure, distinct
from autoaug.results import SearchResult


def importance(result: SearchResult) -> list[tuple[str, float]]:
    """Choices by the fraction of the score's variance that they explain, largest first."""
    return sorted(result.importance.items(), key=lambda item: -item[1])


def importance_figure(rows: list[tuple[str, float]]) -> go.Figure:
    """One bar per choice."""
    figure = base_figure(90 + 26 * len(rows), "fraction of variance explained")
    figure.add_bar(
        x=[value for _, value in rows],
        y=distinct([name for name, _ in rows]),
        orientation="h",
        marker_color=ACCENT,
        hovertemplate="%{y}: %{x:.2f}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed")
    return figure


def importance_chart(facts: RunFacts) -> Chart | None:
    """The chart for a finished search with enough trials."""
    rows = [] if facts.result is None else importance(facts.result)
    if not rows:
        return None
    return Chart(
        "importance",
        "search",
        "What mattered",
        f"The fraction of the variance of {facts.trial_metric.name} that each choice explains (fANOVA), over the "
        "complete trials, for the choices that all of them made.",
        importance_figure(rows),
        ("choice", "fraction"),
        rows,
    )
