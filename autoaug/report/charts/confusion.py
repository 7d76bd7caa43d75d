"""How the confusion between classes changed."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.report.before_after import before_and_after
from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import distinct, styled
from autoaug.results import SearchResult

_MOST_CLASSES = 40
#: Up to this number of classes, percentages fit into the cells.
_MOST_WRITTEN = 12

#: `WARN` and `ACCENT`, translucent so that text in the page's color is readable on them.
_SCALE = [[0, "rgba(213,94,0,0.65)"], [0.5, "rgba(128,138,147,0.06)"], [1, "rgba(0,114,178,0.65)"]]

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
    return Confusion(result.data.classes, (pair[0].label, pair[1].label), before, after)


def confusion_figure(matrices: Confusion) -> go.Figure:
    """What changed in each cell: more often in one color, less often in another, as strong as the largest change."""
    labels = distinct(matrices.classes)
    changes = [
        [after - before for before, after in zip(*rows, strict=True)]
        for rows in zip(matrices.before, matrices.after, strict=True)
    ]
    both = [list(zip(*rows, strict=True)) for rows in zip(matrices.before, matrices.after, strict=True)]
    largest = max((abs(change) for row in changes for change in row), default=0.0) or 1.0
    figure = styled(go.Figure(), 120 + 30 * len(labels))
    figure.add_heatmap(
        z=changes,
        customdata=both,
        x=labels,
        y=labels,
        zmin=-largest,
        zmax=largest,
        colorscale=_SCALE,
        showscale=False,
        text=[[f"{change:+.0f}" if round(change) else "" for change in row] for row in changes],
        texttemplate="%{text}" if len(labels) <= _MOST_WRITTEN else None,
        hovertemplate="%{y} predicted as %{x}: from %{customdata[0]:.1f} to %{customdata[1]:.1f} %<extra></extra>",
        xgap=1,
        ygap=1,
    )
    figure.update_xaxes(automargin=True, showgrid=False, type="category", title_text="predicted")
    figure.update_yaxes(automargin=True, showgrid=False, type="category", autorange="reversed", title_text="true class")
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
        "Which classes are confused",
        f"How many of 100 test samples of a class (a row) are predicted more or less often as each class with {after} "
        f"than with {before}. On the diagonal more is better, elsewhere less.",
        confusion_figure(matrices),
        ("class", "predicted as", f"{before}, %", f"{after}, %"),
        sorted(rows, key=lambda row: max(row[2], row[3]), reverse=True),
    )
