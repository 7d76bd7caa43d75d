"""The search loop: ask, run, tell, until the budget is spent."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol

from autoaug.errors import AllTrialsFailed
from autoaug.executors import Executor, TrialSpec
from autoaug.result import TrialSummary
from autoaug.run_folder import Budget
from autoaug.seeds import derive_seed
from autoaug.study import Asked, SearchStudy, summary


class Progress(Protocol):
    """Told what happens, as it happens."""

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        """A trial of the search ended; `fraction` of the budget is spent."""

    def training_ended(self, name: str, done: int, total: int) -> None:
        """A training of the confirmation ended."""

    def say(self, message: str) -> None:
        """A stage begins or ends."""


@dataclass
class _Meter:
    """How much of the budget is spent, and committed to trials that are running."""

    budget: Budget
    full_length: int
    earlier_seconds: float
    begun_at: float
    begun: int
    passes: int

    def spent(self, running: int) -> float:
        """The share of the budget that is spent or committed."""
        if self.budget.trials is not None:
            return self.begun / self.budget.trials
        if self.budget.seconds is not None:
            return (self.earlier_seconds + time.monotonic() - self.begun_at) / self.budget.seconds
        return (self.passes + running * self.full_length) / ((self.budget.trainings or 0.0) * self.full_length)


def run_search(
    study: SearchStudy, executor: Executor, budget: Budget, full_length: int, seed: int, progress: Progress
) -> None:
    """Run trials until the budget is spent; what an earlier driver left running is run first.

    Args:
        study: of the run; all state is in it.
        executor: runs the trials.
        budget: when to stop. Trials that are running then are finished, unless the budget is one of time: these are
            pruned at their next rung.
        full_length: passes of one full training, the unit of a budget of compute.
        seed: of the run; trial n is trained with a seed derived from it and n.
        progress: told of every trial that ends.

    Raises:
        AllTrialsFailed: not one trial completed, with the causes.
    """
    session = study.begin_session()
    ended = [summary(trial) for trial in study.ended()]
    meter = _Meter(
        budget,
        full_length,
        earlier_seconds=sum(trial.seconds for trial in ended) / executor.slots,
        begun_at=time.monotonic(),
        begun=study.begun(),
        passes=sum(trial.passes for trial in ended),
    )
    running: dict[str, Asked] = {}

    def start(asked: Asked) -> None:
        key = str(asked.trial.number)
        running[key] = asked
        executor.submit(TrialSpec(key, asked.policy, derive_seed(seed, "trial", asked.trial.number)))

    for asked in study.interrupted():
        start(asked)
    while True:
        while len(running) < executor.slots and meter.spent(len(running)) < 1:
            start(study.ask())
            meter.begun += 1
        if not running:
            break
        key, result = executor.next_result()
        if result.status == "running":
            out_of_time = budget.seconds is not None and meter.spent(0) >= 1 and not running[key].is_baseline
            if not study.report(running[key], result) and not out_of_time:
                continue
            executor.cancel()
            result = replace(result, status="pruned")
        study.tell(running.pop(key), result, session)
        meter.passes += result.passes
        progress.trial_ended(_newest(study, int(key)), min(1.0, meter.spent(len(running))))
    _check_some_completed(study)


def _newest(study: SearchStudy, number: int) -> TrialSummary:
    return next(summary(trial) for trial in study.ended() if trial.number == number)


def _check_some_completed(study: SearchStudy) -> None:
    trials = [summary(trial) for trial in study.ended()]
    if any(trial.status == "complete" for trial in trials):
        return
    causes = Counter(trial.reason or "pruned" for trial in trials)
    listed = "; ".join(f"{count} x {cause}" for cause, count in causes.most_common(5))
    raise AllTrialsFailed(f"all {len(trials)} trials failed, nothing is exported: {listed}")


def elapsed(study: SearchStudy) -> float:
    """Wall time of the search in seconds: for every session from its first trial's start to its last one's end."""
    spans: dict[int, tuple[float, float]] = {}
    for trial in study.ended():
        attributes = trial.user_attrs
        first, last = spans.get(attributes["session"], (attributes["started"], attributes["ended"]))
        spans[attributes["session"]] = min(first, attributes["started"]), max(last, attributes["ended"])
    return sum(last - first for first, last in spans.values())
