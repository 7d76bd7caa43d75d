"""The comparison seed by seed."""

from __future__ import annotations

import pytest

from autoaug.report.charts import RunFacts
from autoaug.report.charts.differences import differences, differences_chart
from tests.conftest import published


def test_the_band_is_the_interval_and_few_seeds_have_none() -> None:
    content = published()
    assert content.comparison is not None
    known = differences(content, content.metric)
    assert known is not None
    assert known.ci95 == pytest.approx([100 * bound for bound in content.comparison.ci95])
    few = content.comparison.model_copy(update={"differences": (0.01, -0.01), "ci95": (-2.88, 2.88)})
    drawn = {}
    for comparison in (content.comparison, few):
        told = content.model_copy(update={"comparison": comparison})
        chart = differences_chart(RunFacts(metric=content.metric, result=told))
        assert chart is not None
        drawn["band" in chart.words] = [shape.type for shape in chart.figure.layout.shapes]
    assert drawn == {True: ["rect", "line", "line"], False: ["line", "line"]}
