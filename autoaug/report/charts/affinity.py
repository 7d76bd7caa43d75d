"""What each operator does to a model that has never seen it."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, base_figure, short
from autoaug.results import SearchResult

#: The share of its accuracy that a model keeps under a strength that is safe for the labels.
_KEPT = 0.9
#: The room that a name takes in the figure, as shares of its width and height.
_NAME_WIDTH, _NAME_HEIGHT = 0.09, 0.045
_WORDS = (
    "Each operator at half of its highest strength, shown to one model that was trained without augmentation: affinity "
    "is the share of its {metric} that is kept on augmented validation samples, diversity how many times its loss on "
    "augmented training samples grows (Gontijo-Lopes et al., 2020). The label-safe range is the share of the highest "
    "strength at which 90 % of the {metric} is kept. Only where to start follows from this, not what is tried. A name "
    "that would be written over another stands in the table alone."
)


class AffinityRow(NamedTuple):
    """What an operator at half its highest strength does to a model that has never seen it: the share of the accuracy
    that is kept on validation samples, and how many times the loss on training samples grows; and the highest strength,
    as a share of the operator's highest magnitude in the space, at which the model keeps 90 % of its accuracy: None
    where even the lowest measured costs more.
    """

    operator: str
    affinity: float
    diversity: float
    safe_strength: float | None


def affinities(result: SearchResult) -> list[AffinityRow]:
    """Operators by affinity, the best first; empty where it was not measured."""
    rows = []
    for name, measurements in result.probes.get("affinity", {}).get("operators", {}).items():
        kept, growth = next((kept, growth) for strength, kept, growth in measurements if strength == 0.5)
        safe = max((strength for strength, kept, _ in measurements if kept >= _KEPT), default=None)
        rows.append(AffinityRow(name, kept, growth, safe))
    return sorted(rows, key=lambda row: -row.affinity)


def affinity_figure(rows: list[AffinityRow], metric: str) -> go.Figure:
    """Affinity by diversity of each operator."""
    figure = base_figure(420, f"affinity: share of the {metric} that is kept", "diversity: growth of the training loss")
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
    """The operators whose names can be written beside their points without covering one another."""
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
    """Of a finished search that measured it."""
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
