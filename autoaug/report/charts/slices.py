"""What came of each choice of the trials, one choice at a time."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.parallel import Choices, choices
from autoaug.report.charts.style import ACCENT, on_data, short, styled
from autoaug.results import MetricRecord

_COLUMNS = 3


def slices_figure(found: Choices, metric: MetricRecord) -> go.Figure:
    """For each choice a dot per trial, over the choice's values."""
    names = list(found.choices)
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = make_subplots(rows, columns, subplot_titles=[short(name) for name in names], shared_yaxes=True)
    for i, name in enumerate(names):
        figure.add_scatter(
            x=[value if isinstance(value, int | float) else short(str(value)) for value in found.choices[name]],
            y=found.values,
            mode="markers",
            marker={"color": ACCENT, "opacity": 0.6, "size": 6},
            showlegend=False,
            hovertemplate=f"%{{x}}: %{{y:.2f}}{metric.behind}<extra></extra>",
            row=i // columns + 1,
            col=i % columns + 1,
        )
    styled(figure, 80 + 210 * rows).update_layout(margin_t=40)
    figure.update_annotations(font_size=12)
    return figure


def slices_chart(facts: RunFacts) -> Chart | None:
    """Of a search whose trials made the same choices."""
    found = choices(facts.trials, facts.metric)
    if found is None:
        return None
    return Chart(
        "slices",
        "search",
        "One choice at a time",
        f"The {facts.metric.name} of the trials on {on_data(found.data_fraction)} over the values of each choice.",
        slices_figure(found, facts.metric),
        *found.table(facts.metric),
    )
