"""The best compromises of a search with several objectives."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, MUTED, base_figure, plain
from autoaug.results import SearchResult


class FrontPoint(NamedTuple):
    """A trial with several objectives, and whether no other is better at all of them."""

    number: int
    name: str
    values: tuple[float, ...]
    is_best: bool


def front(result: SearchResult) -> list[FrontPoint]:
    """Complete trials with several objectives; empty where there is one. All but compute are to be maximized."""
    if len(result.objectives) < 2:
        return []
    # Of compute, hundredths of a training are rounding of the number of steps.
    compute = [name == "compute" for name in result.objectives]
    done = [
        (t, [-round(v, 2) if is_cost else v for is_cost, v in zip(compute, t.values, strict=True)])
        for t in result.history
        if t.values
    ]

    def beaten(own: list[float]) -> bool:
        return any(v != own and all(a >= b for a, b in zip(v, own, strict=True)) for _, v in done)

    return [FrontPoint(t.number, t.name, t.values, not beaten(own)) for t, own in done]


def front_figure(points: list[FrontPoint], objectives: tuple[str, ...]) -> go.Figure:
    """The first two objectives of each trial, the third as the size; the front of best compromises stands out."""
    figure = base_figure(380, objectives[0], objectives[1])
    for is_best, color, name in ((False, MUTED, "beaten at everything"), (True, ACCENT, "best compromises")):
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
    """Of a finished search with several objectives."""
    points = [] if facts.result is None else front(facts.result)
    if facts.result is None or not points:
        return None
    objectives = facts.result.objectives
    return Chart(
        "front",
        "search",
        "The best compromises",
        f"No trial is better than one of the best compromises at {', '.join(objectives)} together (compute in "
        "trainings; larger dots take more).",
        front_figure(points, objectives),
        ("trial", *objectives),
        [(p.name, *p.values) for p in sorted(points, key=lambda p: -p.values[0]) if p.is_best],
    )
