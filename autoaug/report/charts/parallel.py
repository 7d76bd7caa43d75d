"""Parallel coordinates: all choices of each trial and its value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import MUTED, WARN, base_figure, on_data, short
from autoaug.results import MetricRecord, TrialSummary

_MOST_DIMENSIONS = 10
_FEWEST_TRIALS = 4
#: Pixels of a character of a tick, with some room: the ticks of the first axis are left of it.
_CHARACTER = 8


class Choices(NamedTuple):
    """Complete drawn trials with the same `data_fraction`: the values of each choice that all of them made, and the
    trials' values in the metric's unit.
    """

    data_fraction: float
    choices: dict[str, tuple[float | str, ...]]
    values: tuple[float, ...]

    def table(self, metric: MetricRecord) -> tuple[tuple[str, ...], list[tuple[float | str, ...]]]:
        """The head and the rows of the table."""
        return (metric.title(), *self.choices), list(zip(self.values, *self.choices.values(), strict=True))


def choices(trials: Sequence[TrialSummary], metric: MetricRecord) -> Choices | None:
    """The largest group of trials with one data fraction; None if it has fewer than four, or no common choice."""
    groups: dict[float, list[tuple[TrialSummary, float]]] = defaultdict(list)
    for trial in trials:
        if trial.params and trial.score is not None:
            groups[trial.data_fraction].append((trial, metric.value(trial.score)))
    data_fraction, group = max(groups.items(), key=lambda item: len(item[1]), default=(1.0, []))
    if len(group) < _FEWEST_TRIALS:
        return None
    params = [trial.params for trial, _ in group]
    common = [name for name in params[0] if all(name in p for p in params)]
    varied = [name for name in common if len({p[name] for p in params}) > 1][:_MOST_DIMENSIONS]
    if not varied:
        return None
    given = {name: tuple(p[name] for p in params) for name in varied}
    return Choices(data_fraction, given, tuple(value for _, value in group))


def parallel_figure(chosen: Choices, metric: MetricRecord) -> go.Figure:
    """One line per trial through all choices to its value."""
    dimensions = []
    for name, values in chosen.choices.items():
        if all(isinstance(value, int | float) for value in values):
            dimensions.append({"label": short(name), "values": values})
        else:
            kinds = sorted({str(value) for value in values})
            places = [kinds.index(str(value)) for value in values]
            ticks = [short(kind) for kind in kinds]
            dimensions.append(
                {"label": short(name), "values": places, "tickvals": [*range(len(kinds))], "ticktext": ticks}
            )
    dimensions.append({"label": metric.title(), "values": chosen.values})
    figure = base_figure(420, "")
    figure.add_parcoords(
        dimensions=dimensions,
        line={
            "color": chosen.values,
            "colorscale": [[0, MUTED], [0.5, "#56B4E9"], [1, WARN]],
            "showscale": False,
        },
        rangefont={"size": 1, "color": "rgba(0,0,0,0)"},  # ticks have the numbers; these would be below the labels
        labelangle=-20,
        labelside="bottom",
    )
    widest = max(len(str(tick)) for tick in dimensions[0].get("ticktext", [""]))
    figure.update_layout(margin={"l": max(120, _CHARACTER * widest), "r": 110, "t": 32, "b": 90})
    return figure


def parallel_chart(facts: RunFacts) -> Chart | None:
    """The chart for a search whose trials made the same choices."""
    chosen = choices(facts.trials, facts.trial_metric)
    if chosen is None:
        return None
    return Chart(
        "parallel",
        "search",
        f"Choices and {facts.trial_metric.name}",
        f"Each line is one of the trials on {on_data(chosen.data_fraction)}, through every choice that all of them "
        f"made to its {facts.trial_metric.name}.",
        parallel_figure(chosen, facts.trial_metric),
        *chosen.table(facts.trial_metric),
        is_folded=True,
    )
