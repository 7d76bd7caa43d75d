"""The Pareto front of a search with several objectives."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, MUTED, base_figure, plain
from autoaug.results import SearchResult


class FrontPoint(NamedTuple):
    """A trial with several objectives, the first as the metric computes it, and whether it is on the Pareto front: no
    other trial dominates it.
    """

    number: int
    name: str
    values: tuple[float, ...]
    is_best: bool


def front(result: SearchResult) -> list[FrontPoint]:
    """Complete trials with several objectives; empty if there is only one. All but compute are maximized."""
    if len(result.objectives) < 2:
        return []
    # Differences in compute below a hundredth of a training come from rounding the number of steps.
    compute = [name == "compute" for name in result.objectives]
    done = [
        (t, [-round(v, 2) if is_cost else v for is_cost, v in zip(compute, t.values, strict=True)])
        for t in result.history
        if t.values
    ]

    def beaten(own: list[float]) -> bool:
        return any(v != own and all(a >= b for a, b in zip(v, own, strict=True)) for _, v in done)

    plain = result.measured_in_trials.plain
    return [FrontPoint(t.number, t.label, (plain(t.values[0]), *t.values[1:]), not beaten(own)) for t, own in done]


def front_figure(points: list[FrontPoint], objectives: tuple[str, ...]) -> go.Figure:
    """The first two objectives of each trial as a scatter plot, the third as the size; the front is highlighted."""
    figure = base_figure(380, objectives[0], objectives[1])
    for is_best, color, name in ((False, MUTED, "dominated"), (True, ACCENT, "Pareto front")):
        chosen = [p for p in points if p.is_best == is_best]
        figure.add_scatter(
            x=[p.values[0] for p in chosen],
            y=[p.values[1] for p in chosen],
            mode="markers",
            marker={
                "color": color,
                "size": [6 + 6 * min(3.0, p.values[2]) if len(p.values) > 2 else 9 for p in chosen],
            },
            name=name,
            text=[f"{plain(p.name)}: " + ", ".join(f"{v:.3g}" for v in p.values) for p in chosen],
            hovertemplate="%{text}<extra></extra>",
        )
    return figure


def front_chart(facts: RunFacts) -> Chart | None:
    """The chart for a finished search with several objectives."""
    points = [] if facts.result is None else front(facts.result)
    if facts.result is None or not points:
        return None
    objectives = facts.result.objectives
    return Chart(
        "front",
        "search",
        "Pareto front",
        f"No trial dominates a trial on the front in {', '.join(objectives)} together (compute in trainings; larger "
        "dots need more).",
        front_figure(points, objectives),
        ("trial", *objectives),
        [
            (p.name, *p.values)
            for p in sorted(points, key=lambda p: -facts.trial_metric.plain(p.values[0]))
            if p.is_best
        ],
    )
