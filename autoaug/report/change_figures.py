"""Figures of what a policy changed."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from autoaug.report.change_numbers import Classes, Confusion, Difference
from autoaug.report.figures import ACCENT, MUTED, WARN, base_figure, short, styled


def classes_figure(classes: Classes) -> go.Figure:
    """Accuracy per class before and after, the largest loss first."""
    shown = classes.rows if len(classes.rows) <= 40 else (*classes.rows[:20], *classes.rows[-20:])
    figure = base_figure(110 + 24 * len(shown), "accuracy on the class, %")
    names = [short(row.name) for row in shown]
    for row, name in zip(shown, names, strict=True):
        figure.add_scatter(
            x=[row.before, row.after],
            y=[name, name],
            mode="lines",
            line={"color": ACCENT if row.after >= row.before else WARN, "width": 2},
            showlegend=False,
            hoverinfo="skip",
        )
    for label, values, color, symbol in (
        (classes.before, [row.before for row in shown], MUTED, "circle-open"),
        (classes.after, [row.after for row in shown], ACCENT, "circle"),
    ):
        figure.add_scatter(
            x=values,
            y=names,
            mode="markers",
            marker={"color": color, "size": 9, "symbol": symbol, "line": {"width": 2}},
            name=escape(label),
            hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], type="category")
    return figure


def confusion_figure(found: Confusion, names: tuple[str, str]) -> go.Figure:
    """Both matrices side by side; the diagonal, which is large, is left out of the colors."""
    labels = [short(name) for name in found.classes]
    figure = make_subplots(
        1, 2, subplot_titles=[short(name) for name in names], shared_yaxes=True, horizontal_spacing=0.04
    )
    off = [v for rows in (found.before, found.after) for i, row in enumerate(rows) for j, v in enumerate(row) if i != j]
    for column, rows in enumerate((found.before, found.after), start=1):
        figure.add_heatmap(
            z=rows,
            x=labels,
            y=labels,
            zmin=0,
            zmax=max(off, default=1.0),
            colorscale=[[0, "rgba(128,138,147,0.08)"], [1, ACCENT]],
            showscale=False,
            row=1,
            col=column,
            hovertemplate="%{y} taken for %{x}: %{z:.1f} %<extra></extra>",
            xgap=1,
            ygap=1,
        )
    styled(figure, 160 + 26 * len(labels)).update_layout(margin_t=40)
    figure.update_xaxes(automargin=True, type="category", title_text="predicted")
    figure.update_yaxes(automargin=True, type="category", autorange="reversed")
    return figure


def differences_figure(rows: list[Difference], ci95: tuple[float, float], mean: float) -> go.Figure:
    """The difference of each seed, with the mean and its interval (in percent)."""
    figure = base_figure(170, "difference in test accuracy, points")
    figure.add_vrect(x0=ci95[0], x1=ci95[1], fillcolor=ACCENT, opacity=0.15, line_width=0)
    figure.add_vline(x=mean, line_color=ACCENT, line_width=2)
    figure.add_vline(x=0, line_color=MUTED, line_dash="dot")
    figure.add_scatter(
        x=[row.difference for row in rows],
        y=[0] * len(rows),
        mode="markers",
        marker={"color": [ACCENT if row.difference > 0 else WARN for row in rows], "size": 10, "opacity": 0.7},
        text=[f"seed {row.seed}: {row.candidate:.2f} against {row.baseline:.2f}" for row in rows],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(visible=False, range=[-1, 1])
    return figure


def robustness_figure(lines: dict[str, tuple[float, ...]], attacked: float) -> go.Figure:
    """Accuracy (in percent) over severity: a thin line for each corruption, a thick one for their mean."""
    figure = base_figure(380, "severity of the corruption (0: clean)")
    for name, values in lines.items():
        is_mean = name == "mean"
        figure.add_scatter(
            x=list(range(len(values))),
            y=values,
            mode="lines+markers" if is_mean else "lines",
            line={"color": ACCENT if is_mean else MUTED, "width": 3 if is_mean else 1},
            opacity=1.0 if is_mean else 0.6,
            showlegend=False,
            name=name,
            hovertemplate=f"{escape(name)}, severity %{{x}}: %{{y:.1f}} %<extra></extra>",
        )
    worst = [name for name in lines if name != "mean"]
    for name in (worst[-1], "mean") if worst else ():
        figure.add_annotation(
            x=len(lines[name]) - 1, y=lines[name][-1], text=escape(name), xanchor="left", showarrow=False, xshift=6
        )
    figure.add_hline(
        y=attacked,
        line_color=WARN,
        line_dash="dot",
        annotation_text="under the attack",
        annotation_position="bottom left",
    )
    figure.update_yaxes(title_text="accuracy, %", rangemode="tozero")
    figure.update_xaxes(range=[-0.1, 6.4], tickvals=list(range(6)))
    return figure
