"""When each trial ran."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import STATUS, base_figure, plain
from autoaug.results import TrialSummary

#: Workers' clocks may differ by this many seconds; such an overlap does not need a second lane.
_SLACK = 0.01


class Busy(NamedTuple):
    """A trial on the timeline: its lane, and its begin and end in seconds from the start of the first trial."""

    lane: int
    begin: float
    end: float
    name: str
    status: str


def timeline(trials: Iterable[TrialSummary]) -> list[Busy]:
    """Put each trial that was trained on the first free lane: there are as many lanes as trials in parallel."""
    ran = sorted((t for t in trials if t.started and t.seconds > 0), key=lambda t: t.started)
    free: list[float] = []
    rows = []
    for trial in ran:
        begin, end = trial.started - ran[0].started, trial.started - ran[0].started + trial.seconds
        lane = next((i for i, stop in enumerate(free) if stop <= begin + _SLACK), len(free))
        free[lane : lane + 1] = [end]
        rows.append(Busy(lane, begin, end, trial.label, trial.status))
    return rows


def timeline_figure(rows: list[Busy]) -> go.Figure:
    """One bar per trial, one row per lane."""
    lanes = max(row.lane for row in rows) + 1
    figure = base_figure(110 + 34 * lanes, "seconds since the first trial began")
    for status, color in STATUS.items():
        own = [row for row in rows if row.status == status]
        if own:
            figure.add_bar(
                base=[row.begin for row in own],
                x=[row.end - row.begin for row in own],
                y=[f"slot {row.lane + 1}" for row in own],
                orientation="h",
                marker={"color": color, "line": {"width": 1, "color": "rgba(255,255,255,0.6)"}},
                text=[plain(row.name) for row in own],
                textposition="none",
                name=status,
                hovertemplate="%{text}: %{x:.1f} s from %{base:.1f} s<extra></extra>",
            )
    figure.update_layout(barmode="overlay")
    return figure


def timeline_chart(facts: RunFacts) -> Chart | None:
    """The chart for a search that has trained something."""
    rows = timeline(facts.trials)
    if not rows:
        return None
    return Chart(
        "timeline",
        "cost",
        "When each trial ran",
        "The trials over time; trials that ran in parallel are in different rows.",
        timeline_figure(rows),
        ("trial", "row", "from, s", "to, s", "outcome"),
        [(row.name, str(row.lane + 1), row.begin, row.end, row.status) for row in rows],
        is_folded=True,
    )
