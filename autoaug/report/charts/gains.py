"""What the returned policy gains over what its user would have used."""

from __future__ import annotations

from textwrap import wrap

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, MUTED, WARN, base_figure, plain
from autoaug.report.tables.claims import ClaimRow, claim_rows
from autoaug.results import MetricRecord

#: The most characters in a line of text: a phone has room for so many.
_WIDTH = 42
#: Colors by what is proven.
_COLORS = {"better": ACCENT, "worse": WARN, "not proven": MUTED}


def gains_figure(rows: list[ClaimRow], metric: MetricRecord) -> go.Figure:
    """A row per claim: the difference with its 95 % interval, under what it says."""
    unit = f", {metric.points}" if metric.points else ""
    figure = base_figure(90 + 76 * len(rows), f"difference in test {metric.name}{unit}")
    for place, row in enumerate(rows):
        reach = (row.high - row.difference, row.difference - row.low) if row.has_interval else (0.0, 0.0)
        between = f"{metric.number(row.low, sign='+')} to {metric.number(row.high, sign='+')}"
        figure.add_scatter(
            x=[row.difference],
            y=[place],
            error_x={"array": reach[:1], "arrayminus": reach[1:], "thickness": 3, "width": 8},
            mode="markers",
            marker={"color": _COLORS[row.proven], "size": 13, "symbol": "diamond"},
            showlegend=False,
            hovertemplate=f"{between if row.has_interval else 'too few seeds for an interval'}<extra></extra>",
        )
        figure.add_shape(x0=0, x1=0, y0=place - 0.12, y1=place + 0.25, line={"color": MUTED, "dash": "dot"})
        # Above the line, not beside it: there, a phone would have no room left.
        lines = wrap(f"over {row.name}, {row.against}: {row.proven}", _WIDTH)
        figure.add_annotation(
            text=f"<b>{metric.number(row.difference, sign='+')}</b> {'<br>'.join(map(plain, lines))}",
            showarrow=False,
            align="left",
            **{"x": 0, "xref": "paper", "xanchor": "left", "y": place - 0.16, "yanchor": "bottom"},
        )
    figure.update_yaxes(visible=False, range=[len(rows) - 0.6, -0.85])
    return figure


def gains_chart(facts: RunFacts) -> Chart | None:
    """The chart for a run whose policy is compared with known ones."""
    rows = [] if facts.result is None else claim_rows(facts.result, facts.metric)
    if not rows:
        return None
    line = "Each line is the 95 % interval for new seeds and new samples; a policy is “better” or “worse” where all of "
    line += "it is on one side of 0."
    vague = "Seeds are too few for an interval: nothing is proven about the returned policy."
    words = line if any(row.has_interval for row in rows) else vague
    less = "" if facts.metric.larger_is_better else " Lower is better."
    return Chart(
        "gains",
        "gains",
        "",
        words + less,
        gains_figure(rows, facts.metric),
    )
