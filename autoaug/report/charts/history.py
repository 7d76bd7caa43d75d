"""The trials of a search in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, MUTED, base_figure, count_whole, in_lines, on_data, plain
from autoaug.results import MetricRecord, TrialSummary, known_policies


class TrialPoint(NamedTuple):
    """A trial that is not a baseline: its value at its last rung, trained on a `data_fraction` of the split."""

    number: int
    name: str
    status: str
    value: float
    data_fraction: float


class BaselineLine(NamedTuple):
    """The value of a baseline in the search, trained on a `data_fraction` of the training split."""

    name: str
    value: float
    data_fraction: float


class TrialHistory(NamedTuple):
    """Trials, the best complete trial so far for each data fraction, and baselines; values are in the metric's unit."""

    trials: tuple[TrialPoint, ...]
    best: dict[float, tuple[tuple[int, float], ...]]
    baselines: tuple[BaselineLine, ...]


def trial_history(trials: Sequence[TrialSummary], metric: MetricRecord) -> TrialHistory:
    """The trials in order."""
    points: list[TrialPoint] = []
    best: dict[float, list[tuple[int, float]]] = {}
    baselines, known = [], known_policies(trials)
    for trial in trials:
        score = trial.score if trial.score is not None else trial.curve[-1][1] if trial.curve else None
        if trial.is_baseline and trial.score is not None:
            baselines.append(BaselineLine(trial.name, metric.value(trial.score), trial.data_fraction))
        if trial.is_baseline or score is None:
            continue
        points.append(TrialPoint(trial.number, trial.label, trial.status, metric.value(score), trial.data_fraction))
        if trial.score is not None and trial.fingerprint not in known:
            so_far = best.setdefault(trial.data_fraction, [])
            so_far.append((trial.number, max(trial.score, so_far[-1][1] if so_far else trial.score)))
    lines = {
        fraction: tuple((number, metric.value(score)) for number, score in line) for fraction, line in best.items()
    }
    return TrialHistory(tuple(points), lines, tuple(baselines))


def history_figure(history: TrialHistory, metric: MetricRecord) -> go.Figure:
    """One point per trial; lines for the baselines and, for each data fraction, for the best so far."""
    figure = base_figure(380, "trial", metric.title("validation"))
    fractions = sorted({p.data_fraction for p in history.trials})
    for fraction in fractions:
        on = "" if fractions == [1.0] else f", on {on_data(fraction)}"
        for status, color, symbol in (("complete", ACCENT, "circle"), ("pruned", MUTED, "x-thin-open")):
            points = [p for p in history.trials if p.status == status and p.data_fraction == fraction]
            if points:
                figure.add_scatter(
                    x=[p.number for p in points],
                    y=[p.value for p in points],
                    mode="markers",
                    marker={"color": color, "symbol": symbol if fraction == 1 else f"{symbol}-open", "size": 8},
                    name=("complete" if status == "complete" else "pruned (at its last rung)") + on,
                    text=[plain(p.name) for p in points],
                    hovertemplate=f"trial %{{x}}, %{{text}}: %{{y:{metric.digits(2)}}}{metric.behind}<extra></extra>",
                )
    for i, line in enumerate(history.best.values()):
        figure.add_scatter(
            x=[number for number, _ in line],
            y=[value for _, value in line],
            mode="lines",
            line={"color": ACCENT, "shape": "hv", "width": 1.5},
            name="best so far",
            legendgroup="best",
            showlegend=i == 0,
            hoverinfo="skip",
        )
    _add_baselines(figure, history, metric)
    count_whole(figure, max((p.number for p in history.trials), default=1))
    return figure


def _add_baselines(figure: go.Figure, history: TrialHistory, metric: MetricRecord) -> None:
    last = max((p.number for p in history.trials), default=1)
    for line in history.baselines:
        figure.add_scatter(
            x=[0, last],
            y=[line.value, line.value],
            mode="lines",
            line={"color": MUTED, "dash": "dot", "width": 1},
            hovertemplate=f"{plain(line.name)}: {metric.number(line.value)}{metric.behind}<extra></extra>",
            showlegend=False,
        )
    seen = [p.value for p in history.trials] + [line.value for line in history.baselines]
    for fraction in sorted({line.data_fraction for line in history.baselines}):
        on = "" if fraction == 1 else f", on\u00a0{100 * fraction:g}\u00a0%"
        lines = [line for line in history.baselines if line.data_fraction == fraction]
        for names, value in _spread(lines, on, apart=0.06 * (max(seen) - min(seen))):
            text = in_lines(plain(names) + on)
            figure.add_annotation(x=last, y=value, text=text, xanchor="right", yanchor="bottom", showarrow=False)
    figure.update_annotations(font_size=11, align="right")


def _spread(lines: Iterable[BaselineLine], on: str, apart: float) -> list[tuple[str, float]]:
    """Merge the labels of lines so that labels, which end with `on` and need `apart` per line of text, do not
    overlap.
    """
    labels: list[tuple[str, float]] = []
    for line in sorted(lines, key=lambda line: line.value):
        if labels and line.value - labels[-1][1] < apart * (1 + in_lines(labels[-1][0] + on).count("<br>")):
            labels[-1] = f"{labels[-1][0]}, {line.name}", labels[-1][1]
        else:
            labels.append((line.name, line.value))
    return labels


def history_chart(facts: RunFacts) -> Chart | None:
    """The chart for a search with a scored trial that is not a baseline."""
    history = trial_history(facts.trials, facts.trial_metric)
    if not history.trials:
        return None
    return Chart(
        "history",
        "search",
        "Trial by trial",
        f"Validation {facts.trial_metric.name} of the trials in order; dotted lines are baselines. Only values on "
        "the same share of the data compare.",
        history_figure(history, facts.trial_metric),
    )
