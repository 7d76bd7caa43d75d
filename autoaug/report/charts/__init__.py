"""The charts, one per file: first the numbers as frozen records, then a figure, then the chart of a run."""

from __future__ import annotations

from collections.abc import Callable

from autoaug.report.charts.candidates import candidates_chart
from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.classes import classes_chart
from autoaug.report.charts.confusion import confusion_chart
from autoaug.report.charts.curves import curves_chart
from autoaug.report.charts.differences import differences_chart
from autoaug.report.charts.front import front_chart
from autoaug.report.charts.gains import gains_chart
from autoaug.report.charts.history import history_chart
from autoaug.report.charts.importance import importance_chart
from autoaug.report.charts.parallel import parallel_chart
from autoaug.report.charts.reached import reached_chart
from autoaug.report.charts.robustness import robustness_chart
from autoaug.report.charts.slices import slices_chart
from autoaug.report.charts.timeline import timeline_chart

__all__ = ["CHARTS", "Chart", "RunFacts", "draw_charts"]

#: In page order. Each returns None if the run has nothing to show.
CHARTS: tuple[Callable[[RunFacts], Chart | None], ...] = (
    gains_chart,
    candidates_chart,
    differences_chart,
    classes_chart,
    confusion_chart,
    history_chart,
    reached_chart,
    curves_chart,
    parallel_chart,
    slices_chart,
    timeline_chart,
    importance_chart,
    front_chart,
    robustness_chart,
)


def draw_charts(facts: RunFacts) -> list[Chart]:
    """All charts that have something to show."""
    return [chart for draw in CHARTS if (chart := draw(facts)) is not None]
