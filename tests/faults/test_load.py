"""Thousands of trials: the count is exact, memory stays flat, and nothing is left behind."""

from __future__ import annotations

import hashlib
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
import pytest

import autoaug
from autoaug.engine.transform import PolicyTransform
from autoaug.results import ObjectiveResult, TrialSummary
from autoaug.runs.callbacks import Logged
from autoaug.search.space import SearchSpace

#: One choice per trial, so that a trial is its own record and little else.
SPACE = SearchSpace.model_validate({"families": {"geometry": {"Rotate": 1.0}}, "layers": [1, 1], "strength": [0, 1]})
#: How much memory may grow over the last half.
MOST_GROWTH = 0.1


def trivial(transform: PolicyTransform, seed: int, fidelity: float) -> float:
    """A score between 0 and 1 that follows from the policy alone."""
    return int(hashlib.sha256(transform.policy.fingerprint().encode()).hexdigest()[:6], 16) / 16**6


class Watching(Logged):
    """Notes how much memory this process and its workers hold, and kills a worker now and then."""

    def __init__(self, trials: int, kill_every: int | None = None) -> None:
        self._every, self._kill_every = max(1, trials // 200), kill_every
        self.driver: list[int] = []
        self.workers: list[int] = []
        self.ended = self.killed = 0

    def trial_ended(self, _: TrialSummary, *__: object) -> None:  # type: ignore[override]  # the rest is not needed
        self.ended += 1
        workers = [p for p in psutil.Process().children(recursive=True) if is_worker(p)] if self._kill_every else []
        if self.ended % self._every == 0:
            self.driver.append(psutil.Process().memory_info().rss)
            self.workers.append(max([p.memory_info().rss for p in workers], default=0))
        if workers and self.ended // self._kill_every > self.killed:  # none may be seen at work right then
            workers[self.killed % len(workers)].send_signal(signal.SIGKILL)
            self.killed += 1


def is_worker(process: psutil.Process) -> bool:
    """Whether it is one of Ray's that runs trials, and runs."""
    try:
        return "Trainable" in process.name() or "Trainable" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def growth(sizes: list[int]) -> float:
    """How much the median size of the last tenth is above that of the tenth in the middle."""
    tenth = max(1, len(sizes) // 10)
    middle = len(sizes) // 2
    return median(sizes[-tenth:]) / median(sizes[middle : middle + tenth]) - 1


@contextmanager
def nothing_left() -> Iterator[None]:
    """Raise `AssertionError` if descriptors, sockets, threads, processes or temporary files outlive the block."""
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as scratch, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", scratch)
        patch.setenv("TMPDIR", scratch)
        before, others = held(), set(psutil.Process().children(recursive=True))  # of earlier tests
        yield
        own = set(psutil.Process().children(recursive=True)) - others
        _, alive = psutil.wait_procs(own, timeout=60)
        assert [p.cmdline() for p in alive if scratch in str(p.cmdline())] == []
        after = held()
        assert after["descriptors"] <= before["descriptors"] + 2, after
        assert after["sockets"] <= before["sockets"], after
        assert after["threads"] <= before["threads"] + 1, [thread.name for thread in threading.enumerate()]
        assert list(Path(scratch).iterdir()) == []


def held() -> dict[str, int]:
    """What this process holds."""
    this = psutil.Process()
    return {
        "descriptors": this.num_fds(),
        "sockets": len(this.net_connections("inet")),
        "threads": threading.active_count(),
    }


def soak(out: Path, trials: int, watching: Watching, executor: str, workers: int) -> ObjectiveResult:
    return autoaug.search(
        objective=trivial,
        space=SPACE,
        strategy="random",
        trials=trials,
        seeds=2,
        finalists=1,
        executor=executor,
        workers=workers,
        progress=watching,
        out=out,
    )


def check(result: ObjectiveResult, trials: int) -> None:
    """Every trial is there once, and was evaluated."""
    known = {trial.fingerprint for trial in result.history if trial.is_baseline}
    assert len({trial.fingerprint for trial in result.history} - known) == trials
    assert [trial.number for trial in result.history] == list(range(len(result.history)))
    assert [(trial.name, trial.reason) for trial in result.history if trial.status != "complete"] == []


@pytest.mark.fault("load", "thousands of trials in this process")
def test_thousands_of_trials_in_this_process(
    tmp_path: Path, amount: Callable[..., int], record_property: Callable[[str, object], None]
) -> None:
    trials = amount("trials", 60, 20_000)
    watching = Watching(trials)
    soak(tmp_path / "first", 3, Watching(3), "inline", 1)  # what is loaded once
    with nothing_left():
        check(soak(tmp_path / "run", trials, watching, "inline", 1), trials)
    record_property("driver's memory grew over the last half by", round(growth(watching.driver), 3))
    assert growth(watching.driver) < MOST_GROWTH


@pytest.mark.slow
@pytest.mark.fault("load", "thousands of trials through Ray, with workers killed on the way")
def test_thousands_of_trials_through_ray(
    tmp_path: Path, amount: Callable[..., int], record_property: Callable[[str, object], None]
) -> None:
    trials = amount("trials", 0, 2000)
    watching = Watching(trials, kill_every=50)
    soak(tmp_path / "first", 3, Watching(3), "ray-tune", 2)
    with nothing_left():
        check(soak(tmp_path / "run", trials, watching, "ray-tune", 2), trials)
    record_property("workers killed", watching.killed)
    assert watching.killed >= trials // 50 - 1
    for whose, sizes in (("driver's", watching.driver), ("workers'", watching.workers)):
        record_property(f"{whose} memory grew over the last half by", round(growth(sizes), 3))
        assert growth(sizes) < MOST_GROWTH or len(sizes) < 100, (whose, sizes)
    assert os.environ.get("RAY_ADDRESS") is None
