"""All metrics of the candidates."""

from __future__ import annotations

from autoaug.policy.models import Policy
from autoaug.report.tables.metrics import metric_rows
from autoaug.results import ACCURACY, Candidate, MetricRecord, MetricValues
from tests.report.records import result

LOSS = MetricRecord(name="log-loss", unit="", larger_is_better=False)


def test_each_metric_has_its_interval_apart_and_too_few_seeds_have_none() -> None:
    """In one text, six metrics were wider than a page."""
    metrics = {
        own.name: MetricValues(metric=own, values=(mean,), mean=mean, ci95=(mean - 0.1, mean + 0.1))
        for own, mean in ((ACCURACY, 0.75), (LOSS, 0.5))
    }
    whole, few = (
        Candidate.model_construct(name="flips", trial=None, policy=Policy(), seeds=tuple(range(n)), metrics=metrics)
        for n in (3, 2)
    )
    rows = metric_rows(result(candidates=(whole, few)))
    assert [row.name for row in rows] == ["flips", "flips"]
    (accuracy, loss), (bare, _) = (row.values for row in rows)
    assert accuracy == ("75.00", "65.00 to 85.00")
    assert [float(part) for part in (loss[0], *loss[1].split(" to "))] == [0.5, 0.4, 0.6]
    assert bare == ("75.00", "")
