"""The robustness of the model to corruptions."""

from __future__ import annotations

import plotly.graph_objects as go

from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, MUTED, WARN, base_figure, plain
from autoaug.results import MetricRecord
from autoaug.results.robustness import Robustness


def corrupted(measurement: Robustness) -> dict[str, tuple[float, ...]]:
    """Values on clean samples and at severities 1 to 5, for each corruption and their ``mean``."""
    lines = {
        name: tuple(measurement.metric.value(score) for score in (measurement.clean, *scores))
        for name, scores in sorted(measurement.corrupted.items(), key=lambda line: -line[1][-1])
    }
    mean = tuple(sum(values) / len(lines) for values in zip(*lines.values(), strict=True))
    return {**lines, "mean": mean}


def robustness_figure(lines: dict[str, tuple[float, ...]], attacked: float, metric: MetricRecord) -> go.Figure:
    """Values by severity: a thin line for each corruption and a thick line for their mean."""
    figure = base_figure(380, "severity of the corruption (0: clean)", metric.title())
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
            hovertemplate=f"{plain(name)}, severity %{{x}}: %{{y:.1f}}{metric.behind}<extra></extra>",
        )
    worst = [name for name in lines if name != "mean"]
    for name in (worst[-1], "mean") if worst else ():
        figure.add_annotation(
            x=len(lines[name]) - 1, y=lines[name][-1], text=plain(name), xanchor="left", showarrow=False, xshift=6
        )
    figure.add_hline(
        y=attacked,
        line_color=WARN,
        line_dash="dot",
        annotation_text="under the attack",
        annotation_position="bottom right",
    )
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(range=[-0.1, 6.4], tickvals=list(range(6)))
    return figure


def robustness_chart(facts: RunFacts) -> Chart | None:
    """The chart for a run whose robustness was measured."""
    measurement = facts.robustness
    if measurement is None:
        return None
    lines, metric = corrupted(measurement), measurement.metric
    return Chart(
        "robustness",
        "robustness",
        f"{metric.heading} under common corruptions",
        "Each line is a corruption at severities 1 to 5, with clean samples at 0. The thick line is their mean; the "
        f"dotted line is the {metric.name} under the attack.",
        robustness_figure(lines, metric.value(measurement.attacked), metric),
        ("corruption", "clean", *(f"severity {i}" for i in range(1, 6))),
        [(name, *values) for name, values in lines.items()],
    )
