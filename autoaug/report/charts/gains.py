"""What the returned policy gains over what its user would have used."""

from __future__ import annotations

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, MUTED, WARN, base_figure, short
from autoaug.report.tables.claims import ClaimRow, claim_rows
from autoaug.results import MetricRecord

#: Colors by what is proven.
_COLORS = {"better": ACCENT, "worse": WARN, "not proven": MUTED}


def gains_figure(rows: list[ClaimRow], metric: MetricRecord) -> go.Figure:
    """A row per claim: the difference with its 95 % interval, and the text of both."""
    figure = base_figure(
        100 + 64 * len(rows), f"difference in test {metric.name}{metric.points and ', '}{metric.points}"
    )
    names = [f"{row.against[:1].upper()}{row.against[1:]}<br>{short(row.name)}" for row in rows]
    for row, name in zip(rows, names, strict=True):
        reach = (row.high - row.difference, row.difference - row.low) if row.has_interval else (0.0, 0.0)
        figure.add_scatter(
            x=[row.difference],
            y=[name],
            error_x={"array": reach[:1], "arrayminus": reach[1:], "thickness": 3, "width": 8},
            mode="markers+text",
            marker={"color": _COLORS[row.proven], "size": 13, "symbol": "diamond"},
            text=[f"<b>{metric.number(row.difference, sign='+')}</b> {row.proven}"],
            textposition="top center",
            showlegend=False,
            hovertemplate=f"{metric.number(row.low, sign='+')} to {metric.number(row.high, sign='+')}<extra></extra>"
            if row.has_interval
            else "too few seeds for an interval<extra></extra>",
        )
    figure.add_vline(x=0, line_color=MUTED, line_dash="dot")
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], range=[-0.5, len(names) - 0.3])
    return figure


def gains_chart(facts: RunFacts) -> Chart | None:
    """The chart for a run whose policy is compared with known ones."""
    rows = [] if facts.result is None else claim_rows(facts.result, facts.metric)
    if not rows:
        return None
    less = "" if facts.metric.larger_is_better else " Less is better."
    return Chart(
        "gains",
        "gains",
        "",
        "Each line is the 95 % interval for new seeds and new samples; a policy is “better” or “worse” where all of it "
        f"is on one side of 0.{less}",
        gains_figure(rows, facts.metric),
    )
