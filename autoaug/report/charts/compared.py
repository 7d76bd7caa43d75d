"""The candidates of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.candidates import CandidateRow, candidate_rows
from autoaug.report.charts.chart import Chart
from autoaug.report.charts.style import COLORS, base_figure, distinct
from autoaug.results import MetricRecord, SearchResult


class ComparedRow(NamedTuple):
    """A candidate of one of several runs."""

    run: str
    candidate: CandidateRow


def compared(results: Sequence[tuple[str, SearchResult]], metric: MetricRecord) -> list[ComparedRow]:
    """The candidates of several runs, grouped by run, best first."""
    return [ComparedRow(name, row) for name, result in results for row in candidate_rows(result, metric)]


def compared_figure(rows: list[ComparedRow], metric: MetricRecord) -> go.Figure:
    """Mean and interval of every candidate, grouped by run; the returned policies are highlighted."""
    figure = base_figure(110 + 26 * len(rows), metric.title("test"))
    labels = _labels(rows)
    for kind, color in COLORS.items():
        chosen = [(run, row) for run, row in rows if row.kind == kind]
        if chosen:
            figure.add_scatter(
                x=[row.mean for _, row in chosen],
                y=[list(side) for side in zip(*(labels[run, row.name] for run, row in chosen), strict=True)],
                error_x={
                    "array": [row.high - row.mean if row.has_interval else 0.0 for _, row in chosen],
                    "arrayminus": [row.mean - row.low if row.has_interval else 0.0 for _, row in chosen],
                },
                mode="markers",
                marker={"color": color, "size": 10, "symbol": ["star" if r.returned else "diamond" for _, r in chosen]},
                name=kind,
                hovertemplate=f"%{{x:{metric.digits(2)}}}{metric.behind}<extra></extra>",
            )
    figure.update_yaxes(autorange="reversed")
    return figure


def _labels(rows: list[ComparedRow]) -> dict[tuple[str, str], tuple[str, str]]:
    """The labels of runs and of candidates, by the names of both."""
    labels: dict[tuple[str, str], tuple[str, str]] = {}
    runs = list(dict.fromkeys(run for run, _ in rows))
    for run, label in zip(runs, distinct(runs), strict=True):
        own = [row for name, row in rows if name == run]
        shown = distinct([row.label for row in own])
        labels |= {(run, row.name): (label, short) for row, short in zip(own, shown, strict=True)}
    return labels


def compared_chart(results: Sequence[tuple[str, SearchResult]], metric: MetricRecord) -> Chart:
    """The chart for a page that compares several runs."""
    figure = compared_figure(compared(results, metric), metric)
    return Chart("compared", "result", "", f"Test {metric.name} of each run's candidates.", figure)
