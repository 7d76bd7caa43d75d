"""The trials' values for each choice, one choice at a time."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.parallel import Choices, choices
from autoaug.report.charts.style import ACCENT, distinct, on_data, short, styled
from autoaug.results import MetricRecord

_COLUMNS = 3


def slices_figure(chosen: Choices, metric: MetricRecord) -> go.Figure:
    """For each choice, one dot per trial over the choice's values."""
    names = list(chosen.choices)
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = make_subplots(rows, columns, subplot_titles=[short(name) for name in names], shared_yaxes=True)
    for i, name in enumerate(names):
        values = chosen.choices[name]
        kinds = list(dict.fromkeys(value for value in values if isinstance(value, str)))
        labels = dict(zip(kinds, distinct(kinds), strict=True))
        figure.add_scatter(
            x=[labels[value] if isinstance(value, str) else value for value in values],
            y=chosen.values,
            mode="markers",
            marker={"color": ACCENT, "opacity": 0.6, "size": 6},
            showlegend=False,
            hovertemplate=f"%{{x}}: %{{y:{metric.digits(2)}}}{metric.behind}<extra></extra>",
            row=i // columns + 1,
            col=i % columns + 1,
        )
    styled(figure, 80 + 210 * rows).update_layout(margin_t=40)
    figure.update_annotations(font_size=12)
    return figure


def slices_chart(facts: RunFacts) -> Chart | None:
    """The chart for a search whose trials made the same choices."""
    chosen = choices(facts.trials, facts.trial_metric)
    if chosen is None:
        return None
    return Chart(
        "slices",
        "search",
        "One choice at a time",
        f"The {facts.trial_metric.name} of the trials on {on_data(chosen.data_fraction)} over the values of each "
        "choice.",
        slices_figure(chosen, facts.trial_metric),
        *chosen.table(facts.trial_metric),
        is_folded=True,
    )
