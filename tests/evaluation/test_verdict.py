"""From scores to the verdict and what is returned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoaug.data.audit import Audit
from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import DataSet, Samples
from autoaug.evaluation.comparing import Paired
from autoaug.evaluation.confirmation import CandidatePolicy
from autoaug.evaluation.returning import best_bet
from autoaug.evaluation.scoring import Scoring, assess
from autoaug.evaluation.statistics import seed_errors, verdict_of
from autoaug.evaluation.verdict import Judgment, Rival, Terms, decide, judge
from autoaug.evaluation.wording import Phrases
from autoaug.pipeline.job import Job
from autoaug.policy.models import Policy
from autoaug.results import Candidate, CandidateKind, MetricRecord
from autoaug.runs.callbacks import Logged
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.training.metrics import Accuracy
from autoaug.training.recipe import Recipe
from autoaug.training.tasks import Classification
from tests.trainings import training_of

SEEDS = [11, 12, 13, 14, 15]
LABELS = np.arange(400) % 4
SCORING = Scoring(Classification(4), Accuracy(), LABELS, LABELS)


def predictions(accuracy: float, seed: int, spread: float = 0.0) -> np.ndarray:
    """Right for a share of the labels near `accuracy`, always the first ones."""
    draw = np.random.default_rng(seed)
    right = round(len(LABELS) * (accuracy + spread * draw.standard_normal()))
    answers = LABELS.copy()
    answers[right:] = (answers[right:] + 1) % 4
    return answers.astype(np.uint16)


def judged(scores: dict[str, tuple[CandidateKind, float, float]], spread: float = 0.004, **terms: Any) -> Judgment:
    """Candidates with the given kind, validation accuracy and test accuracy, judged on these terms."""
    trainings, candidates = {}, []
    for number, (name, (kind, validation, test)) in enumerate(scores.items()):
        candidate_policy = CandidatePolicy(
            name, kind, Policy(name=name, copies=number + 1), None if kind == "baseline" else number
        )
        for seed in SEEDS:
            both = predictions(validation, seed), predictions(test, seed + number, spread)
            trainings[name, seed] = training_of(SCORING, *both)
        candidates.append(assess(candidate_policy, trainings, SEEDS, SCORING))
    return judge(candidates, trainings, SCORING, Terms(**terms))


def test_better_is_returned() -> None:
    judgment = judged({"none": ("baseline", 0.7, 0.7), "flip": ("baseline", 0.7, 0.7), "own": ("searched", 0.8, 0.85)})
    assert judgment.verdict == "better"
    assert judgment.returned.name == "own"
    assert judgment.as_returned().is_searched
    assert judgment.sentence.startswith("Better: ")


@pytest.mark.fault("trials", "a baseline wins")
def test_worse_returns_the_best_baseline_by_validation() -> None:
    judgment = judged(
        {"none": ("baseline", 0.78, 0.85), "flip": ("baseline", 0.75, 0.70), "found": ("searched", 0.9, 0.75)}
    )
    assert judgment.verdict == "worse"
    assert judgment.comparison.baseline == "none"
    assert judgment.returned.name == "none"
    assert not judgment.as_returned().is_searched
    assert "Returned is none, the best baseline by validation." in judgment.sentence


def test_undecided_returns_the_best_bet_or_for_the_cautious_the_best_baseline() -> None:
    scores: dict[str, tuple[CandidateKind, float, float]] = {
        "none": ("baseline", 0.78, 0.84),
        "flip": ("baseline", 0.75, 0.80),
        "found": ("searched", 0.9, 0.85),
    }
    bold, cautious = judged(scores, 0.02), judged(scores, 0.02, returns="baseline-unless-better")
    assert bold.verdict == cautious.verdict == "no significant difference"
    assert (bold.returned.name, cautious.returned.name) == ("found", "none")
    assert "Returned is found, the best bet by validation." in bold.sentence


def test_a_policy_of_a_search_must_be_ahead_by_a_share_of_the_luck_of_the_samples() -> None:
    """That luck is McNemar's: the root of the number of discordant samples, over all samples."""
    kinds: dict[str, CandidateKind] = {"known": "baseline", "drawn": "searched"}
    theirs, ours = LABELS.copy(), LABELS.copy()
    theirs[:24] += 1
    ours[24:40] += 1
    trainings = {
        (name, seed): training_of(SCORING, predictions, LABELS)
        for name, predictions in (("known", theirs), ("drawn", ours))
        for seed in SEEDS
    }
    candidates = [
        assess(CandidatePolicy(name, kind, Policy()), trainings, SEEDS, SCORING) for name, kind in kinds.items()
    ]
    ratio = (24 - 16) / np.sqrt(24 + 16)
    bets = [best_bet(candidates, trainings, SCORING, 5, discount).name for discount in (0.95 * ratio, 1.05 * ratio)]
    assert bets == ["drawn", "known"]


def test_samples_of_one_group_are_met_with_luck_as_a_whole() -> None:
    """Ten copies of each sample in a group of their own are as sure as the samples alone."""
    draw = np.random.default_rng(0)
    lasting, passing = draw.random((2, 1, 40)) < 0.5, draw.random((2, 5, 40)) < 0.1
    ours, theirs = (lasting ^ passing).astype(np.uint16)
    labels, copied = np.ones(40, np.int64), np.ones(400, np.int64)
    alone = Scoring(Classification(2), Accuracy(), labels, labels)
    grouped = Scoring(Classification(2), Accuracy(), copied, copied, np.repeat(np.arange(40).astype(str), 10))
    unknown = replace(grouped, test_groups=None)

    def samples_error(scoring: Scoring, copies: int) -> float:
        both = ([training_of(scoring, r, r) for r in np.repeat(side, copies, 1)] for side in (ours, theirs))
        return scoring.errors(*both).samples

    assert samples_error(grouped, 10) == pytest.approx(samples_error(alone, 1))
    assert samples_error(unknown, 10) < 0.5 * samples_error(alone, 1)


def test_samples_of_one_group_alone_prove_nothing() -> None:
    """They are not taken for new samples: nothing is known about another group."""
    draw = np.random.default_rng(0)
    ours, theirs = (draw.random((2, 5, 40)) < [[[0.9]], [[0.5]]]).astype(np.uint16)
    labels = np.ones(40, np.int64)
    alone = Scoring(Classification(2), Accuracy(), labels, labels)
    grouped = replace(alone, test_groups=np.full(40, "p1"), validation_groups=np.full(40, "p1"))
    both = [[training_of(alone, r, r) for r in side] for side in (ours, theirs)]
    assert alone.errors(*both).reach().total < 1
    assert grouped.errors(*both).reach().total == np.inf
    assert 0 < grouped.validation_errors(*both).samples < np.inf, "a bet is made all the same"


def test_a_runs_groups_reach_its_intervals(tmp_path: Path) -> None:
    samples = Samples(MemoryInputs(np.zeros((4, 1, 8, 8), np.uint8)), np.arange(4) % 2, np.array(list("aabb")))
    data = DataSet("grouped", ("one", "two"), samples, samples, samples, "", "")
    audit = Audit({}, (), {}, "")
    job = Job(
        RunFolder(tmp_path), RunConfig.model_construct(recipe=Recipe(epochs=1, batch_size=8)), data, audit, Logged()
    )
    assert job.scoring.test_groups is samples.groups
    assert job.scoring.validation_groups is not None
    assert job.scoring.validation_groups.tolist() == list("aabb")


def test_better_must_hold_against_the_strongest_by_test_too() -> None:
    scores: dict[str, tuple[CandidateKind, float, float]] = {
        "none": ("baseline", 0.9, 0.7),
        "flip": ("baseline", 0.6, 0.85),
        "found": ("searched", 0.8, 0.85),
    }
    judgment = judged(scores)
    assert judgment.verdict == "no significant difference"
    assert judgment.comparison.baseline == "none"
    assert verdict_of(judgment.comparison.ci95) == "better"
    assert "not clearly of flip, the strongest by test" in judgment.sentence


def test_what_is_returned_is_compared_with_what_its_user_may_ask_about() -> None:
    scores: dict[str, tuple[CandidateKind, float, float]] = {
        "none": ("baseline", 0.6, 0.6),
        "usual": ("baseline", 0.7, 0.7),
        "flip": ("baseline", 0.75, 0.75),
        "found": ("searched", 0.9, 0.9),
    }
    claims = judged(scores, usual_policy="usual").claims
    assert {claim.baseline: claim.against for claim in claims} == {
        "none": "no augmentation",
        "usual": "the usual default",
        "flip": "the strongest baseline by test",
    }
    assert all(claim.candidate == "found" and verdict_of(claim.ci95) == "better" for claim in claims)
    both = judged(scores, usual_policy="flip").claims
    assert [claim.against for claim in both] == [
        "no augmentation",
        "the usual default and the strongest baseline by test",
    ]


def test_the_finalist_and_its_baseline_are_chosen_by_validation() -> None:
    judgment = judged(
        {
            "none": ("baseline", 0.9, 0.7),
            "flip": ("baseline", 0.6, 0.8),
            "lucky": ("searched", 0.7, 0.95),
            "chosen": ("searched", 0.8, 0.75),
            "random-search": ("control", 0.5, 0.82),
        }
    )
    assert judgment.comparison.candidate == "chosen"
    assert judgment.comparison.baseline == "none"


def test_without_searched_candidates_a_comparison_judges_baselines_and_a_search_claims_nothing() -> None:
    scores: dict[str, tuple[CandidateKind, float, float]] = {
        "none": ("baseline", 0.7, 0.7),
        "flip": ("baseline", 0.8, 0.8),
    }
    compared, searched = judged(scores, after_search=False), judged(scores)
    for judgment in (compared, searched):
        assert judgment.returned.name == "flip"
        assert not judgment.as_returned().is_searched
    assert (compared.comparison.candidate, compared.comparison.baseline) == ("flip", "none")
    assert searched.comparison is None, "two baselines are no finding of the search"
    assert compared.verdict == "better"
    assert searched.verdict == "no significant difference"
    assert "try a longer search (more --time, --trials or --budget)" in searched.sentence
    stopped = judged(scores, stopped="hardly anything is left to gain").sentence
    assert "ended early, because hardly anything is left to gain. Returned is flip" in stopped
    assert "longer search" not in stopped


@pytest.mark.fault("trials", "all policies of a search fail in the confirmation")
def test_where_all_its_policies_failed_in_the_confirmation_a_search_says_so() -> None:
    scores: dict[str, tuple[CandidateKind, float, float]] = {
        "none": ("baseline", 0.7, 0.7),
        "random-search": ("control", 0.8, 0.8),
    }
    judgment = judged(scores, lost=True)
    assert judgment.verdict == "no significant difference"
    assert "all policies of the search failed in the confirmation" in judgment.sentence
    assert judgment.returned.name == "none", "nothing is claimed for the control search"


def test_without_a_baseline_a_search_claims_nothing() -> None:
    judgment = judged({"a": ("searched", 0.8, 0.8), "b": ("searched", 0.7, 0.7)})
    assert judgment.verdict == "no significant difference"
    assert "no baseline could be trained" in judgment.sentence


@pytest.mark.parametrize("kind", ["searched", "control"])
@pytest.mark.fault("trials", "a baseline wins")
def test_a_policy_that_is_proven_worse_is_never_returned(kind: CandidateKind) -> None:
    """Not even as the best bet by validation: the test split knows better."""
    judgment = judged({"own": ("searched", 0.9, 0.4), "other": (kind, 0.8, 0.8)}, after_search=kind == "control")
    assert judgment.verdict == "worse"
    assert judgment.returned.name == "other"
    role = {"searched": "the best of the other policies by validation", "control": "the winner of the control search"}
    assert judgment.sentence.count(role[kind]) == 2


def test_assessment_matches_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, recall_score

    returned = judged({"none": ("baseline", 0.7, 0.7), "flip": ("baseline", 0.8, 0.8)}, spread=0.03).returned
    tested = [predictions(0.8, seed + 1, 0.03) for seed in SEEDS]
    assert returned.test_scores == pytest.approx([accuracy_score(LABELS, t) for t in tested])
    pooled = recall_score(np.tile(LABELS, 5), np.concatenate(tested), average=None)
    assert returned.class_scores == pytest.approx(pooled.tolist())


def test_a_class_that_the_test_split_lacks_has_no_accuracy() -> None:
    from sklearn.metrics import confusion_matrix

    labels, guessed = np.array([0, 0, 2, 2, 2]), np.array([0, 1, 2, 2, 3])
    scoring = Scoring(Classification(4), Accuracy(), labels, labels)
    trainings = {("none", seed): training_of(scoring, labels, guessed) for seed in (1, 2)}
    assessed = assess(CandidatePolicy("none", "baseline", Policy()), trainings, [1, 2], scoring)
    assert assessed.class_scores == (0.5, None, pytest.approx(2 / 3), None)
    assert assessed.class_scores_by_seed == (assessed.class_scores, assessed.class_scores)
    np.testing.assert_array_equal(assessed.confusion, 2 * confusion_matrix(labels, guessed, labels=range(4)))
    assert Candidate.model_validate_json(assessed.model_dump_json()) == assessed


def test_the_figures_stand_in_the_metrics_own_unit() -> None:
    judgment = judged({"none": ("baseline", 0.7, 0.7), "found": ("searched", 0.8, 0.85)})
    assert "points of test accuracy (95 % interval" in judgment.sentence
    own, differences = judgment.returned, (2.0, 2.1, 1.9)
    rival = Rival(own, Paired(differences, seed_errors(differences, 0.1)))
    words = Phrases(MetricRecord(name="signal-to-noise ratio", unit="dB"))
    assert "by +2 dB of test signal-to-noise ratio (95 % interval" in decide(own, rival, rival, own, words).sentence


def test_each_role_is_given_to_the_one_who_has_it() -> None:
    scores: dict[str, tuple[CandidateKind, float, float]] = {
        "none": ("baseline", 0.9, 0.9),
        "flip": ("baseline", 0.7, 0.7),
        "crop": ("baseline", 0.6, 0.6),
    }
    judgment = judged(scores, after_search=False)
    assert judgment.returned.name == "none"
    assert [claim.against for claim in judgment.claims] == ["the strongest other baseline by test"]
    level = judged({name: (kind, v, 0.8) for name, (kind, v, _) in scores.items()}, after_search=False).sentence
    assert "and flip, the best of the other policies by validation:" in level, "none is a baseline that is better"


def test_the_cautious_get_a_baseline_where_the_control_is_better() -> None:
    scores: dict[str, tuple[CandidateKind, float, float]] = {
        "none": ("baseline", 0.6, 0.6),
        "random-search": ("control", 0.9, 0.9),
        "found": ("searched", 0.7, 0.7),
    }
    judgment = judged(scores, returns="baseline-unless-better")
    assert judgment.verdict == "worse"
    assert judgment.returned.name == "none"
    assert judged(scores).returned.name == "random-search"


def test_with_a_single_validation_group_a_clear_lead_is_still_a_good_bet() -> None:
    """One group says nothing about others, but a lead of many samples is worth more than none."""
    trainings, candidates = {}, []
    scoring = replace(SCORING, validation_groups=np.repeat("board", len(LABELS)))
    worth: dict[str, tuple[CandidateKind, float]] = {"none": ("baseline", 0.6), "found": ("searched", 0.8)}
    for number, (name, (kind, validation)) in enumerate(worth.items()):
        for seed in SEEDS:
            both = predictions(validation, seed), predictions(0.7, seed + number, 0.004)
            trainings[name, seed] = training_of(scoring, *both)
        own = CandidatePolicy(name, kind, Policy(name=name, copies=number + 1), number or None)
        candidates.append(assess(own, trainings, SEEDS, scoring))
    assert best_bet(candidates, trainings, scoring, 5).name == "found"
