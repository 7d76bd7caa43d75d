"""The gain of the returned policy over what its user would have used."""

from __future__ import annotations

import json

from autoaug.report.charts import RunFacts
from autoaug.report.charts.gains import gains_chart
from autoaug.results import MetricRecord, SearchResult
from tests.conftest import published
from tests.report.records import result


def claimed(**changes: object) -> SearchResult:
    """A published result with its comparison as two claims, changed."""
    content = published()
    assert content.comparison is not None
    claim = content.comparison.model_copy(update={"against": "no augmentation", **changes})
    return content.model_copy(update={"claims": (claim, claim.model_copy(update={"against": "the usual default"}))})


def drawn(content: SearchResult, metric: MetricRecord) -> dict[str, object]:
    chart = gains_chart(RunFacts(metric=metric, result=content))
    assert chart is not None
    figure: dict[str, object] = json.loads(chart.figure.to_json())
    return figure


def test_each_claim_has_a_line_and_says_what_is_proven() -> None:
    content = claimed()
    figure = drawn(content, content.metric)
    data, notes = figure["data"], figure["layout"]["annotations"]  # type: ignore[index, call-overload]
    assert len(data) == len(notes) == 2  # type: ignore[arg-type]
    for claim, line, note in zip(content.claims, data, notes, strict=True):  # type: ignore[call-overload]
        assert line["x"] == [100 * claim.difference]
        assert line["x"][0] + line["error_x"]["array"][0] == 100 * claim.ci95[1]
        assert claim.baseline in note["text"].replace("<br>", " ")


def test_of_too_few_seeds_no_interval_is_drawn() -> None:
    content = claimed(differences=(0.01, -0.01), difference=0.0, ci95=(-2.88, 2.88))
    assert all(line["error_x"]["array"] == [0.0] for line in drawn(content, content.metric)["data"])  # type: ignore[attr-defined]


def test_without_known_policies_there_is_no_chart() -> None:
    assert gains_chart(RunFacts(result=result(claims=()))) is None
    assert gains_chart(RunFacts()) is None


def test_a_long_title_of_the_axis_has_lines_that_a_phone_has_room_for() -> None:
    """On 390 pixels, “difference in test balanced accuracy, points” in one line lost its first letter."""
    metric = MetricRecord.model_validate({**claimed().metric.model_dump(), "name": "balanced accuracy"})
    title = drawn(claimed(), metric)["layout"]["xaxis"]["title"]["text"]  # type: ignore[index, call-overload]
    assert title.replace("<br>", " ") == "difference in test balanced accuracy, points"
    assert max(map(len, title.split("<br>"))) <= 40
