"""The best so far against the compute spent."""

from __future__ import annotations

from autoaug.report.charts.history import BaselineLine
from autoaug.report.charts.reached import Reached, reached, reached_figure
from autoaug.results import ACCURACY, MetricRecord
from tests.report.records import trial


def test_compute_of_every_trial_counts_and_only_better_ones_of_the_search_are_points() -> None:
    trials = [
        trial(0, 0.9, is_baseline=True, sample_passes=50),
        trial(1, 0.5, sample_passes=100),
        trial(2, 0.4, sample_passes=100),
        trial(3, 0.6, sample_passes=50),
        trial(4, 0.9, fingerprint="print-0"),
    ]
    assert reached(trials, 100, ACCURACY) == {1.0: [Reached(1.5, 50.0, "trial-1"), Reached(3.0, 60.0, "trial-3")]}


def test_the_best_baseline_of_a_metric_that_is_to_be_small_is_the_lowest() -> None:
    error = MetricRecord(name="error", unit="", larger_is_better=False)
    lines = reached([trial(1, -0.5)], 100, error)
    baselines = [BaselineLine("worse", 0.9, 1.0), BaselineLine("better", 0.3, 1.0), BaselineLine("other", 0.1, 0.25)]
    assert reached_figure(lines, baselines, error).data[1].name == "best baseline on all data: better"
