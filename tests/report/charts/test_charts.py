"""The tuple of charts of a page."""

from __future__ import annotations

import json
from pathlib import Path

import autoaug.report.charts
from autoaug.report.charts import CHARTS, RunFacts, draw_charts
from autoaug.results.robustness import Robustness
from tests.conftest import published
from tests.report.records import trial

#: Files of the folder that have no chart of a run.
OTHERS = {"__init__", "chart", "style", "compared"}


def test_every_file_has_its_chart_in_the_tuple() -> None:
    files = {path.stem for path in Path(autoaug.report.charts.__file__).parent.glob("*.py")} - OTHERS
    assert [draw.__name__ for draw in CHARTS] == [f"{draw.__module__.rpartition('.')[2]}_chart" for draw in CHARTS]
    assert {draw.__module__.rpartition(".")[2] for draw in CHARTS} == files


def test_a_finished_run_has_all_charts_in_order_and_tables_as_wide_as_their_heads() -> None:
    content = published()
    robustness = Robustness(inputs=9, attack="PGD", clean=0.9, attacked=0.2, corrupted={"fog": (0.5,) * 5})
    charts = draw_charts(RunFacts(content.history, 1000, result=content, robustness=robustness))
    names = [chart.name for chart in charts]
    assert names == [name for name in (d.__name__.removesuffix("_chart") for d in CHARTS) if name in names]
    assert {"candidates", "differences", "classes", "history", "reached"} <= set(names)
    assert "robustness" in names
    for chart in charts:
        assert {len(row) for row in chart.rows} <= {len(chart.head)}, chart.name
        assert json.loads(chart.figure.to_json())["layout"]["height"] == chart.figure.layout.height
        assert "<script" not in chart.html().replace("<script type", "", 1)


def test_a_search_under_way_has_the_charts_of_its_trials_alone() -> None:
    assert draw_charts(RunFacts()) == []
    charts = draw_charts(RunFacts([trial(1, 0.5, started=1.0)], 100))
    assert [chart.name for chart in charts] == ["history", "reached", "curves", "timeline"]
