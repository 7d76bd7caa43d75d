"""Learning curves of the trials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import STATUS, base_figure, count_whole, plain
from autoaug.results import MetricRecord, TrialSummary

#: With more curves than this, only the last ones are drawn.
_MOST_CURVES = 150


class Curve(NamedTuple):
    """A trial's validation values during training, in the metric's unit; steps are passes over the data."""

    name: str
    status: str
    points: tuple[tuple[int, float], ...]


def curves(trials: Iterable[TrialSummary], metric: MetricRecord) -> list[Curve]:
    """The curves of trials with more than one rung."""
    return [
        Curve(t.name, t.status, tuple((step, metric.value(score)) for step, score in t.curve))
        for t in trials
        if len(t.curve) > 1
    ]


def curves_figure(trial_curves: list[Curve], metric: MetricRecord) -> go.Figure:
    """One line per trial; pruned trials end early."""
    figure = base_figure(340, "epoch", metric.title("validation"))
    in_legend: set[str] = set()
    for curve in trial_curves[-_MOST_CURVES:]:
        figure.add_scatter(
            x=[step for step, _ in curve.points],
            y=[value for _, value in curve.points],
            mode="lines+markers",
            opacity=0.55,
            line={"color": STATUS[curve.status], "width": 1.5},
            marker={"size": 5},
            name=curve.status,
            legendgroup=curve.status,
            showlegend=curve.status not in in_legend,
            hovertemplate=f"{plain(curve.name)}, epoch %{{x}}: %{{y:{metric.digits(2)}}}{metric.behind}<extra></extra>",
        )
        in_legend.add(curve.status)
    count_whole(figure, max((step for curve in trial_curves for step, _ in curve.points), default=1))
    return figure


def curves_chart(facts: RunFacts) -> Chart | None:
    """The chart for a search whose trials have rungs."""
    trial_curves = curves(facts.trials, facts.trial_metric)
    if not trial_curves:
        return None
    return Chart(
        "curves",
        "search",
        "Learning curves",
        f"Validation {facts.trial_metric.name} at each rung; pruned trials end early.",
        curves_figure(trial_curves, facts.trial_metric),
        is_folded=True,
    )
