"""Seeds are added until the data decide; a training that fails then leaves the verdict on the seeds before."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from autoaug.evaluation.confirmation import CandidatePolicy, Deadline, confirmation_seeds, train_candidates
from autoaug.evaluation.group_sequential import interim_analyses, levels
from autoaug.evaluation.scoring import ConfirmedTraining, Scoring
from autoaug.evaluation.training_store import TrainingStore
from autoaug.pipeline.confirming import Confirmed, _ended_early, _until_decided
from autoaug.pipeline.forecast import Parts
from autoaug.pipeline.job import Job
from autoaug.pipeline.searching import Searched
from autoaug.pipeline.time_limit import TimeLimit
from autoaug.policy.models import Policy
from autoaug.results import CandidateKind
from autoaug.runs.callbacks import Logged
from autoaug.search.executors import Executor, TrialSpec
from autoaug.training.metrics import Accuracy
from autoaug.training.result import TrialResult
from autoaug.training.tasks import Classification
from tests.trainings import training_of

LABELS = np.arange(20000) % 4
SCORING = Scoring(Classification(4), Accuracy(), LABELS, LABELS)
SEEDS = confirmation_seeds(0, 16)
#: The kind, and the accuracy on the validation and on the test split, of each candidate.
WORTH: dict[str, tuple[CandidateKind, float, float]] = {
    "weak": ("baseline", 0.70, 0.70),
    "strong": ("baseline", 0.80, 0.80),
    "first": ("searched", 0.84, 0.812),
    "second": ("searched", 0.82, 0.78),
}
CANDIDATES = [
    CandidatePolicy(name, kind, Policy(copies=number + 1), None if kind == "baseline" else number)
    for number, (name, (kind, *_)) in enumerate(WORTH.items())
]


class Made:
    """A store of trainings that are drawn instead of trained; after the first five seeds, those of `failing` fail."""

    cure, scoring = "", SCORING

    def __init__(self, failing: str) -> None:
        self.failing = failing
        self.kept = 0

    def read(self, policy: Policy, seed: int) -> None: ...

    def work(self, policy: Policy, seed: int) -> Any:
        return CANDIDATES[policy.copies - 1].name == self.failing and SEEDS.index(seed) >= 5

    def keep(self, policy: Policy, seed: int, result: TrialResult) -> ConfirmedTraining:  # noqa: ARG002 (as the protocol)
        self.kept += 1
        _, validation, test = WORTH[CANDIDATES[policy.copies - 1].name]
        draw = np.random.default_rng((seed, policy.copies))

        def predicted(accuracy: float) -> np.ndarray:
            right = draw.random(len(LABELS)) < accuracy + 0.012 * draw.standard_normal()
            return np.where(right, LABELS, (LABELS + 1) % 4).astype(np.uint16)

        return training_of(SCORING, predicted(validation), predicted(test))


def carried_out(_: Executor, specs: Iterator[TrialSpec]) -> Iterator[tuple[str, TrialResult]]:
    for spec in specs:
        ended = {"status": "failed", "reason": "out of memory"} if spec.work else {"status": "complete", "score": 0.5}
        yield spec.key, TrialResult(started=0.0, ended=1.0, **ended)  # type: ignore[arg-type]


def confirmed(
    failing: str, monkeypatch: pytest.MonkeyPatch, progress: Logged, limit: TimeLimit | None = None
) -> Confirmed:
    store = Made(failing)
    monkeypatch.setattr("autoaug.evaluation.confirmation.run_all", carried_out)
    monkeypatch.setattr("autoaug.evaluation.confirmation.now", lambda: store.kept)  # each takes a second
    job = SimpleNamespace(
        planned=interim_analyses(5, 16),
        seeds=SEEDS,
        modality="image",
        progress=progress,
        config=SimpleNamespace(returns="best-bet", folds=None),
        limit=limit,
        parts=Parts(),
    )
    searched = Searched(CANDIDATES, cast("Any", object()))
    return _until_decided(cast("Job", job), searched, cast("Executor", None), cast("TrainingStore", store))


def test_seeds_are_added_while_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    judgment = confirmed("", monkeypatch, Logged())
    seeds = {candidate.name: len(candidate.seeds) for candidate in judgment.candidates}
    assert seeds["first"] == seeds["strong"] > seeds["weak"] == 5


@pytest.mark.parametrize("failing", ["first", "strong"])
def test_a_failure_on_more_seeds_leaves_the_verdict_on_those_before(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Heard(Logged):
        warned: list[str] = []

        def warn(self, message: str) -> None:
            self.warned.append(message)

    judgment = confirmed(failing, monkeypatch, Heard())
    assert {len(candidate.seeds) for candidate in judgment.candidates} == {5}
    assert judgment.left_out == ()
    assert judgment.judgment.comparison is not None
    assert (judgment.judgment.comparison.candidate, judgment.judgment.comparison.baseline) == ("first", "strong")
    words = f"This is the verdict of the first 5 seeds, because trainings of {failing} failed on more."
    assert Heard.warned[-1] == words
    assert judgment.judgment.sentence.endswith(f" {words}"), "the report tells it too"


def test_what_failed_on_the_first_seeds_is_tried_again_though_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers end trainings in any order: what fails on a first seed was neither tried again nor left out then."""

    def last_first(executor: Executor, specs: Iterator[TrialSpec]) -> Iterator[tuple[str, TrialResult]]:
        yield from reversed(list(carried_out(executor, specs)))

    store, seeds = Made("second"), SEEDS[5:10]
    monkeypatch.setattr("autoaug.evaluation.confirmation.run_all", last_first)
    monkeypatch.setattr("autoaug.evaluation.confirmation.now", lambda: store.kept)  # each takes a second
    deadline = Deadline(15, 1.0, least_seeds=2)
    trained = train_candidates(CANDIDATES, seeds, cast("Executor", None), store, Logged(), deadline)
    assert list(trained.left_out) == ["second"]
    assert trained.seeds == 5
    assert {name for name, _ in trained.outcomes} == {"weak", "strong", "first"}


@pytest.mark.parametrize(
    ("room", "seeds"),
    [
        (0, 2),  # a verdict needs two, even if the time is up
        (13, 3),  # four candidates a seed: the fourth seed was not finished
        (23, 6),  # two candidates go on after the fifth seed, and one of them is a training ahead
        (1000, 16),
    ],
)
def test_no_training_begins_that_would_not_end_in_time(room: int, seeds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = confirmed("", monkeypatch, Logged(), TimeLimit(room, 20, 1.0, workers=1, least_seeds=2))
    comparison = found.judgment.comparison
    assert comparison is not None
    assert len(comparison.differences) == seeds
    assert ("the time was up" in found.judgment.sentence) == (seeds < 16)
    assert comparison.interim_analyses[-1] in (seeds, 16)
    assert {len(candidate.seeds) for candidate in found.candidates} == {min(seeds, 5), seeds}
    assert {seed for name, seed in found.trainings if name == "first"} == set(SEEDS[:seeds])


def test_a_confirmation_that_time_ended_is_judged_at_the_level_of_its_only_analysis() -> None:
    assert _ended_early((5, 9, 16), 3) == (3,)
    assert levels((3,)) == pytest.approx((0.05,), abs=1e-4)
    assert _ended_early((5, 9, 16), 7) == (5, 7, 16)
    assert levels((5, 7, 16))[0] == pytest.approx(levels((5, 9, 16))[0])
    assert _ended_early((5, 9, 16), 5) == (5,)
