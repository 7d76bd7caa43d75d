"""The effect of each operator on a model trained without it."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, base_figure, short
from autoaug.results import SearchResult

#: The fraction of its accuracy that a model keeps at a label-safe strength.
_KEPT = 0.9
#: The space that a name takes in the figure, as fractions of its width and height.
_NAME_WIDTH, _NAME_HEIGHT = 0.09, 0.045
_WORDS = (
    "Each operator at half of its highest strength, evaluated on one model trained without augmentation. Affinity is "
    "the fraction of {metric} that is kept on augmented validation samples; diversity is the factor by which the loss "
    "on augmented training samples grows (Gontijo-Lopes et al., 2020). The label-safe range is the fraction of the "
    "highest strength up to which 90 % of the {metric} is kept. This sets only where the search starts, not what it "
    "tries. Names that would overlap are only in the table."
)


class AffinityRow(NamedTuple):
    """The effect of an operator at half its highest strength on a model trained without it: the fraction of accuracy
    that is kept on validation samples, and the factor by which the loss on training samples grows. `safe_strength` is
    the highest strength, as a fraction of the operator's highest magnitude in the space, at which the model keeps 90 %
    of its accuracy; None if it keeps less even at the lowest measured strength.
    """

    operator: str
    affinity: float
    diversity: float
    safe_strength: float | None


def affinities(result: SearchResult) -> list[AffinityRow]:
    """Operators by affinity, highest first; empty if it was not measured."""
    rows = []
    for name, measurements in result.probes.get("affinity", {}).get("operators", {}).items():
        kept, growth = next((kept, growth) for strength, kept, growth in measurements if strength == 0.5)
        safe = max((strength for strength, kept, _ in measurements if kept >= _KEPT), default=None)
        rows.append(AffinityRow(name, kept, growth, safe))
    return sorted(rows, key=lambda row: -row.affinity)


def affinity_figure(rows: list[AffinityRow], metric: str) -> go.Figure:
    """A scatter plot of the operators' affinity and diversity."""
    figure = base_figure(420, f"affinity: fraction of {metric} kept", "diversity: growth of the training loss")
    names = _readable(rows)
    figure.add_scatter(
        x=[row.affinity for row in rows],
        y=[row.diversity for row in rows],
        text=[short(row.operator) if row.operator in names else "" for row in rows],
        customdata=[short(row.operator) for row in rows],
        mode="markers+text",
        textposition="top center",
        textfont={"size": 10},
        marker={"color": ACCENT, "size": 9, "opacity": 0.75},
        showlegend=False,
        hovertemplate="%{customdata}: affinity %{x:.2f}, diversity %{y:.1f}<extra></extra>",
    )
    return figure


def _readable(rows: list[AffinityRow]) -> set[str]:
    """The operators whose names fit next to their points without overlap."""
    across = max(row.affinity for row in rows) - min(row.affinity for row in rows) or 1.0
    up = max(row.diversity for row in rows) - min(row.diversity for row in rows) or 1.0
    kept: list[AffinityRow] = []
    for row in rows:
        if not any(
            abs(row.affinity - other.affinity) < _NAME_WIDTH * across
            and abs(row.diversity - other.diversity) < _NAME_HEIGHT * up
            for other in kept
        ):
            kept.append(row)
    return {row.operator for row in kept}


def affinity_chart(facts: RunFacts) -> Chart | None:
    """The chart for a finished search that measured affinity."""
    rows = [] if facts.result is None else affinities(facts.result)
    if not rows:
        return None
    safe = ["none" if row.safe_strength is None else f"up to {row.safe_strength:g}" for row in rows]
    return Chart(
        "affinity",
        "operators",
        "",
        _WORDS.format(metric=facts.metric.name),
        affinity_figure(rows, facts.metric.name),
        ("operator", "affinity", "diversity", "label-safe range"),
        [(row.operator, row.affinity, row.diversity, words) for row, words in zip(rows, safe, strict=True)],
    )
