"""Figures of a search in detail."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from autoaug.report.figures import ACCENT, MUTED, WARN, base_figure, short, styled
from autoaug.report.numbers import AffinityRow, Baseline
from autoaug.report.search_numbers import Busy, Curve, Parallel, Reached

_STATUS = {"complete": ACCENT, "pruned": MUTED, "failed": WARN}
_MOST_CURVES = 150


def reached_figure(lines: dict[float, list[Reached]], baselines: Sequence[Baseline]) -> go.Figure:
    """The best so far against the compute spent, for each share of the data, with the best baseline there."""
    figure = base_figure(340, "compute, in trainings of full length", "best validation accuracy, %")
    end = max((point.trainings for line in lines.values() for point in line), default=1.0)
    for data_fraction, line in sorted(lines.items()):
        on = "all data" if data_fraction == 1 else f"{100 * data_fraction:g} % of the data"
        figure.add_scatter(
            x=[*(p.trainings for p in line), end],
            y=[*(p.accuracy for p in line), line[-1].accuracy],
            mode="lines+markers",
            line={"shape": "hv", "color": ACCENT, "dash": "solid" if data_fraction == 1 else "dash"},
            text=[*(escape(p.name) for p in line), ""],
            name=f"searched, on {on}",
            hovertemplate="%{text}: %{y:.2f} % after %{x:.1f} trainings<extra></extra>",
        )
        known = [b for b in baselines if b.data_fraction == data_fraction]
        if known:
            best = max(known, key=lambda b: b.accuracy)
            figure.add_scatter(
                x=[0, end],
                y=[best.accuracy] * 2,
                mode="lines",
                line={"color": MUTED, "dash": "dot"},
                name=f"best baseline there: {short(best.name)}",
                hovertemplate=f"{escape(best.name)}: {best.accuracy:.2f} %<extra></extra>",
            )
    return figure


def curves_figure(curves: list[Curve]) -> go.Figure:
    """Learning curves; those that were pruned end early."""
    figure = base_figure(340, "epoch", "validation accuracy, %")
    shown: set[str] = set()
    for curve in curves[-_MOST_CURVES:]:
        figure.add_scatter(
            x=[step for step, _ in curve.points],
            y=[value for _, value in curve.points],
            mode="lines+markers",
            opacity=0.55,
            line={"color": _STATUS[curve.status], "width": 1.5},
            marker={"size": 5},
            name=curve.status,
            legendgroup=curve.status,
            showlegend=curve.status not in shown,
            hovertemplate=f"{escape(curve.name)}, epoch %{{x}}: %{{y:.2f}} %<extra></extra>",
        )
        shown.add(curve.status)
    return figure


def parallel_figure(found: Parallel) -> go.Figure:
    """A line a trial through all choices to its accuracy."""
    dimensions = []
    for name, values in found.choices.items():
        if all(isinstance(value, int | float) for value in values):
            dimensions.append({"label": short(name), "values": values})
        else:
            kinds = sorted({str(value) for value in values})
            places = [kinds.index(str(value)) for value in values]
            ticks = [short(kind) for kind in kinds]
            dimensions.append(
                {"label": short(name), "values": places, "tickvals": [*range(len(kinds))], "ticktext": ticks}
            )
    dimensions.append({"label": "accuracy, %", "values": found.accuracies})
    figure = base_figure(420, "")
    figure.add_parcoords(
        dimensions=dimensions,
        line={"color": found.accuracies, "colorscale": [[0, MUTED], [0.5, "#56B4E9"], [1, WARN]], "showscale": False},
        labelangle=-20,
        labelside="bottom",
    )
    figure.update_layout(margin={"l": 120, "r": 60, "t": 32, "b": 90})
    return figure


def slices_figure(found: Parallel) -> go.Figure:
    """For each choice the accuracies over its values."""
    names = list(found.choices)
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = make_subplots(rows, columns, subplot_titles=[short(name) for name in names], shared_yaxes=True)
    for i, name in enumerate(names):
        values = [v if isinstance(v, int | float) else short(str(v)) for v in found.choices[name]]
        figure.add_scatter(
            x=values,
            y=found.accuracies,
            mode="markers",
            marker={"color": ACCENT, "opacity": 0.6, "size": 6},
            showlegend=False,
            hovertemplate="%{x}: %{y:.2f} %<extra></extra>",
            row=i // columns + 1,
            col=i % columns + 1,
        )
    styled(figure, 80 + 210 * rows).update_layout(margin_t=40)
    figure.update_annotations(font_size=12)
    return figure


def timeline_figure(rows: list[Busy]) -> go.Figure:
    """Which worker was busy when."""
    lanes = max(row.lane for row in rows) + 1
    figure = base_figure(110 + 34 * lanes, "seconds since the first trial began")
    for status, color in _STATUS.items():
        own = [row for row in rows if row.status == status]
        if own:
            figure.add_bar(
                base=[row.begin for row in own],
                x=[row.end - row.begin for row in own],
                y=[f"slot {row.lane + 1}" for row in own],
                orientation="h",
                marker={"color": color, "line": {"width": 1, "color": "rgba(255,255,255,0.6)"}},
                text=[escape(row.name) for row in own],
                textposition="none",
                name=status,
                hovertemplate="%{text}: %{x:.1f} s from %{base:.1f} s<extra></extra>",
            )
    figure.update_layout(barmode="overlay")
    return figure


def affinity_figure(rows: list[AffinityRow]) -> go.Figure:
    """Affinity by diversity of each operator."""
    figure = base_figure(420, "affinity: share of the accuracy that is kept", "diversity: growth of the training loss")
    figure.add_scatter(
        x=[row.affinity for row in rows],
        y=[row.diversity for row in rows],
        text=[short(row.operator) for row in rows],
        mode="markers+text",
        textposition="top center",
        textfont={"size": 10},
        marker={"color": ACCENT, "size": 9, "opacity": 0.75},
        showlegend=False,
        hovertemplate="%{text}: affinity %{x:.2f}, diversity %{y:.1f}<extra></extra>",
    )
    return figure
