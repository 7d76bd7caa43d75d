"""The charts, one in each file: numbers first, as frozen records, then a figure of them, then a chart of a run."""

from __future__ import annotations

from collections.abc import Callable

from autoaug.report.charts.affinity import affinity_chart
from autoaug.report.charts.candidates import candidates_chart
from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.classes import classes_chart
from autoaug.report.charts.confusion import confusion_chart
from autoaug.report.charts.curves import curves_chart
from autoaug.report.charts.differences import differences_chart
from autoaug.report.charts.front import front_chart
from autoaug.report.charts.history import history_chart
from autoaug.report.charts.importance import importance_chart
from autoaug.report.charts.parallel import parallel_chart
from autoaug.report.charts.reached import reached_chart
from autoaug.report.charts.robustness import robustness_chart
from autoaug.report.charts.slices import slices_chart
from autoaug.report.charts.timeline import timeline_chart

__all__ = ["CHARTS", "Chart", "RunFacts", "draw_charts"]

#: In the order of the page. Each is None of a run that has nothing to show there.
CHARTS: tuple[Callable[[RunFacts], Chart | None], ...] = (
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
    affinity_chart,
    robustness_chart,
)


def draw_charts(facts: RunFacts) -> list[Chart]:
    """Every chart that has something to show."""
    return [chart for draw in CHARTS if (chart := draw(facts)) is not None]
