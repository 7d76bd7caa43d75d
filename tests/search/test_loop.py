"""The loop: budgets, pruning, failures, and resuming after a kill."""

from __future__ import annotations

import itertools
import math
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest

from autoaug.errors import AllTrialsFailed, RunError
from autoaug.policy.loading import load_policy
from autoaug.results import TrialSummary
from autoaug.runs.callbacks import Logged
from autoaug.search import budget
from autoaug.search.budget import Budget
from autoaug.search.executors import Executor, TrialSpec
from autoaug.search.loop import run_search
from autoaug.search.progress import Progress
from autoaug.search.space import SearchSpace, load_space
from autoaug.search.strategies import Draw, Stop, get_strategy
from autoaug.search.strategies.grid import grid
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import summary
from autoaug.training.result import Rung, TrialResult
from tests.conftest import PATIENCE, write_npz

FULL = 100


class Scripted(Executor):
    """An executor without training: the score of a trial is a function of its number."""

    def __init__(self, slots: int = 1, score: object = None, fail: bool = False) -> None:
        self.slots, self._fail = slots, fail
        self._score = score or (lambda number: 0.5 + 0.4 * math.sin(number))
        self._events: deque[tuple[str, TrialResult]] = deque()
        self.submitted: list[TrialSpec] = []

    def submit(self, spec: TrialSpec) -> None:
        self.submitted.append(spec)
        value = self._score(int(spec.key))
        if self._fail:
            self._events.append(
                (spec.key, TrialResult(started=0.0, ended=1.0, status="failed", reason="OutOfMemory: too big"))
            )
            return
        rung = Rung(5, 0.9 if math.isnan(value) else value)
        half = TrialResult(started=0.0, ended=0.5, curve=(rung,), sample_passes=FULL // 2)
        whole = TrialResult(
            started=0.0, ended=1.0, status="complete", score=value, curve=(rung, Rung(10, value)), sample_passes=FULL
        )
        self._events.extend([(spec.key, half), (spec.key, whole)])

    def next_result(self) -> tuple[str, TrialResult]:
        key, result = self._events.popleft()
        self._last = key
        return key, result

    def cancel(self) -> None:
        self._events = deque(event for event in self._events if event[0] != self._last)

    def close(self) -> None:
        self._events.clear()


SPACE = load_space("light")
BASELINES = {name: load_policy(name) for name in ("none", "flip-crop")}


def new_study(path: Path, strategy: str = "tpe", **changes: object) -> SearchStudy:
    settings = {"space": SPACE, "seed": 0, **changes}
    return SearchStudy(path / "study.db", strategy=get_strategy(strategy), **settings)


def run(study: SearchStudy, executor: Executor, budget: Budget) -> None:
    run_search(study, executor, budget, FULL, BASELINES, Logged())


@pytest.mark.parametrize("slots", [1, 3])
def test_a_number_of_trials_is_exact_and_begins_with_the_baselines(slots: int, tmp_path: Path) -> None:
    study = new_study(tmp_path)
    run(study, Scripted(slots), Budget(policies=18))
    trials = [summary(t) for t in study.ended()]
    assert [t.number for t in trials] == list(range(len(trials)))
    known = {t.fingerprint for t in trials if t.is_baseline}
    assert len({t.fingerprint for t in trials} - known) == 18
    assert [t.name for t in trials if t.is_baseline] == ["none", "flip-crop"]
    assert {t.status for t in trials} == {"complete", "pruned"}


@pytest.mark.parametrize("amount", [{"policies": 6}, {"trainings": 8}])
def test_progress_is_made_from_the_first_trial_on(amount: dict[str, int], tmp_path: Path) -> None:
    """Known policies come first and spend nothing of a budget of policies."""

    class Seen(Progress):
        fractions: list[float] = []
        words: dict[int, str] = {}

        def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
            self.fractions.append(fraction)
            self.words[trial.number] = trial.words

        running: list[str] = []

        def doing(self, what: str) -> None:
            self.running.append(what)

    progress = Seen()
    run_search(new_study(tmp_path), Scripted(), Budget(**amount), FULL, BASELINES, progress)
    fractions = progress.fractions
    assert 0.02 < fractions[0] < 0.3
    assert fractions == sorted(fractions)
    assert 0.9 <= fractions[-1] <= 1
    assert progress.running[:3] == ["trial 0, none", "trial 1, flip-crop", f"trial 2, {progress.words[2]}"]
    assert progress.words[2]


def test_a_compute_budget_counts_what_pruning_saved(tmp_path: Path) -> None:
    study = new_study(tmp_path)
    run(study, Scripted(2), Budget(trainings=10))
    sample_passes = sum(t.outcome["sample_passes"] for t in study.ended())
    assert 9 * FULL <= sample_passes <= 11 * FULL
    assert len(study.ended()) > 10


class Probing(Scripted):
    """One whose probes take five trainings, and propose a policy or not."""

    def __init__(self, found: dict[str, object]) -> None:
        super().__init__()
        self.found = found

    def submit(self, spec: TrialSpec) -> None:
        if not spec.key.startswith("probe "):
            return super().submit(spec)
        result = TrialResult(0.0, 1.0, "complete", sample_passes=5 * FULL, probe_result=self.found)
        return self._events.append((spec.key, result))


@pytest.mark.parametrize("strategy", ["gradient", "matching"])
def test_a_probe_that_spends_the_budget_leaves_a_trial(strategy: str, tmp_path: Path) -> None:
    study = new_study(tmp_path, strategy)
    run(study, Probing({"policy": load_policy("randaugment").model_dump(mode="json")}), Budget(trainings=1.3))
    (trial,) = map(summary, study.ended())
    assert (trial.status, trial.is_baseline) == ("complete", False)


def test_a_search_without_any_policy_says_so(tmp_path: Path) -> None:
    with pytest.raises(AllTrialsFailed, match="the strategy proposed no policy to train"):
        run(new_study(tmp_path, "gradient"), Probing({}), Budget(trainings=1.3))


def test_a_time_budget_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = new_study(tmp_path)
    clock = itertools.count()  # a tenth of a second between two looks
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: next(clock) / 10))
    run(study, Scripted(), Budget(seconds=1.0))
    assert 1 <= len(study.ended()) <= 10


def test_baselines_are_never_pruned_and_poor_trials_are(tmp_path: Path) -> None:
    study = new_study(tmp_path)
    run(study, Scripted(score=lambda number: 0.1 if number == 1 else 0.9 if number < 8 else 0.2), Budget(policies=10))
    trials = {t.number: t for t in map(summary, study.ended())}
    assert trials[1].status == "complete"
    assert {trials[n].status for n in range(8, 12)} == {"pruned"}
    assert all(trials[n].score is None for n in range(8, 12))


@pytest.mark.fault("trials", "all fail")
def test_when_all_fail_the_causes_are_grouped(tmp_path: Path) -> None:
    study = new_study(tmp_path)
    with pytest.raises(AllTrialsFailed, match="all 5 trials failed; nothing is exported: 5 x OutOfMemory: too big"):
        run(study, Scripted(fail=True), Budget(policies=5))


@pytest.mark.fault("trials", "a loss or score that is not finite")
def test_a_trial_that_is_not_finite_is_failed_and_never_best(tmp_path: Path) -> None:
    study = new_study(tmp_path)
    run(study, Scripted(score=lambda number: math.nan if number == 3 else 0.5), Budget(policies=6))
    assert {t.number: t.status for t in map(summary, study.ended())}[3] == "failed"


@pytest.mark.fault("driver", "ended with trials running")
def test_an_interrupted_search_goes_on_where_it_was(tmp_path: Path) -> None:
    """The driver dies with trials running; the next one runs them under their old numbers, with their old policies."""

    class Dying(Scripted):
        def next_result(self) -> tuple[str, TrialResult]:
            if len(self.submitted) > 8:
                raise KeyboardInterrupt
            return super().next_result()

    (tmp_path / "whole").mkdir()
    straight = new_study(tmp_path / "whole")
    run(straight, Scripted(2), Budget(policies=13))

    study, dying = new_study(tmp_path), Dying(2)
    with pytest.raises(KeyboardInterrupt):
        run(study, dying, Budget(policies=13))
    ended_before = {t.number for t in study.ended()}

    class Seen(Progress):
        before: list[int] = []

        def trials_before(self, trials: Sequence[TrialSummary]) -> None:
            self.before.extend(trial.number for trial in trials)

        def trial_ended(self, *_: object) -> None: ...

    again, executor, seen = new_study(tmp_path), Scripted(2), Seen()
    run_search(again, executor, Budget(policies=13), FULL, BASELINES, seen)
    assert {*seen.before} == ended_before, "what ended before is told"
    assert not ended_before & {int(spec.key) for spec in executor.submitted}, "nothing that ended is run again"
    assert [t.number for t in again.ended()] == list(range(15))
    policies = {spec.key: spec.work for spec in dying.submitted}
    for spec in executor.submitted:
        if spec.key in policies:
            assert spec.work == policies[spec.key]


@pytest.mark.fault("determinism", "a search that was interrupted")
def test_with_one_worker_an_interruption_changes_nothing(tmp_path: Path) -> None:
    class Dying(Scripted):
        def next_result(self) -> tuple[str, TrialResult]:
            if len(self.submitted) > 12:
                raise KeyboardInterrupt
            return super().next_result()

    (tmp_path / "whole").mkdir()
    straight = new_study(tmp_path / "whole")
    run(straight, Scripted(), Budget(policies=18))
    with pytest.raises(KeyboardInterrupt):
        run(new_study(tmp_path), Dying(), Budget(policies=18))
    again = new_study(tmp_path)
    run(again, Scripted(), Budget(policies=18))
    assert [t.frozen.params for t in again.ended()] == [t.frozen.params for t in straight.ended()]


@pytest.mark.slow
@pytest.mark.fault("driver", "killed -9 in a search and in a confirmation, with real processes")
def test_kill_9_in_mid_search_then_resume(tmp_path: Path) -> None:
    """With real processes and Ray: same number of trials, none twice, none left running; and again during confirmation.
    With one worker, `tests/faults/test_determinism.py` shows more.
    """
    data, out = write_npz(tmp_path / "bars.npz"), tmp_path / "run"
    options = ["--space", "light", "--trials", "4", "--epochs", "1", "--seeds", "2"]
    options += ["--finalists", "1", "--workers", "2", "--out", str(out)]
    command = [sys.executable, "-m", "autoaug", "search", str(data), *options]

    def kill_after(lines: int, beginning: str, arguments: list[str]) -> None:
        """Kill the process as soon as it has printed so many lines with that beginning."""
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stdout is not None
        seen = itertools.accumulate(line.startswith(beginning) for line in process.stdout)
        assert any(count == lines for count in seen), "it ended before it could be killed"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def trials() -> list[optuna.trial.FrozenTrial]:
        return optuna.load_study(study_name=None, storage=f"sqlite:///{out}/study.db").trials

    kill_after(5, "trial ", command)
    ended = {t.number: t.datetime_complete for t in trials() if t.state.is_finished()}
    resume = [sys.executable, "-m", "autoaug", "resume", str(out)]
    kill_after(2, "training ", resume)
    confirmed = {path.name: path.stat().st_mtime_ns for path in out.glob("confirmation/[!.]*.npz")}
    subprocess.run(resume, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    after = trials()
    assert [t.number for t in after] == list(range(len(after)))
    assert len({t.user_attrs["request"]["fingerprint"] for t in after}) >= 8
    assert all(t.state.is_finished() for t in after)
    assert {n: t.datetime_complete for n, t in enumerate(after) if n in ended} == ended
    assert {name: (out / "confirmation" / name).stat().st_mtime_ns for name in confirmed} == confirmed
    assert (out / "result.json").is_file()


def test_a_policy_is_not_trained_twice(tmp_path: Path) -> None:
    """A space of four policies: each is trained once, and the search ends when nothing is new."""
    space = SearchSpace.model_validate({"base": [{"operator": "HorizontalFlip"}, {"operator": "VerticalFlip"}]})
    study, executor = new_study(tmp_path, "random", space=space), Scripted(2)
    stopped = run_search(study, executor, Budget(trainings=50), FULL, {"none": load_policy("none")}, Logged())
    assert stopped == Stop("the last 100 policies had been tried before", exhausted=True)
    trained = [spec.work for spec in executor.submitted]
    assert len(trained) == 4
    assert len({work.policy.fingerprint() for work in trained}) == 4
    scores: dict[str, set[float | None]] = {}
    for trial in map(summary, study.ended()):
        scores.setdefault(trial.fingerprint, set()).add(trial.score)
    assert all(len(values) == 1 for values in scores.values()), "a repeated policy has the score of the first"


def test_a_grid_that_was_tried_ends_the_search_and_says_so(tmp_path: Path) -> None:
    points = len(list(grid(SPACE)))
    for policies, reason in ((points + 9, f"all {points} points of the grid were tried"), (points - 1, None)):
        study = SearchStudy(tmp_path / f"{policies}.db", strategy=get_strategy("grid"), space=SPACE, seed=0)
        stopped = run_search(study, Scripted(2), Budget(policies=policies), FULL, BASELINES, Logged())
        assert stopped == (Stop(reason, exhausted=True) if reason else None)
        assert sum(trial.is_drawn for trial in study.history().trials) == min(points, policies)


@pytest.mark.fault("trials", "more than half fail")
def test_a_search_in_which_most_trials_fail_is_given_up(tmp_path: Path) -> None:
    study = new_study(tmp_path)
    with pytest.raises(AllTrialsFailed, match=r"7 of 13 trials failed, so the search was stopped: 7 x its"):
        run(study, Scripted(score=lambda number: math.nan if number > 3 else 0.5 + number), Budget(policies=50))
    assert len(study.ended()) == 13, "finished trials are kept"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, "seed 0, not 1"),
        ({"space": load_space("digits")}, "another space .*families"),
        ({"strategy": "random"}, "strategy 'tpe', not 'random'"),
    ],
)
@pytest.mark.fault("driver", "changed space, seed or strategy")
def test_a_study_is_not_continued_as_another(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    new_study(tmp_path)
    with pytest.raises(RunError, match=words):
        new_study(tmp_path, **changes)


def test_importance_compares_trials_on_one_share_of_the_data(tmp_path: Path) -> None:
    """More data score higher, whatever the choices; the few trials on all data would seem to explain everything."""
    study = new_study(tmp_path, space=load_space("flat"))
    session = study.begin_session()
    for number in range(20):
        step = Draw(lambda seed: optuna.samplers.RandomSampler(seed=seed), data_fraction=1.0 if number > 17 else 0.25)
        begun = study.begin(step)
        params = study.history().trials[-1].frozen.params
        score = 0.4 + 0.1 * params["layer1.probability"] + 0.5 * (number > 17)
        study.tell(begun.number, TrialResult(0.0, 1.0, "complete", score), session, FULL)
    importance = study.importance()
    assert max(importance, key=importance.__getitem__) == "layer1.probability"
    assert importance["layer1.probability"] > 0.9
