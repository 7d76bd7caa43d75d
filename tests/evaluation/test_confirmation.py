"""From trainings to the verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autoaug.evaluation.confirmation import (
    CandidatePolicy,
    ConfirmedTraining,
    assess,
    confirmation_seeds,
    train_candidates,
)
from autoaug.evaluation.verdict import Judgment, judge
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.results import Candidate, CandidateKind
from autoaug.runs.callbacks.base import Silent
from autoaug.search.executors.inline import InlineExecutor
from tests.tasks import small_task

SEEDS = [11, 12, 13, 14, 15]
LABELS = np.arange(400) % 4


def predictions(accuracy: float, seed: int, spread: float = 0.0) -> np.ndarray:
    """Right for a share of the labels near `accuracy`, always the first ones."""
    draw = np.random.default_rng(seed)
    right = round(len(LABELS) * (accuracy + spread * draw.standard_normal()))
    found = LABELS.copy()
    found[right:] = (found[right:] + 1) % 4
    return found.astype(np.uint16)


def judged(
    scores: dict[str, tuple[CandidateKind, float, float]], spread: float = 0.004, after_search: bool = True
) -> Judgment:
    """Candidates with the given kind, validation accuracy and test accuracy, judged."""
    trainings, candidates = {}, []
    for number, (name, (kind, validation, test)) in enumerate(scores.items()):
        candidate_policy = CandidatePolicy(
            name, kind, Policy(name=name, copies=number + 1), None if kind == "baseline" else number
        )
        for seed in SEEDS:
            trainings[name, seed] = ConfirmedTraining(
                predictions(validation, seed), predictions(test, seed + number, spread), 1.0
            )
        candidates.append(assess(candidate_policy, trainings, SEEDS, LABELS, LABELS, 4))
    return judge(candidates, trainings, LABELS, after_search)


def test_better_is_returned() -> None:
    found = judged({"none": ("baseline", 0.7, 0.7), "flip": ("baseline", 0.75, 0.75), "found": ("searched", 0.8, 0.85)})
    assert found.verdict == "better"
    assert found.comparison.baseline == "flip"
    assert found.returned.name == "found"
    assert found.as_returned().is_searched
    assert found.sentence.startswith("Better: ")


def test_worse_and_undecided_return_the_best_baseline_by_validation() -> None:
    scores = {"none": ("baseline", 0.78, 0.70), "flip": ("baseline", 0.75, 0.85), "found": ("searched", 0.9, 0.75)}
    worse = judged(scores)
    assert worse.verdict == "worse"
    assert worse.returned.name == "none"
    assert not worse.as_returned().is_searched
    undecided = judged({**scores, "found": ("searched", 0.9, 0.85)}, spread=0.02)
    assert undecided.verdict == "no significant difference"
    assert undecided.returned.name == "none"
    assert "Returned is none" in undecided.sentence


def test_the_finalist_is_chosen_by_validation_and_the_rival_by_test() -> None:
    found = judged(
        {
            "none": ("baseline", 0.9, 0.7),
            "flip": ("baseline", 0.6, 0.8),
            "lucky": ("searched", 0.7, 0.95),
            "chosen": ("searched", 0.8, 0.75),
            "random-search": ("control", 0.5, 0.82),
        }
    )
    assert found.comparison.candidate == "chosen"
    assert found.comparison.baseline == "random-search"


def test_without_searched_candidates_a_comparison_judges_baselines_and_a_search_claims_nothing() -> None:
    scores: dict[str, tuple[CandidateKind, float, float]] = {
        "none": ("baseline", 0.7, 0.7),
        "flip": ("baseline", 0.8, 0.8),
    }
    compared, searched = judged(scores, after_search=False), judged(scores)
    for found in (compared, searched):
        assert (found.comparison.candidate, found.comparison.baseline) == ("flip", "none")
        assert found.returned.name == "flip"
        assert not found.as_returned().is_searched
    assert compared.verdict == "better"
    assert searched.verdict == "no significant difference"
    assert "larger budget" in searched.sentence


def test_assessment_matches_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, recall_score

    found = judged({"none": ("baseline", 0.7, 0.7), "flip": ("baseline", 0.8, 0.8)}, spread=0.03).returned
    tested = [predictions(0.8, seed + 1, 0.03) for seed in SEEDS]
    assert found.test_accuracy == pytest.approx([accuracy_score(LABELS, t) for t in tested])
    pooled = recall_score(np.tile(LABELS, 5), np.concatenate(tested), average=None)
    assert found.class_accuracy == pytest.approx(pooled.tolist())


def test_a_class_that_the_test_split_lacks_has_no_accuracy() -> None:
    from sklearn.metrics import confusion_matrix

    labels, guessed = np.array([0, 0, 2, 2, 2]), np.array([0, 1, 2, 2, 3])
    trainings = {("none", seed): ConfirmedTraining(labels, guessed, 1.0) for seed in (1, 2)}
    found = assess(CandidatePolicy("none", "baseline", Policy()), trainings, [1, 2], labels, labels, 4)
    assert found.class_accuracy == (0.5, None, pytest.approx(2 / 3), None)
    assert found.class_accuracies == (found.class_accuracy, found.class_accuracy)
    np.testing.assert_array_equal(found.confusion, 2 * confusion_matrix(labels, guessed, labels=range(4)))
    assert Candidate.model_validate_json(found.model_dump_json()) == found


def test_seeds_are_common_fresh_and_follow_from_the_run_seed() -> None:
    assert confirmation_seeds(0, 5) == confirmation_seeds(0, 8)[:5]
    assert len(set(confirmation_seeds(0, 8)) | set(confirmation_seeds(1, 8))) == 16


def test_trainings_that_are_on_disk_are_not_run_again(tmp_path: Path) -> None:
    task = small_task(test=True)
    candidate_policies = [CandidatePolicy(name, "baseline", load_policy(name)) for name in ("none", "flip-crop")]

    class Counting(InlineExecutor):
        runs = 0

        def submit(self, spec: object) -> None:
            Counting.runs += 1
            super().submit(spec)

    first = train_candidates(candidate_policies, [1, 2], Counting(task), tmp_path, Silent())
    assert Counting.runs == 4
    (tmp_path / f"{candidate_policies[0].policy.fingerprint()}-2.npz").unlink()
    second = train_candidates(candidate_policies, [1, 2], Counting(task), tmp_path, Silent())
    assert Counting.runs == 5
    for key, training in first.items():
        np.testing.assert_array_equal(training.test_predictions, second[key].test_predictions)
