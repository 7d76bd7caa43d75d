"""The system clock is set back or forward during a run."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.executors.inline import InlineExecutor
from autoaug.search.loop import elapsed, run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import get_strategy
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import summary
from tests.tasks import small_task


@pytest.mark.parametrize("jump", [-3600, 3600])
@pytest.mark.fault("driver", "a clock that is set")
def test_neither_durations_nor_limits_follow_a_clock_that_is_set(
    jump: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumps = itertools.count(step=jump)
    real = time.time
    begun = time.monotonic()
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))  # an hour further off at each look
    space, task = load_space("light"), small_task(epochs=1)
    study = SearchStudy(tmp_path / "study.db", space, get_strategy("random"), seed=0)
    executor = InlineExecutor(task, timeout=600)
    run_search(study, executor, Budget(policies=2), task.full_length_passes(), {}, Logged())
    spent = time.monotonic() - begun
    trials = [summary(trial) for trial in study.ended()]
    assert [trial.status for trial in trials] == ["complete"] * 2
    assert all(0 < trial.seconds < spent for trial in trials)
    assert 0 < elapsed(study) < spent
