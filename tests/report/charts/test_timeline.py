"""When each trial ran."""

from __future__ import annotations

from autoaug.report.charts.timeline import timeline
from tests.report.records import trial


def test_trials_side_by_side_stand_in_lanes_of_their_own() -> None:
    times = [(100.0, 10.0), (101.0, 2.0), (104.0, 3.0), (110.0, 1.0)]
    rows = timeline([trial(i, 0.5, started=s, seconds=d) for i, (s, d) in enumerate(times)])
    assert [(row.lane, row.begin, row.end) for row in rows] == [(0, 0, 10), (1, 1, 3), (1, 4, 7), (0, 10, 11)]
