"""The search loop: ask, run, tell, until the budget is spent or the strategy has nothing left to ask."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from autoaug.errors import AllTrialsFailed
from autoaug.executors import Executor, TrialSpec
from autoaug.policy import Policy
from autoaug.result import TrialResult, TrialSummary
from autoaug.run_folder import Budget
from autoaug.seeds import derive_seed
from autoaug.space import SearchSpace
from autoaug.strategies import Brief, Inquiry
from autoaug.strategies.base import FIRST
from autoaug.study import SearchStudy
from autoaug.study_trials import OUTCOME, Asked, summary
from autoaug.trial import Train, Work

#: From so many failures on, and where they are more than half of a session's trials, a search is given up.
_FAILURES = 5
#: So many policies in a row that have all been tried mean that there are no others.
_REPETITIONS = 100
_INQUIRY = "inquiry:"


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
    """How much of the budget is spent, and committed to what is running."""

    budget: Budget
    full_length: int
    earlier_seconds: float
    begun_at: float
    begun: float
    passes: int

    def spent(self, committed: float) -> float:
        """The share of the budget that is spent, with so many passes `committed` to trials that are running."""
        if self.budget.trials is not None:
            return self.begun / self.budget.trials
        if self.budget.seconds is not None:
            return (self.earlier_seconds + time.monotonic() - self.begun_at) / self.budget.seconds
        return (self.passes + committed) / ((self.budget.trainings or 0.0) * self.full_length)

    def trainings(self) -> float | None:
        """The budget in trainings, None where it is one of time."""
        return self.budget.trainings if self.budget.trials is None else float(self.budget.trials)


class _Search:
    """A search under way; all that must outlive it is in the study."""

    def __init__(
        self,
        study: SearchStudy,
        executor: Executor,
        meter: _Meter,
        brief: Brief,
        progress: Progress,
        training: Callable[[Asked], Work],
    ) -> None:
        self.study, self.executor, self.meter, self.brief, self.progress = study, executor, meter, brief, progress
        self.training = training
        self.session = study.begin_session()
        self.running: dict[str, Asked | None] = {}
        self.followers: dict[int, list[Asked]] = defaultdict(list)
        self.repetitions = 0
        self.failures: Counter[str] = Counter()
        self.ended = 0

    def spent(self) -> float:
        shares = (asked.share * (asked.until - asked.since) for asked in self.running.values() if asked)
        return self.meter.spent(sum(shares) * self.meter.full_length)

    def run(self) -> None:
        for asked in self.study.interrupted():
            self.start(asked)
        while True:
            while len(self.running) < self.executor.slots and self.spent() < 1 and self.ask():
                pass
            if not self.running:
                return
            self.take(*self.executor.next_result())

    def ask(self) -> bool:
        """Begin what the strategy wants next; returns whether there was anything."""
        step = self.study.strategy.next(self.study.history(), self.brief._replace(spent=self.spent()))
        if step is None or self.repetitions >= _REPETITIONS:
            return False
        if isinstance(step, Inquiry):
            self.study.begin_inquiry(step.name)
            key = _INQUIRY + step.name
            self.submit(key, None, TrialSpec(key, step.work, self.seed("repeat", FIRST)))
            return True
        asked = self.study.begin(step)
        self.meter.begun += asked.until - asked.since
        self.start(asked)
        return True

    def start(self, asked: Asked) -> None:
        """Run a trial, unless the same policy has been, or is being, trained in the same way."""
        twin = self.study.twin(asked)
        self.repetitions = self.repetitions + 1 if twin is not None else 0
        if twin is None:
            key, work = str(asked.number), self.training(asked)
            self.submit(key, asked, TrialSpec(key, work, self.seed("repeat", asked.repeat)))
        elif twin.is_running:
            self.followers[twin.number].append(asked)
        else:
            self.told(self.study.tell_as(asked.number, twin.number))

    def submit(self, key: str, asked: Asked | None, spec: TrialSpec) -> None:
        self.running[key] = asked
        self.executor.submit(spec)

    def seed(self, purpose: str, index: int = 0) -> int:
        return derive_seed(self.brief.seed, purpose, index)

    def take(self, key: str, result: TrialResult) -> None:
        """Note a result that came back."""
        asked = self.running[key]
        if asked is None:
            self.study.tell_inquiry(key.removeprefix(_INQUIRY), result, self.session)
            self.meter.passes += result.passes
            del self.running[key]
            return
        if result.status == "running":
            is_late = self.meter.budget.seconds is not None and self.meter.spent(0) >= 1 and not asked.is_baseline
            if not self.study.report(asked.number, result) and not is_late:
                return
            self.executor.cancel()
            result = replace(result, status="pruned")
        del self.running[key]
        self.meter.passes += result.passes
        self.told(self.study.tell(asked.number, result, self.session, self.meter.full_length))
        for follower in self.followers.pop(asked.number, ()):
            if result.status == "failed":  # the fault may have been the worker's
                self.start(follower)
            else:
                self.told(self.study.tell_as(follower.number, asked.number))

    def told(self, trial: TrialSummary) -> None:
        """Show a trial that has ended, and give up where most fail."""
        self.progress.trial_ended(trial, min(1.0, self.spent()))
        self.ended += 1
        if trial.status == "failed":
            self.failures[trial.reason or "its score is not finite"] += 1
        failed = self.failures.total()
        if failed >= _FAILURES and failed > self.ended / 2:
            if failed == self.ended:
                raise AllTrialsFailed(f"all {failed} trials failed, nothing is exported: {_listed(self.failures)}")
            raise AllTrialsFailed(
                f"{failed} of {self.ended} trials failed, the search is given up: {_listed(self.failures)}; what has "
                "ended is kept: mend the cause and resume the run"
            )


def run_search(
    study: SearchStudy,
    executor: Executor,
    budget: Budget,
    full_length: int,
    space: SearchSpace,
    baselines: Mapping[str, Policy],
    seed: int,
    progress: Progress,
    training: Callable[[Asked], Work] | None = None,
) -> None:
    """Run trials until the budget is spent; what an earlier driver left running is run first.

    Args:
        study: of the run; all state is in it.
        executor: runs the trials.
        budget: when to stop. Trials that are running then are finished, unless the budget is one of time: these are
            pruned at their next rung.
        full_length: passes of one full training, the unit of a budget of compute.
        space: that the study draws from.
        baselines: known policies by name, which every strategy tries too.
        seed: of the run; all trials of one repeat share a seed derived from it, so that policies are compared on
            equal terms.
        progress: told of every trial that ends.
        training: what trying a policy means; None trains the task's model on the task's data.

    Raises:
        AllTrialsFailed: not one trial completed, or most failed, with the causes.
    """
    ended = [summary(trial) for trial in study.ended()]
    inquiries = [found for found in study.history().findings.values() if found]
    meter = _Meter(
        budget,
        full_length,
        earlier_seconds=sum(trial.seconds for trial in ended) / executor.slots,
        begun_at=time.monotonic(),
        begun=sum(asked.until - asked.since for asked in study.all()),
        passes=sum(trial.passes for trial in ended) + sum(found["passes"] for found in inquiries),
    )
    brief = Brief(space, baselines, 0.0, meter.trainings(), seed, has_data=training is None)
    _Search(study, executor, meter, brief, progress, training or _train).run()
    trials = [summary(trial) for trial in study.ended()]
    if not any(trial.status == "complete" for trial in trials):
        causes = Counter(trial.reason or "pruned" for trial in trials)
        raise AllTrialsFailed(f"all {len(trials)} trials failed, nothing is exported: {_listed(causes)}")


def _train(asked: Asked) -> Work:
    """The model that was trained without augmentation is kept, for inquiries to look at."""
    is_bare = asked.policy.fingerprint() == Policy().fingerprint()
    return Train(asked.policy, asked.share, asked.since, asked.until, keeps_weights=is_bare)


def _listed(causes: Counter[str]) -> str:
    return "; ".join(f"{count} x {cause}" for cause, count in causes.most_common(5))


def elapsed(study: SearchStudy) -> float:
    """Wall time of the search in seconds: for every session from its first work's start to its last one's end."""
    spans: dict[int, tuple[float, float]] = {}
    work = [trial.user_attrs[OUTCOME] for trial in study.ended()] + [f for f in study.history().findings.values() if f]
    for noted in work:
        first, last = spans.get(noted["session"], (noted["started"], noted["ended"]))
        spans[noted["session"]] = min(first, noted["started"]), max(last, noted["ended"])
    return sum(last - first for first, last in spans.values())
