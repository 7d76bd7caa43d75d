"""Confusion matrices, before and after."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from autoaug.report.before_after import before_and_after
from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, short, styled
from autoaug.results import SearchResult

_MOST_CLASSES = 40
#: Up to this number of classes, percentages fit into the cells.
_MOST_WRITTEN = 12

Shares = tuple[tuple[float, ...], ...]


class Confusion(NamedTuple):
    """For two candidates, how often each true class (a row) is predicted as each class, in percent."""

    classes: tuple[str, ...]
    names: tuple[str, str]
    before: Shares
    after: Shares


def confusion(result: SearchResult) -> Confusion | None:
    """The confusion matrices; None if there is no second candidate, or there are too many classes to read them."""
    pair = before_and_after(result)
    if pair is None or len(result.data.classes) > _MOST_CLASSES or not all(c.confusion for c in pair):
        return None
    before, after = (tuple(tuple(100 * n / max(1, sum(row)) for n in row) for row in c.confusion) for c in pair)
    return Confusion(result.data.classes, (pair[0].name, pair[1].name), before, after)


def confusion_figure(matrices: Confusion) -> go.Figure:
    """Both matrices side by side; the color scale ignores the diagonal, whose values are large."""
    labels = [short(name) for name in matrices.classes]
    titles = [short(name) for name in matrices.names]
    figure = make_subplots(1, 2, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.04)
    off = [
        v
        for rows in (matrices.before, matrices.after)
        for i, row in enumerate(rows)
        for j, v in enumerate(row)
        if i != j
    ]
    for column, rows in enumerate((matrices.before, matrices.after), start=1):
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
            texttemplate="%{z:.0f}" if len(labels) <= _MOST_WRITTEN else None,
            hovertemplate="%{y} predicted as %{x}: %{z:.1f} %<extra></extra>",
            xgap=1,
            ygap=1,
        )
    styled(figure, 160 + 26 * len(labels)).update_layout(margin_t=40)
    figure.update_xaxes(automargin=True, type="category", title_text="predicted")
    figure.update_yaxes(automargin=True, type="category", autorange="reversed")
    return figure


def confusion_chart(facts: RunFacts) -> Chart | None:
    """The chart for a run with two candidates to compare."""
    matrices = None if facts.result is None else confusion(facts.result)
    if matrices is None:
        return None
    rows: list[tuple[str, str, float, float]] = [
        (name, other, matrices.before[i][j], matrices.after[i][j])
        for i, name in enumerate(matrices.classes)
        for j, other in enumerate(matrices.classes)
        if i != j and max(matrices.before[i][j], matrices.after[i][j]) >= 1
    ]
    before, after = matrices.names
    return Chart(
        "confusion",
        "classes",
        "Confusion between classes",
        f"Rows are the true classes, in percent; {before} on the left, {after} on the right.",
        confusion_figure(matrices),
        ("class", "predicted as", f"{before}, %", f"{after}, %"),
        sorted(rows, key=lambda row: max(row[2], row[3]), reverse=True),
    )
