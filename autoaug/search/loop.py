"""The search loop: ask, run, tell, until the budget is spent or the strategy has nothing left to ask."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from autoaug.errors import AllTrialsFailed
from autoaug.policy.models import Policy
from autoaug.results import TrialResult, TrialSummary
from autoaug.search.budget import Budget, BudgetTracker
from autoaug.search.executors import Executor, TrialSpec
from autoaug.search.progress import Progress
from autoaug.search.space import SearchSpace
from autoaug.search.strategies import Probe, SearchContext
from autoaug.search.strategies.base import FIRST
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import OUTCOME, TrialRequest, summary
from autoaug.training.setting import Work
from autoaug.training.trial import Train
from autoaug.utils.seeds import derive_seed

#: From so many failures on, and where they are more than half of a session's trials, a search is given up.
_FAILURES = 5
#: So many policies in a row that have all been tried mean that there are no others.
_REPETITIONS = 100
_PROBE = "probe:"


class _Search:
    """A search under way; all that must outlive it is in the study."""

    def __init__(
        self,
        study: SearchStudy,
        executor: Executor,
        tracker: BudgetTracker,
        context: SearchContext,
        progress: Progress,
        training: Callable[[TrialRequest], Work],
    ) -> None:
        self.study, self.executor, self.tracker, self.context, self.progress = (
            study,
            executor,
            tracker,
            context,
            progress,
        )
        self.training = training
        self.session = study.begin_session()
        self.running: dict[str, TrialRequest | None] = {}
        self.waiters: dict[int, list[TrialRequest]] = defaultdict(list)
        self.repetitions = 0
        self.failures: Counter[str] = Counter()
        self.ended = 0

    def spent(self) -> float:
        shares = (
            request.data_fraction * (request.stop - request.start) for request in self.running.values() if request
        )
        return self.tracker.spent(sum(shares) * self.tracker.full_length)

    def run(self) -> None:
        for request in self.study.interrupted():
            self.start(request)
        while True:
            while len(self.running) < self.executor.slots and self.spent() < 1 and self.ask():
                pass
            if not self.running:
                return
            self.take(*self.executor.next_result())

    def ask(self) -> bool:
        """Begin what the strategy wants next; returns whether there was anything."""
        step = self.study.strategy.next(self.study.history(), self.context._replace(spent=self.spent()))
        if step is None or self.repetitions >= _REPETITIONS:
            return False
        if isinstance(step, Probe):
            self.study.begin_probe(step.name)
            key = _PROBE + step.name
            self.submit(key, None, TrialSpec(key, step.work, self.seed("repeat", FIRST)))
            return True
        request = self.study.begin(step)
        self.tracker.begun += request.stop - request.start
        self.start(request)
        return True

    def start(self, request: TrialRequest) -> None:
        """Run a trial, unless the same policy has been, or is being, trained in the same way."""
        duplicate = self.study.duplicate(request)
        self.repetitions = self.repetitions + 1 if duplicate is not None else 0
        if duplicate is None:
            key, work = str(request.number), self.training(request)
            self.submit(key, request, TrialSpec(key, work, self.seed("repeat", request.seed_index)))
        elif duplicate.is_running:
            self.waiters[duplicate.number].append(request)
        else:
            self.note_end(self.study.tell_as(request.number, duplicate.number))

    def submit(self, key: str, request: TrialRequest | None, spec: TrialSpec) -> None:
        self.running[key] = request
        self.executor.submit(spec)

    def seed(self, purpose: str, index: int = 0) -> int:
        return derive_seed(self.context.seed, purpose, index)

    def take(self, key: str, result: TrialResult) -> None:
        """Note a result that came back."""
        request = self.running[key]
        if request is None:
            self.study.tell_probe(key.removeprefix(_PROBE), result, self.session)
            self.tracker.sample_passes += result.sample_passes
            del self.running[key]
            return
        if result.status == "running":
            is_late = self.tracker.budget.seconds is not None and self.tracker.spent(0) >= 1 and not request.is_baseline
            if not self.study.report(request.number, result) and not is_late:
                return
            self.executor.cancel()
            result = replace(result, status="pruned")
        del self.running[key]
        self.tracker.sample_passes += result.sample_passes
        self.note_end(self.study.tell(request.number, result, self.session, self.tracker.full_length))
        for waiter in self.waiters.pop(request.number, ()):
            if result.status == "failed":  # the fault may have been the worker's
                self.start(waiter)
            else:
                self.note_end(self.study.tell_as(waiter.number, request.number))

    def note_end(self, trial: TrialSummary) -> None:
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
    training: Callable[[TrialRequest], Work] | None = None,
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
    probes = [found for found in study.history().probe_results.values() if found]
    tracker = BudgetTracker(
        budget,
        full_length,
        earlier_seconds=sum(trial.seconds for trial in ended) / executor.slots,
        begun_at=time.monotonic(),
        begun=sum(request.stop - request.start for request in study.all()),
        sample_passes=sum(trial.sample_passes for trial in ended) + sum(found["sample_passes"] for found in probes),
    )
    context = SearchContext(space, baselines, 0.0, tracker.trainings(), seed, has_data=training is None)
    _Search(study, executor, tracker, context, progress, training or _train).run()
    trials = [summary(trial) for trial in study.ended()]
    if not any(trial.status == "complete" for trial in trials):
        causes = Counter(trial.reason or "pruned" for trial in trials)
        raise AllTrialsFailed(f"all {len(trials)} trials failed, nothing is exported: {_listed(causes)}")


def _train(request: TrialRequest) -> Work:
    """The model that was trained without augmentation is kept, for probes to look at."""
    is_bare = request.policy.fingerprint() == Policy().fingerprint()
    return Train(request.policy, request.data_fraction, request.start, request.stop, keeps_weights=is_bare)


def _listed(causes: Counter[str]) -> str:
    return "; ".join(f"{count} x {cause}" for cause, count in causes.most_common(5))


def elapsed(study: SearchStudy) -> float:
    """Wall time of the search in seconds: for every session from its first work's start to its last one's end."""
    spans: dict[int, tuple[float, float]] = {}
    work = [trial.user_attrs[OUTCOME] for trial in study.ended()] + [
        f for f in study.history().probe_results.values() if f
    ]
    for noted in work:
        first, last = spans.get(noted["session"], (noted["started"], noted["ended"]))
        spans[noted["session"]] = min(first, noted["started"]), max(last, noted["ended"])
    return sum(last - first for first, last in spans.values())
