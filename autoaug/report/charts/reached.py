"""The best so far against the compute spent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.history import BaselineLine, trial_history
from autoaug.report.charts.style import ACCENT, MUTED, base_figure, on_data, plain, short
from autoaug.results import MetricRecord, TrialSummary, known_policies


class Reached(NamedTuple):
    """The best value so far, in the metric's unit, and the compute spent, in full-length trainings."""

    trainings: float
    value: float
    name: str


def reached(trials: Sequence[TrialSummary], full_length: int, metric: MetricRecord) -> dict[float, list[Reached]]:
    """For each data fraction, the successive best complete trials, without baselines."""
    spent, best, known = 0, dict[float, float](), known_policies(trials)
    lines = dict[float, list[Reached]]()
    for trial in trials:
        spent += trial.sample_passes
        if trial.score is None or trial.fingerprint in known or trial.stop < 1:
            continue
        if trial.data_fraction not in best or trial.score > best[trial.data_fraction]:
            best[trial.data_fraction] = trial.score
            point = Reached(spent / full_length, metric.value(trial.score), trial.label)
            lines.setdefault(trial.data_fraction, []).append(point)
    return lines


def reached_figure(
    lines: dict[float, list[Reached]], baselines: Sequence[BaselineLine], metric: MetricRecord
) -> go.Figure:
    """One line for each data fraction, with the best baseline."""
    figure = base_figure(340, "compute, in full-length trainings", metric.title("best validation"))
    end = max((point.trainings for line in lines.values() for point in line), default=1.0)
    for fraction, line in sorted(lines.items()):
        on = "all data" if fraction == 1 else on_data(fraction)
        figure.add_scatter(
            x=[*(p.trainings for p in line), end],
            y=[*(p.value for p in line), line[-1].value],
            mode="lines+markers",
            line={"shape": "hv", "color": ACCENT, "dash": "solid" if fraction == 1 else "dash"},
            text=[*(plain(p.name) for p in line), ""],
            name=f"searched, on {on}",
            hovertemplate=f"%{{text}}: %{{y:{metric.digits()}}}{metric.behind} after %{{x:.1f}} trainings"
            "<extra></extra>",
        )
        known = [b for b in baselines if b.data_fraction == fraction]
        if known:
            best = (max if metric.larger_is_better else min)(known, key=lambda b: b.value)
            figure.add_scatter(
                x=[0, end],
                y=[best.value] * 2,
                mode="lines",
                line={"color": MUTED, "dash": "dot"},
                name=f"best baseline on {on}: {short(best.name)}",
                hovertemplate=f"{plain(best.name)}: {metric.number(best.value)}{metric.behind}<extra></extra>",
            )
    return figure


def reached_chart(facts: RunFacts) -> Chart | None:
    """The chart for a search with a complete trial that is not a baseline."""
    lines = reached(facts.trials, facts.full_length, facts.trial_metric)
    if not lines:
        return None
    baselines = trial_history(facts.trials, facts.trial_metric).baselines
    return Chart(
        "reached",
        "search",
        "Best so far",
        f"The best validation {facts.trial_metric.name} so far against the compute spent.",
        reached_figure(lines, baselines, facts.trial_metric),
        ("data", "trainings", facts.trial_metric.title(), "trial"),
        [(f"{100 * s:g} %", p.trainings, p.value, p.name) for s, line in lines.items() for p in line],
        is_folded=True,
    )
