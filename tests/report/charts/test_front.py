"""The Pareto front of several objectives."""

from __future__ import annotations

from autoaug.report.charts.front import front
from tests.report.records import result, trial


def test_the_front_holds_what_nothing_beats() -> None:
    values = [(0.9, 0.2, 1.0), (0.8, 0.3, 1.0), (0.7, 0.1, 1.0), (0.9, 0.2, 1.004), (0.6, 0.1, 0.5)]
    trials = [trial(i, v[0], values=v) for i, v in enumerate(values)]
    points = front(result(*trials, objectives=("accuracy", "robustness", "compute")))
    assert [p.number for p in points if p.is_best] == [0, 1, 3, 4]
    assert front(result(trial(0, 0.5))) == []
