"""What the terminal shows of a run: lines, the bar, and how long the rest takes."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from rich.console import Console

import autoaug
from autoaug.runs.callbacks import listening
from autoaug.runs.callbacks.base import Broadcast
from autoaug.runs.callbacks.console import ConsoleProgress
from tests.runs.trials import made_trial


def shown_lines(monkeypatch: pytest.MonkeyPatch, events: Callable[[ConsoleProgress, list[float]], None]) -> list[str]:
    """The lines on a console without a live bar; the list that `events` gets is the time."""
    written, clock = io.StringIO(), [0.0]
    monkeypatch.setattr("autoaug.runs.callbacks.console.time", SimpleNamespace(monotonic=lambda: clock[0]))
    with ConsoleProgress(Console(file=written, force_terminal=False, width=200)) as progress:
        events(progress, clock)
    return written.getvalue().splitlines()


def test_one_estimate_is_for_all_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = made_trial()

    def events(progress: ConsoleProgress, clock: list[float]) -> None:
        clock[0] = 100.0  # before the first part begins
        progress.part_begins(0.0, 0.4)
        clock[0] = 110.0
        progress.trial_ended(trial, 0.5)
        progress.part_begins(0.4, 0.9)
        clock[0] = 150.0
        progress.training_ended("none", 1, 5)

    first, second = shown_lines(monkeypatch, events)
    assert first.endswith("20 % done, 40 seconds left")
    assert second.endswith("training 1 of 5: none, 50 % done, 50 seconds left")


def test_trials_of_earlier_sessions_count(monkeypatch: pytest.MonkeyPatch) -> None:
    earlier, now = made_trial(score=0.9), made_trial(score=0.8)

    def events(progress: ConsoleProgress, _: list[float]) -> None:
        progress.part_begins(0.0, 0.5)
        Broadcast([progress]).trials_before([earlier])
        progress.trial_ended(now, 0.5)

    (line,) = shown_lines(monkeypatch, events)
    assert "80.0 %; 2 trials;" in line
    assert "90.0 %" in line.split("2 trials;")[1]


def test_the_forecast_counts_at_first_and_no_more_is_left_than_the_limit_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trial = made_trial()

    def events(progress: ConsoleProgress, clock: list[float]) -> None:
        progress.expects(200.0, 1000.0)
        progress.part_begins(0.0, 0.5)
        clock[0] = 40.0  # most of it for the start of workers
        progress.trial_ended(trial, 0.2)
        clock[0] = 960.0
        progress.training_ended("none", 1, 2)

    first, second = shown_lines(monkeypatch, events)
    assert first.endswith("10 % done, 4.5 minutes left")  # (40 + 20) / (0.1 + 0.1), and not 40 / 0.1
    assert second.endswith("25 % done, 40 seconds left")


def test_a_run_that_goes_on_is_judged_by_its_own_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def events(progress: ConsoleProgress, clock: list[float]) -> None:
        progress.part_begins(0.5, 1.0)
        clock[0] = 10.0
        progress.training_ended("none", 1, 5)

    assert shown_lines(monkeypatch, events)[0].endswith("60 % done, 40 seconds left")


def test_what_an_earlier_session_did_says_nothing_of_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trials and six trainings were read at once from the folder: nothing of them was done now."""

    def events(progress: ConsoleProgress, clock: list[float]) -> None:
        progress.expects(100.0, None)
        progress.part_begins(0.0, 0.4)
        progress.part_begins(0.4, 1.0)
        clock[0] = 1.0
        progress.training_ended("none", 7, 10)
        clock[0] = 7.0
        progress.training_ended("none", 8, 10)

    first, second = shown_lines(monkeypatch, events)
    assert first.endswith("82 % done, 18 seconds left")  # as forecast
    assert second.endswith("88 % done, 12 seconds left")  # 6 s for 6 %, as forecast


def test_trials_are_compared_with_those_on_the_same_share_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = made_trial()

    def events(progress: ConsoleProgress, _: list[float]) -> None:
        for share, is_baseline, score in ((1.0, False, 0.9), (0.25, True, 0.7), (0.25, False, 0.6)):
            changed = {"data_fraction": share, "is_baseline": is_baseline, "score": score, "seed_index": is_baseline}
            changed["fingerprint"] = "known" if is_baseline else "own"
            progress.trial_ended(trial.model_copy(update=changed), 0.5)
        repeated = {"data_fraction": 0.25, "is_baseline": False, "score": 0.8, "fingerprint": "known"}
        progress.trial_ended(trial.model_copy(update=repeated), 0.5)

    _, again, last, after = shown_lines(monkeypatch, events)
    assert "best 60.0 %, best baseline 80.0 %" in after, "a baseline that the search tries again is none of its own"
    assert "3 trials; on 25 % of the data: best 60.0 %, best baseline 70.0 %" in last
    assert f"{trial.label}, with seed 2: 70.0 %" in again, "the repetition of a policy is no new one"


def test_python_programs_can_have_a_bar() -> None:
    with listening(True) as progress:
        assert isinstance(progress, autoaug.ConsoleProgress)
    given = autoaug.ConsoleProgress()
    with listening(given) as progress:
        assert progress is given


@pytest.mark.parametrize(
    "words",
    ["one of 25 (Rotate, ShearX, …) up to 0.36 and flip-crop + cutmix at p 0.5 once more", "训练" * 40],
    ids=["English", "Chinese"],
)
def test_long_words_leave_room_for_the_times_on_a_narrow_terminal(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And also where each character takes two columns."""
    monkeypatch.setattr("autoaug.runs.callbacks.console.time.monotonic", lambda: 0.0)
    written = io.StringIO()
    with (
        contextlib.suppress(RuntimeError),
        ConsoleProgress(Console(file=written, force_terminal=True, width=80, color_system=None)) as progress,
    ):
        progress.expects(446, None)
        progress.training_ended("none", 1, 5)
        progress.doing(f"training {words}")
        raise RuntimeError("what ends in an error leaves the bar as it was")
    last = [line for line in written.getvalue().splitlines() if "training " + words[:2] in line][-1]
    assert re.search(r"… ━.* 20 % 0:00:00 119 seconds left", last)
