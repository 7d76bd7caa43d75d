"""The trials in order."""

from __future__ import annotations

from autoaug.report.charts.history import history_figure, trial_history
from autoaug.results import ACCURACY, MetricRecord
from tests.report.records import trial


def test_a_baseline_on_a_part_of_the_data_says_so() -> None:
    trials = [trial(0, 0.5, data_fraction=0.25, name="none", is_baseline=True), trial(1, 0.9)]
    trials.append(trial(2, 0.8, name="noise", is_baseline=True))
    figure = history_figure(trial_history(trials, ACCURACY), ACCURACY)
    assert {note.text for note in figure.layout.annotations} == {"none, on\u00a025\u00a0%", "noise"}


def test_best_so_far_is_followed_for_each_share_alone() -> None:
    trials = [
        trial(0, 0.5, data_fraction=0.25),
        trial(1, 0.4, data_fraction=0.25),
        trial(2, 0.7),
        trial(3, 0.6, data_fraction=0.25),
        trial(4, 0.9, data_fraction=0.25, is_baseline=True),
        trial(5, 0.9, data_fraction=0.25, fingerprint="print-4"),  # the search tries the baseline again
    ]
    assert trial_history(trials, ACCURACY).best == {0.25: ((0, 50.0), (1, 50.0), (3, 60.0)), 1.0: ((2, 70.0),)}


def test_the_best_of_a_metric_that_is_to_be_small_is_its_smallest_value() -> None:
    error = MetricRecord(name="word errors", unit="", larger_is_better=False)
    trials = [trial(i, score) for i, score in enumerate((-0.5, -0.2, -0.3))]  # scores are turned
    assert trial_history(trials, error).best == {1.0: ((0, 0.5), (1, 0.2), (2, 0.2))}


def test_labels_of_baselines_have_room_on_a_phone() -> None:
    names = ["specaugment-sm+speed", "specaugment-ld+speed", "specaugment-ld", "noise"]
    trials = [
        trial(i, score, name=name, is_baseline=True)
        for i, (score, name) in enumerate(zip((0.1, 0.101, 0.19, 0.7), names, strict=True))
    ]
    figure = history_figure(trial_history([*trials, trial(9, 0.9)], ACCURACY), ACCURACY)
    first, *others = [note.text for note in figure.layout.annotations]
    assert first == "specaugment-sm+speed,<br>specaugment-ld+speed, specaugment-ld", "two lines need twice the room"
    assert others == ["noise"]
    nats = MetricRecord(name="log-likelihood", unit="nats per character")
    lines = history_figure(trial_history(trials, nats), nats).layout.yaxis.title.text
    assert lines == "validation log-likelihood,<br>nats per character"


def test_names_of_baselines_close_to_each_other_share_a_label() -> None:
    trials = [trial(i, 0.1 * i, name=f"<{i}>", is_baseline=True) for i in (1, 2)]
    trials += [trial(3, 0.2001, name="c", is_baseline=True), trial(4, 0.9)]
    figure = history_figure(trial_history(trials, ACCURACY), ACCURACY)
    assert [note.text for note in figure.layout.annotations] == ["&lt;1&gt;", "&lt;2&gt;, c"]
