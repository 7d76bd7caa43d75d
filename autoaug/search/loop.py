"""The search loop: propose, run, record, until the budget is spent or the strategy has nothing left to propose."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from textwrap import shorten

from autoaug.errors import AllTrialsFailed
from autoaug.policy.models import Policy
from autoaug.policy.words import in_words
from autoaug.results import TrialSummary
from autoaug.search.budget import Budget, BudgetTracker, PolicyCount
from autoaug.search.executors import Executor, TrialSpec
from autoaug.search.progress import Progress
from autoaug.search.strategies import Probe, SearchContext, Stop
from autoaug.search.strategies.base import FIRST
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import TrialRequest, summary
from autoaug.training.result import TrialResult
from autoaug.training.setting import Work
from autoaug.training.trial import Train
from autoaug.utils.quantities import duration
from autoaug.utils.seeds import derive_seed

#: The search is abandoned once at least this many, and more than half, of a session's trials have failed.
_FAILURES = 5
#: This many duplicates in a row mean that no policies are left to try.
_DUPLICATES = 100
_PROBE = "probe "
#: The most characters that say what a policy does while it is trained; the line of its result has all.
_BRIEF = 60


class _Search:
    """A running search; all state that must survive it is in the study."""

    def __init__(
        self,
        study: SearchStudy,
        executor: Executor,
        tracker: BudgetTracker,
        context: SearchContext,
        progress: Progress,
        training: Callable[[TrialRequest], Work],
    ) -> None:
        self.study, self.executor, self.tracker = study, executor, tracker
        self.context, self.progress, self.training = context, progress, training
        self.session = study.begin_session()
        self.running: dict[str, TrialRequest | None] = {}
        self.waiters: dict[int, list[TrialRequest]] = defaultdict(list)
        self.duplicates = 0
        self.stopped: Stop | None = None
        self.failures: Counter[str] = Counter()
        self.ended = 0

    def spent(self) -> float:
        """The fraction of the budget that is spent or committed to what is running."""
        running = [request for request in self.running.values() if request]
        trainings = sum(request.data_fraction * (request.stop - request.start) for request in running)
        return self.tracker.spent(trainings * self.tracker.full_length)

    def run(self) -> None:
        for request in self.study.interrupted():
            self.start(request)
        while True:
            while len(self.running) < self.executor.slots and self.has_room() and self.begin_next():
                pass
            if not self.running:
                return
            self.take(*self.executor.next_result())

    def has_room(self) -> bool:
        """Whether the budget has room for more; one trial begins even if probes have spent all of it."""
        return self.spent() < 1 or not (self.tracker.count.trials or self.running)

    def begin_next(self) -> bool:
        """Start what the strategy proposes next; return whether it proposed anything."""
        step = self.study.strategy.next(self.study.history(), self.context._replace(spent=self.spent()))
        if step is None:
            return False
        if self.duplicates >= _DUPLICATES:
            step = Stop(f"the last {_DUPLICATES} policies had been tried before", exhausted=True)
        if isinstance(step, Stop):
            self.stopped = step
            return False
        if isinstance(step, Probe):
            self.study.begin_probe(step.name)
            self.progress.say(f"probe {step.name}: {step.purpose or 'begins'}")
            key = _PROBE + step.name
            self.submit(key, None, TrialSpec(key, step.work, self.seed("repeat", FIRST)))
            return True
        request = self.study.begin(step)
        self.tracker.count.add(*counted(request))
        self.start(request)
        return True

    def start(self, request: TrialRequest) -> None:
        """Run a trial, unless an identical one has already run or is running."""
        duplicate = self.study.duplicate(request)
        self.duplicates = self.duplicates + 1 if duplicate is not None else 0
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
        self.progress.doing("; ".join(map(_in_brief, self.running.items())))

    def seed(self, purpose: str, index: int = 0) -> int:
        return derive_seed(self.context.seed, purpose, index)

    def take(self, key: str, result: TrialResult) -> None:
        """Process a result that came back."""
        request = self.running[key]
        if request is None:
            self.study.tell_probe(key.removeprefix(_PROBE), result, self.session)
            self.tracker.sample_passes += result.sample_passes
            del self.running[key]
            if result.status == "failed":
                self.progress.warn(f"{key} failed ({result.reason}); the search goes on without it")
            else:
                self.progress.say(f"{key} {result.note or f'took {duration(result.seconds)}'}")
            return
        if result.status == "running":
            is_late = self.tracker.budget.seconds is not None and self.tracker.spent(0) >= 1 and not request.is_baseline
            if not self.study.report(request.number, result) and not is_late:
                return
            self.executor.cancel()
            result = replace(result, status="pruned")
        del self.running[key]
        self.tracker.sample_passes += result.sample_passes
        if request.data_fraction == 1 and result.status == "complete":
            seconds, trainings = self.tracker.measured
            self.tracker.measured = seconds + result.seconds, trainings + request.stop - request.start
        self.note_end(self.study.tell(request.number, result, self.session, self.tracker.full_length))
        for waiter in self.waiters.pop(request.number, ()):
            if result.status == "failed":  # the worker may have been at fault, not the policy
                self.start(waiter)
            else:
                self.note_end(self.study.tell_as(waiter.number, request.number))

    def note_end(self, trial: TrialSummary) -> None:
        """Report a trial that has ended; give up if most trials fail."""
        self.progress.trial_ended(trial, self.tracker.done())
        self.ended += 1
        if trial.status == "failed":
            self.failures[trial.reason or "its score is not finite"] += 1
        failed = self.failures.total()
        if failed >= _FAILURES and failed > self.ended / 2:
            if failed == self.ended:
                raise AllTrialsFailed(f"all {failed} trials failed; nothing is exported: {_listed(self.failures)}")
            raise AllTrialsFailed(
                f"{failed} of {self.ended} trials failed, so the search was stopped: {_listed(self.failures)}; "
                "finished trials are kept: fix the cause and resume the run"
            )


def run_search(
    study: SearchStudy,
    executor: Executor,
    budget: Budget,
    full_length: int,
    baselines: Mapping[str, Policy],
    progress: Progress,
    *,
    training: Callable[[TrialRequest], Work] | None = None,
    may_stop: bool = False,
) -> Stop | None:
    """Run trials until the budget is spent, or the strategy says that it is enough. Trials that an earlier driver left
    running are run first. Return why the search ended before its budget was spent; None if it did not.

    Args:
        study: the study of the run; it holds all state. Trials with the same seed index share a seed derived from the
            study's, so that policies are compared on equal terms.
        executor: runs the trials.
        budget: when to stop. Trials that are then running are finished; under a time limit they are pruned at their
            next rung.
        full_length: sample passes of one full training, the unit of a compute budget.
        baselines: known policies by name, which every strategy tries too.
        progress: is notified of every trial that ends.
        training: the work of one trial; None trains the task's model on the task's data.
        may_stop: whether the search may end where hardly anything is left to gain.

    Raises:
        AllTrialsFailed: no trial completed, or most failed; the message lists the causes.
        RunError: the database of the study cannot be used any more.
    """
    ended = [summary(record) for record in study.ended()]
    progress.trials_before(ended)
    tracker = _tracker(study, ended, budget, full_length, executor.slots, len(baselines))
    context = SearchContext(
        study.space,
        baselines,
        0.0,
        tracker.trainings(),
        study.seed,
        has_data=training is None,
        may_stop=may_stop,
        pays_probes=budget.policies is None,
    )
    with study.connected():
        search = _Search(study, executor, tracker, context, progress, training or _train)
        search.run()
    trials = [summary(record) for record in study.ended()]
    if not any(trial.status == "complete" for trial in trials):
        if not trials:
            raise AllTrialsFailed("the strategy proposed no policy to train, so nothing is exported: try another one")
        causes = Counter(trial.reason or "pruned" for trial in trials)
        raise AllTrialsFailed(f"all {len(trials)} trials failed; nothing is exported: {_listed(causes)}")
    if search.stopped:
        progress.say(f"the search ends early: {search.stopped.reason}")
    return search.stopped


def _tracker(
    study: SearchStudy, ended: Sequence[TrialSummary], budget: Budget, full_length: int, slots: int, known: int
) -> BudgetTracker:
    """What earlier sessions have spent of the budget, on the trials that `ended` too."""
    probes = [result for result in study.history().probe_results.values() if result]
    count = PolicyCount(study.strategy.explores_until, budget.policies or math.inf)
    for request in study.all():
        count.add(*counted(request))
    whole = [trial for trial in ended if trial.data_fraction == 1 and trial.status == "complete" and trial.seconds > 0]
    return BudgetTracker(
        budget,
        full_length,
        slots,
        known,
        count,
        earlier_seconds=elapsed(study),
        sample_passes=sum(trial.sample_passes for trial in ended) + sum(probe["sample_passes"] for probe in probes),
        measured=(sum(trial.seconds for trial in whole), float(sum(trial.stop for trial in whole))),
    )


def counted(request: TrialRequest) -> tuple[str, tuple[float, float], float, bool]:
    """A trial as `PolicyCount.add` takes it."""
    return request.policy.fingerprint(), (request.start, request.stop), request.data_fraction, request.is_baseline


def _train(request: TrialRequest) -> Work:
    """The training work of a request. The weights of the unaugmented model are kept, for probes to measure."""
    is_bare = request.policy.fingerprint() == Policy().fingerprint()
    return Train(request.policy, request.data_fraction, request.start, request.stop, keeps_weights=is_bare)


def _in_brief(running: tuple[str, TrialRequest | None]) -> str:
    """What runs, in a few words: a probe's key, or a trial's number and its policy, by name if that is a known one."""
    key, request = running
    if request is None:
        return key
    words = request.policy.name if request.is_baseline else in_words(request.policy)
    return f"trial {key}, {shorten(words, _BRIEF, placeholder=' …')}"


def _listed(causes: Counter[str]) -> str:
    return "; ".join(f"{count} x {cause}" for cause, count in causes.most_common(5))


def elapsed(study: SearchStudy) -> float:
    """Wall time of the search in seconds: the sum over its sessions of the time from first start to last end."""
    spans: dict[int, tuple[float, float]] = {}
    probes = [result for result in study.history().probe_results.values() if result]
    for noted in [*(record.outcome for record in study.ended()), *probes]:
        first, last = spans.get(noted["session"], (noted["started"], noted["ended"]))
        spans[noted["session"]] = min(first, noted["started"]), max(last, noted["ended"])
    return sum(last - first for first, last in spans.values())
