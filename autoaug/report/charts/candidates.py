"""Test scores of all candidates, with their intervals."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.evaluation.statistics import FEWEST_SEEDS
from autoaug.policy.words import in_distinct_words
from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import COLORS, base_figure, beside, distinct
from autoaug.results import MetricRecord, SearchResult

#: Follows the name of what is returned; it stays on one line.
_RETURNED = " ◂\u00a0returned"


class CandidateRow(NamedTuple):
    """A confirmed candidate; values in the metric's unit. `label` is what it is called in texts, and `detail` what else
    there is to say: its name in the run if it comes from a trial, or what it does if its name does not say that.
    """

    name: str
    label: str
    detail: str
    kind: str
    returned: bool
    mean: float
    low: float
    high: float
    seeds: tuple[float, ...]
    validation: float
    seconds: float

    @property
    def has_interval(self) -> bool:
        """Whether there are enough seeds for an interval."""
        return len(self.seeds) >= FEWEST_SEEDS


def candidate_rows(result: SearchResult, metric: MetricRecord) -> list[CandidateRow]:
    """Candidates from the best test mean to the worst."""
    rows = []
    candidates = sorted(result.candidates, key=lambda c: -c.mean)
    for c, words in zip(candidates, in_distinct_words([c.policy for c in candidates]), strict=True):
        low, high = metric.interval(c.ci95)
        named = c.name, words if c.kind != "baseline" else ""
        label, detail = named if c.trial is None else named[::-1]
        rows.append(
            CandidateRow(
                name=c.name,
                label=label,
                detail=detail,
                kind=c.kind,
                returned=c.name == result.returned.name,
                mean=metric.value(c.mean),
                low=low,
                high=high,
                seeds=tuple(metric.value(score) for score in c.test_scores),
                validation=metric.value(c.validation_mean),
                seconds=c.seconds,
            )
        )
    return rows


def candidates_figure(rows: list[CandidateRow], metric: MetricRecord) -> go.Figure:
    """The mean of each candidate, its 95 % interval, and a faint dot per seed."""
    figure = base_figure(110 + 40 * len(rows), metric.title("test"))
    labels = dict(zip((row.name for row in rows), _labels(rows), strict=True))
    for kind, color in COLORS.items():
        chosen = [row for row in rows if row.kind == kind]
        if not chosen:
            continue
        names = [labels[row.name] for row in chosen]
        figure.add_scatter(
            x=[value for row in chosen for value in row.seeds],
            y=[name for name, row in zip(names, chosen, strict=True) for _ in row.seeds],
            mode="markers",
            marker={"color": color, "opacity": 0.35, "size": 7},
            hoverinfo="x",
            showlegend=False,
        )
        figure.add_scatter(
            x=[row.mean for row in chosen],
            y=names,
            error_x={
                "array": [row.high - row.mean if row.has_interval else 0.0 for row in chosen],
                "arrayminus": [row.mean - row.low if row.has_interval else 0.0 for row in chosen],
                "thickness": 2,
                "width": 6,
            },
            mode="markers",
            marker={"color": color, "size": 11, "symbol": "diamond"},
            name=kind,
            hovertemplate=f"%{{y}}: %{{x:{metric.digits(2)}}}{metric.behind}<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=[labels[row.name] for row in reversed(rows)])
    return figure


def candidates_chart(facts: RunFacts) -> Chart | None:
    """The chart for a finished run."""
    if facts.result is None:
        return None
    return Chart(
        "candidates",
        "result",
        "",
        f"Test {facts.metric.name} of each candidate with its interval; the numbers are in the table below.",
        candidates_figure(candidate_rows(facts.result, facts.metric), facts.metric),
    )


def _labels(rows: list[CandidateRow]) -> list[str]:
    names = distinct([f"{row.label} [{row.detail}]" if row.detail else row.label for row in rows])
    return [
        f"<b>{beside(name + _RETURNED)}</b>" if row.returned else beside(name)
        for name, row in zip(names, rows, strict=True)
    ]
