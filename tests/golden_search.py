"""Pinned facts about searches, for `tests.test_golden`: the trials in order, and the verdicts."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

import autoaug
from autoaug.engine.transform import PolicyTransform
from autoaug.evaluation.confirmation import CandidatePolicy, confirmation_seeds
from autoaug.evaluation.group_sequential import interim_analyses, is_futile, levels
from autoaug.evaluation.scoring import Scoring, assess
from autoaug.evaluation.statistics import estimate, mcnemar, seed_errors
from autoaug.evaluation.verdict import Terms, contenders, judge
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.executors import Executor, TrialSpec
from autoaug.search.loop import run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import STRATEGIES, get_strategy
from autoaug.search.study import SearchStudy
from autoaug.training.metrics import Accuracy
from autoaug.training.result import Rung, TrialResult
from autoaug.training.tasks import Classification
from autoaug.training.trial import Train
from autoaug.utils.seeds import derive_seed
from tests.golden_policies import mark, rounded
from tests.studies import kept_in_memory
from tests.trainings import training_of

BASELINES = {name: load_policy(name) for name in ("none", "flip-crop", "randaugment")}
#: The policies that probes find.
FOUND = ("augmix", "autoaugment-cifar10", "autoaugment-imagenet")
#: The passes of a full training.
FULL = 3000
#: These compute proposals with matrices, whose last digits depend on the machine: only what comes before is pinned.
BEFORE_MATRICES = {"gp": 12, "cmaes": 12}


def luck(policy: Policy, seed: int, share: float) -> float:
    """A score in [0, 1) in the place of a training."""
    text = f"{mark(policy)} {seed} {share:.4f}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


class Lucky(Executor):
    """Scores trainings by luck, passing one rung; every probe finds the same, which is fixed."""

    slots = 1

    def __init__(self, shift: bool) -> None:
        self._waiting: deque[tuple[str, TrialResult]] = deque()
        self.seeds: list[int] = []
        known = [load_policy(name).model_dump(mode="json", exclude_defaults=True) for name in FOUND]
        self._found = {"policy": known[1] if shift else None, "policies": known, "strength": 0.5, "operators": {}}

    def submit(self, spec: TrialSpec) -> None:
        self.seeds.append(spec.seed)
        work = spec.work
        if not isinstance(work, Train):
            result = TrialResult(started=1.0, ended=2.0, status="complete", sample_passes=500, probe_result=self._found)
            self._waiting.append((spec.key, result))
            return
        score, sample_passes = (
            luck(work.policy, spec.seed, work.data_fraction),
            round(FULL * work.data_fraction * (work.stop - work.start)),
        )
        half, whole = Rung(5, score / 2), Rung(10, score)
        if work.stop == 1:
            result = TrialResult(started=1.0, ended=2.0, curve=(half,), sample_passes=sample_passes // 2)
            self._waiting.append((spec.key, result))
        done = {"score": score, "robustness": 1 - score, "curve": (half, whole), "sample_passes": sample_passes}
        self._waiting.append((spec.key, TrialResult(started=1.0, ended=3.0, status="complete", **done)))

    def next_result(self) -> tuple[str, TrialResult]:
        return self._waiting.popleft()

    def cancel(self) -> None:
        self._waiting.clear()

    def close(self) -> None: ...


def searched(name: str, space: str, seed: int, trainings: float, shift: bool) -> list[Any]:
    """The trials of a search, and which of them are its finalists."""
    executor, strategy = Lucky(shift), get_strategy(name)
    with kept_in_memory():
        study = SearchStudy("here", load_space(space), strategy, seed=seed)
    run_search(study, executor, Budget(trainings=trainings), FULL, BASELINES, Logged())
    stages: dict[str, int] = {}
    trials = [
        [
            mark(record.policy),
            [record.data_fraction, record.seed_index, request.start, request.stop, record.is_baseline],
            stages.setdefault(record.stage, len(stages)),
            record.frozen.state.name,
            rounded(record.values),
            record.sample_passes,
        ]
        for record, request in zip(study.history().trials, study.all(), strict=True)
    ]
    if name in BEFORE_MATRICES:
        return [trials[: BEFORE_MATRICES[name]]]
    return [trials, executor.seeds, [record.number for record in strategy.finalists(study.history())]]


def proposals() -> dict[str, Any]:
    """What each strategy asks for, in which order."""
    made = {
        name: searched(name, "flat" if name in BEFORE_MATRICES else "light", 0, 16, shift=True) for name in STRATEGIES
    }
    for seed, shift in ((0, False), (1, True)):
        made[f"auto {seed} {shift}"] = searched("auto", "regularized", seed, 12, shift)
    return made


def guesses(labels: np.ndarray, accuracy: float, seed: int) -> np.ndarray:
    """Predictions that are right as often as that, by chance."""
    draw = np.random.default_rng(seed)
    return np.where(draw.random(len(labels)) < accuracy, labels, (labels + 1) % 4).astype(np.uint16)


def judged(test: Sequence[float], count: int, planned: tuple[int, ...], after_search: bool) -> list[Any]:
    """The judgment of five candidates with these accuracies on the test split, over so many seeds."""
    labels, seeds, kinds = np.arange(400) % 4, confirmation_seeds(3, count), ("baseline",) * 2 + ("searched",) * 2
    trainings, candidates, scoring = {}, [], Scoring(Classification(4), Accuracy(), labels, labels)
    for number, (kind, accuracy) in enumerate(zip((*kinds, "control"), test, strict=True)):
        candidate_policy = CandidatePolicy(
            str(number), kind, Policy(copies=number + 1), None if kind == "baseline" else number
        )
        for seed in seeds:
            both = guesses(labels, 0.6 + 0.03 * number, seed + number), guesses(labels, accuracy, seed + 9 * number)
            trainings[candidate_policy.name, seed] = training_of(scoring, *both)
        candidates.append(assess(candidate_policy, trainings, seeds, scoring))
    made = judge(candidates, trainings, scoring, Terms(after_search, planned))
    of = made.comparison
    numbers = [list(of.differences), of.difference, list(of.ci95), of.p_value, of.level, list(of.interim_analyses)]
    undecided = [int(name) for name in contenders(made, candidates)] if planned else []
    pooled = list(of.mcnemar.model_dump().values())
    means = [[c.validation_mean, c.mean, list(c.ci95), list(c.class_scores)] for c in candidates]
    return rounded(
        [
            made.verdict,
            int(of.candidate),
            int(of.baseline),
            int(made.returned.name),
            undecided,
            numbers,
            pooled,
            means,
        ]
    )


def futile(differences: list[float], planned: tuple[int, ...]) -> bool:
    """Whether more seeds than these are."""
    return is_futile(float(np.mean(differences)), seed_errors(differences, 0.0), planned, 0)


def verdicts() -> dict[str, Any]:
    """What is said of fixed predictions and of a score that is luck, and the statistics behind."""
    made: dict[str, Any] = {}
    for name, test in {
        "better": (0.70, 0.75, 0.8, 0.9, 0.76),
        "worse": (0.70, 0.9, 0.8, 0.7, 0.76),
        "level": (0.80, 0.81, 0.8, 0.81, 0.80),
        "close": (0.80, 0.81, 0.8, 0.84, 0.82),
    }.items():
        for count, planned in (
            (2, ()),
            (5, interim_analyses(5, 16)),
            (9, interim_analyses(5, 16)),
            (16, interim_analyses(5, 16)),
        ):
            made[f"{name} {count}"] = judged(test, count, planned, after_search=count != 2)
    few, many = [0.01, 0.02, -0.005, 0.012, 0.0], [0.01] * 4
    made["statistics"] = rounded(
        {
            "t": [
                (*estimate(few, 1 / 400), seed_errors(few, 1 / 400).p_value(float(np.mean(few)))),
                (*estimate(many, 1 / 400, 0.01), seed_errors(many, 1 / 400).p_value(float(np.mean(many)))),
            ],
            "pairs": mcnemar(np.arange(50) % 3 == 0, np.arange(50) % 2 == 0),
            "when": [interim_analyses(5, most) for most in (5, 6, 8, 30)],
            "how": [levels(interim_analyses(5, 16)), levels((2, 4, 8))],
            "whether": [futile(few, interim_analyses(5, 16)), futile(many, interim_analyses(4, 9))],
        }
    )
    made["seeds"] = [derive_seed(seed, what, k) for seed in (0, 2**32 - 1) for what in ("a", "share") for k in (0, 5)]

    def scored(transform: PolicyTransform, seed: int, share: float) -> float:
        return luck(transform.policy, seed, share)

    result = autoaug.search(objective=scored, held_out=scored, trials=16, seeds=4, seed=2)
    candidates = [[mark(c.policy), c.scores, c.mean, c.ci95] for c in result.candidates]
    numbers = [result.verdict, result.difference, result.ci95, result.p_value, mark(result.policy)]
    trials = [[trial.data_fraction, trial.seed_index, trial.score] for trial in result.history]
    made["luck"] = rounded([numbers, candidates, trials])
    return made
