"""Where the compute of a search went."""

from __future__ import annotations

from autoaug.report.tables.stages import stages
from autoaug.results import ACCURACY
from tests.report.records import result, trial


def test_stages_tell_where_the_compute_went() -> None:
    rows = stages(
        result(
            trial(0, 0.5, stage="a"),
            trial(1, 0.6, stage="b", sample_passes=200, data_fraction=0.25),
            trial(2, 0.4, stage="a"),
            probes={"matching": {"sample_passes": 100}},
        ),
        ACCURACY,
    )
    assert [(r.name, r.trials, r.compute, r.best, r.best_name) for r in rows] == [
        ("probe: matching", 0, 20.0, None, ""),
        ("a", 2, 40.0, 50.0, "trial-0"),
        ("b", 1, 40.0, 60.0, "trial-1"),
    ]
