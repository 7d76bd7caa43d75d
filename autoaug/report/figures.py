"""From numbers to Plotly figures. Names are escaped: Plotly's labels would take tags in them for markup."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go

from autoaug.report.numbers import CandidateRow, ComparedRow, FrontPoint, Trajectory

#: A palette that color-blind readers can tell apart (Wong, 2011) and that works on white and on black.
COLORS = {"searched": "#0072B2", "baseline": "#808a93", "control": "#D55E00"}
_LONGEST = 32
ACCENT, MUTED, WARN = COLORS["searched"], COLORS["baseline"], COLORS["control"]


def base_figure(height: int, x: str, y: str = "") -> go.Figure:
    """An empty figure with titles for its axes: see `styled`."""
    figure = styled(go.Figure(), height)
    figure.update_xaxes(title_text=x, automargin=True, zeroline=False)
    figure.update_yaxes(title_text=y, automargin=True, zeroline=False)
    return figure


def styled(figure: go.Figure, height: int) -> go.Figure:
    """The same figure in the house's style; `height` in pixels."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 16, "t": 16, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"align": "left"},
    )
    return figure


def candidates_figure(rows: list[CandidateRow]) -> go.Figure:
    """Test accuracy of each candidate: mean, 95 % interval, and a faint dot a seed."""
    figure = base_figure(110 + 34 * len(rows), "test accuracy, %")
    for kind, color in COLORS.items():
        chosen = [row for row in rows if row.kind == kind]
        if not chosen:
            continue
        names = [_label(row) for row in chosen]
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
                "array": [row.high - row.mean for row in chosen],
                "arrayminus": [row.mean - row.low for row in chosen],
                "thickness": 2,
                "width": 6,
            },
            mode="markers",
            marker={"color": color, "size": 11, "symbol": "diamond"},
            name=kind,
            hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=[_label(row) for row in reversed(rows)])
    return figure


def _label(row: CandidateRow) -> str:
    name = short(row.name)
    return f"<b>{name}</b> ◂ returned" if row.returned else name


def short(name: str) -> str:
    """A name for an axis: escaped, and cut where it would leave no room for the chart."""
    return escape(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")


def history_figure(history: Trajectory) -> go.Figure:
    """Validation accuracy over the trials; for each share of the data the best so far, and the baselines as lines."""
    figure = base_figure(380, "trial", "validation accuracy, %")
    shares = sorted({p.data_fraction for p in history.drawn})
    for data_fraction in shares:
        on = "" if shares == [1.0] else f", on {100 * data_fraction:g} % of the data"
        for status, color, symbol in (("complete", ACCENT, "circle"), ("pruned", MUTED, "x-thin-open")):
            points = [p for p in history.drawn if p.status == status and p.data_fraction == data_fraction]
            if points:
                figure.add_scatter(
                    x=[p.number for p in points],
                    y=[p.accuracy for p in points],
                    mode="markers",
                    marker={"color": color, "symbol": symbol if data_fraction == 1 else f"{symbol}-open", "size": 8},
                    name=("complete" if status == "complete" else "pruned (at its last rung)") + on,
                    text=[escape(p.name) for p in points],
                    hovertemplate="trial %{x}, %{text}: %{y:.2f} %<extra></extra>",
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
    last = max((p.number for p in history.drawn), default=1)
    for name, value, _ in history.baselines:
        figure.add_scatter(
            x=[0, last],
            y=[value, value],
            mode="lines",
            line={"color": MUTED, "dash": "dot", "width": 1},
            hovertemplate=f"{escape(name)}: {value:.2f} %<extra></extra>",
            showlegend=False,
        )
    seen = [p.accuracy for p in history.drawn] + [value for _, value, _ in history.baselines]
    lines = tuple((name, value) for name, value, _ in history.baselines)
    for name, value in _spread(lines, apart=0.05 * (max(seen) - min(seen))):
        figure.add_annotation(x=last, y=value, text=escape(name), xanchor="right", yanchor="bottom", showarrow=False)
    figure.update_annotations(font_size=11)
    return figure


def front_figure(points: list[FrontPoint], objectives: tuple[str, ...]) -> go.Figure:
    """The first two objectives of each trial, the third as the size; the front of best compromises stands out."""
    figure = base_figure(380, f"{objectives[0]}", f"{objectives[1]}")
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
            text=[f"{escape(p.name)}: " + ", ".join(f"{v:.3g}" for v in p.values) for p in chosen],
            hovertemplate="%{text}<extra></extra>",
        )
    return figure


def _spread(lines: tuple[tuple[str, float], ...], apart: float) -> list[tuple[str, float]]:
    """One label where lines lie less than `apart` from each other, so that none is written over another."""
    labels: list[tuple[str, float]] = []
    for name, value in sorted(lines, key=lambda line: line[1]):
        if labels and value - labels[-1][1] < apart:
            labels[-1] = f"{labels[-1][0]}, {name}", labels[-1][1]
        else:
            labels.append((name, value))
    return labels


def importance_figure(rows: list[tuple[str, float]]) -> go.Figure:
    """Share of the accuracy's variance that each choice explains."""
    figure = base_figure(90 + 26 * len(rows), "share of variance explained")
    figure.add_bar(
        x=[value for _, value in rows],
        y=[short(name) for name, _ in rows],
        orientation="h",
        marker_color=ACCENT,
        hovertemplate="%{y}: %{x:.2f}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed")
    return figure


def compared_figure(rows: list[ComparedRow]) -> go.Figure:
    """Mean and interval of every candidate, grouped by run; what a run returned stands out."""
    figure = base_figure(110 + 26 * len(rows), "test accuracy, %")
    for kind, color in COLORS.items():
        chosen = [row for row in rows if row.kind == kind]
        if chosen:
            figure.add_scatter(
                x=[row.mean for row in chosen],
                y=[[short(row.run) for row in chosen], [short(row.name) for row in chosen]],
                error_x={
                    "array": [row.high - row.mean for row in chosen],
                    "arrayminus": [row.mean - row.low for row in chosen],
                },
                mode="markers",
                marker={"color": color, "size": 10, "symbol": ["star" if r.returned else "diamond" for r in chosen]},
                name=kind,
                hovertemplate="%{x:.2f} %<extra></extra>",
            )
    figure.update_yaxes(autorange="reversed")
    return figure
