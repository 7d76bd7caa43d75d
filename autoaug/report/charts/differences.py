"""The comparison that the verdict is based on, seed by seed."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.evaluation.wording import is_vague
from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, MUTED, WARN, base_figure
from autoaug.results import MetricRecord, SearchResult


class SeedDifference(NamedTuple):
    """One seed of the comparison: test values in the metric's unit, and whether the candidate's is better."""

    seed: int
    candidate: float
    baseline: float
    difference: float
    is_better: bool


class Differences(NamedTuple):
    """All seeds in training order, with the mean difference and its interval; None if the seeds are too few for one."""

    candidate: str
    baseline: str
    seeds: tuple[SeedDifference, ...]
    mean: float
    ci95: tuple[float, float] | None


def differences(result: SearchResult, metric: MetricRecord) -> Differences | None:
    """The differences of the run's comparison; None if nothing was compared."""
    if result.comparison is None:
        return None
    compared = result.comparison
    one, other = result.candidate(compared.candidate), result.candidate(compared.baseline)
    seeds = tuple(
        SeedDifference(seed, metric.value(a), metric.value(b), metric.value(a - b), a > b)
        for seed, a, b in zip(one.seeds, one.test_scores, other.test_scores, strict=False)
    )
    interval = None if is_vague(compared.differences, compared.ci95) else metric.interval(compared.ci95)
    return Differences(one.label, other.label, seeds, metric.value(compared.difference), interval)


def differences_figure(paired_seeds: Differences, metric: MetricRecord) -> go.Figure:
    """One dot per seed, in training order from the top, a line for the mean, and a band for its interval."""
    unit = f", {metric.points}" if metric.points else ""
    count = len(paired_seeds.seeds)
    figure = base_figure(130 + 14 * count, f"difference in test {metric.name}{unit}")
    if paired_seeds.ci95 is not None:
        low, high = paired_seeds.ci95
        figure.add_vrect(x0=low, x1=high, fillcolor=ACCENT, opacity=0.15, line_width=0)
    figure.add_vline(x=paired_seeds.mean, line_color=ACCENT, line_width=2)
    figure.add_vline(x=0, line_color=MUTED, line_dash="dot")
    figure.add_scatter(
        x=[row.difference for row in paired_seeds.seeds],
        y=[*range(count)],  # not in one line, where equal differences would hide one another
        mode="markers",
        marker={"color": [ACCENT if row.is_better else WARN for row in paired_seeds.seeds], "size": 10, "opacity": 0.7},
        text=[
            f"seed {row.seed}: {metric.number(row.candidate)} against {metric.number(row.baseline)}"
            for row in paired_seeds.seeds
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(visible=False, range=[count - 0.5, -0.5])
    return figure


def differences_chart(facts: RunFacts) -> Chart | None:
    """The chart for a run that compared two candidates."""
    paired_seeds = None if facts.result is None else differences(facts.result, facts.metric)
    if paired_seeds is None or not paired_seeds.seeds:
        return None
    return Chart(
        "differences",
        "result",
        f"Seed by seed: {paired_seeds.candidate} minus {paired_seeds.baseline}",
        "Each dot is a seed, the line the estimate"
        + (", the band its 95 % interval for new seeds and new samples." if paired_seeds.ci95 else "."),
        differences_figure(paired_seeds, facts.metric),
        ("seed", paired_seeds.candidate, paired_seeds.baseline, "difference"),
        [(str(row.seed), row.candidate, row.baseline, row.difference) for row in paired_seeds.seeds],
    )
