"""A candidate's scores, from its trainings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autoaug.evaluation.confirmation import CandidatePolicy
from autoaug.evaluation.scoring import ConfirmedTraining, Scoring, assess
from autoaug.policy.loading import load_policy
from autoaug.training.metrics import (
    AUROC,
    Accuracy,
    BalancedAccuracy,
    Metric,
    get_metric,
    metrics_of,
    statistics_of,
)
from autoaug.training.tasks import Classification, Regression
from autoaug.training.trial import Train
from tests.tasks import small_task
from tests.trainings import training_of


@pytest.mark.parametrize("name", list(metrics_of(Classification(3))))
@pytest.mark.parametrize("grouped", [False, True])
def test_the_asked_metric_is_also_among_all_metrics(name: str, grouped: bool) -> None:
    """Candidates are judged by statistics, the other metrics by the influence that was kept: both agree."""
    setting = small_task(test=True, epochs=2)
    metric, seeds = get_metric(name, setting.task), [1, 2]
    setting = replace(setting, metric=metric)
    assert setting.test is not None
    groups = np.arange(48) % 7 if grouped else None
    scoring = Scoring(setting.task, metric, setting.validation.labels, setting.test.labels, groups)
    candidate, trainings = CandidatePolicy("none", "baseline", load_policy("none")), {}
    for seed in seeds:
        *_, last = Train(candidate.policy).run(setting, seed)
        trainings[candidate.name, seed] = ConfirmedTraining.of(last, scoring.rows(seed))
    assessed, sign = assess(candidate, trainings, seeds, scoring), 1 if metric.larger_is_better else -1
    found = assessed.metrics[name]
    assert found.mean == pytest.approx(sign * assessed.mean)
    assert found.values == pytest.approx([sign * score for score in assessed.test_scores])
    assert found.ci95 == pytest.approx(sorted(sign * bound for bound in assessed.ci95), abs=1e-6)
    assert metric.bounds[0] <= found.ci95[0] <= found.ci95[1] <= metric.bounds[1]
    assert len(assessed.metrics) == 6


def test_the_interval_allows_for_one_group_that_has_most_samples() -> None:
    """Its pull on the mean hides how far off it is. Two equal policies, whose accuracy on each group is luck: with this
    many groups and seeds, "better" or "worse" came out in 17 % without the correction.
    """
    sizes = np.array([500] + [10] * 20)
    groups, draw, called = np.repeat(np.arange(len(sizes)), sizes), np.random.default_rng(0), 0
    scoring = Scoring(Classification(2), Accuracy(), np.ones(2), np.ones(len(groups)), groups.astype(str))
    for _ in range(300):
        sides = []
        for _ in range(2):
            likely = np.clip(0.8 + draw.normal(0, 0.1, len(sizes)), 0, 1)[groups]
            lasting = draw.random(len(groups)) < likely
            right = np.where(draw.random((5, len(groups))) < 0.9, lasting, draw.random((5, len(groups))) < likely)
            sides.append([training_of(scoring, np.ones(2), row.astype(float)) for row in right])
        ours, theirs = (np.mean([one.test_statistics[:, 0] for one in side]) for side in sides)
        called += abs(ours - theirs) > scoring.errors(*sides).reach().total
    assert called < 0.09 * 300


def test_validation_in_folds_has_the_error_of_nadeau_and_bengio_and_at_least_that_of_three_samples() -> None:
    labels, draw = np.ones(80), np.random.default_rng(0)
    folds = {seed: np.arange(20 * (seed % 4), 20 * (seed % 4) + 20) for seed in range(5)}
    scoring = Scoring(Classification(2), Accuracy(), labels, labels, validation_folds=folds)

    def validated(shares: list[float]) -> list[ConfirmedTraining]:
        right = [np.arange(20) < round(20 * share) for share in shares]
        blank = training_of(scoring, np.ones(80), np.ones(80))
        statistics = [scoring.metric.statistics(row.astype(np.uint16), np.ones(20)) for row in right]
        return [replace(blank, validation_statistics=own) for own in statistics]

    ours, theirs = draw.choice([0.5, 0.7, 0.9], 5).tolist(), draw.choice([0.4, 0.6, 0.8], 5).tolist()
    differences = np.subtract(ours, theirs)
    errors = scoring.validation_errors(validated(ours), validated(theirs))
    assert errors.samples == pytest.approx(differences.std(ddof=1) * np.sqrt(1 / 3))
    same = scoring.validation_errors(validated(ours), validated(ours))
    assert same.reach().samples == pytest.approx(3 / 80, rel=1e-3)
    assert [scoring.validation_size(seed) for seed in range(5)] == [20] * 5


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("name", ["rmse", "mae"])
def test_the_interval_of_an_error_is_in_the_unit_of_the_numbers(name: str, folded: bool) -> None:
    """Meters or millimeters: the same is found. Half of an interval was at least 3 / n before, whatever the unit."""
    draw = np.random.default_rng(0)
    labels, noise = draw.normal(size=(60, 1)), draw.normal(size=(2, 4, 60, 1))
    folds = {seed: np.arange(seed, 60, 4) for seed in range(4)} if folded else {}
    reaches = []
    for unit in (1.0, 1e-4):
        task = Regression((0.0,), (unit,))
        scoring = Scoring(task, get_metric(name, task), unit * labels, unit * labels, folds=folds)
        sides = [
            [training_of(scoring, unit * labels, unit * (labels + size * own)) for own in side]
            for size, side in zip((0.1, 0.11), noise, strict=True)
        ]
        reaches.append(scoring.errors(*sides).reach().total)
    assert reaches[1] == pytest.approx(1e-4 * reaches[0], rel=1e-3)


def _called_different(scoring: Scoring, right: list[np.ndarray]) -> bool:
    """Whether two policies are called different, of which each training is right on samples ``[seeds, n]``."""
    labels, classes = scoring.test_labels, scoring.task.classes
    of_validation = np.zeros(len(scoring.validation_labels), np.int64)
    sides = [
        [training_of(scoring, of_validation, np.where(row, labels, (labels + 1) % classes)) for row in side]
        for side in right
    ]
    values = [[scoring.metric.of(one.test_statistics) for one in side] for side in sides]
    return abs(np.mean(values[0]) - np.mean(values[1])) > scoring.errors(*sides).reach().total


@pytest.mark.parametrize("rare", [5, 10, 20, 50])
def test_a_trade_between_classes_is_not_mistaken_for_a_difference(rare: int) -> None:
    """One policy has two points of recall less on the common class and two more on the rare one, so that both have the
    same balanced accuracy. Often none of the few rare samples shows it: "worse" came out in 19 to 65 %.
    """
    labels, draw = np.repeat([0, 1], [500 - rare, rare]), np.random.default_rng(rare)
    scoring = Scoring(Classification(2), BalancedAccuracy(), labels, labels)
    called = 0
    for _ in range(100):
        luck = draw.random(len(labels))
        right = [np.tile(luck < np.array(recall)[labels], (5, 1)) for recall in ((0.88, 0.9), (0.9, 0.88))]
        called += _called_different(scoring, [side ^ (draw.random(side.shape) < 0.01) for side in right])
    assert called <= 0.09 * 100


@pytest.mark.parametrize("per_class", [(10, 10, 1), (20, 2), (20, 1), (10, 10, 10)])
def test_a_class_with_few_groups_is_no_certainty(per_class: tuple[int, ...]) -> None:
    """Each patient has one class. Two equal policies, whose accuracy on each patient is luck: "better" or "worse" came
    out in 55 % where a class had one patient, whose luck seemed to be none, and in 16 % with two.
    """
    groups = np.repeat(np.arange(sum(per_class)), 20)
    labels = np.repeat(np.repeat(np.arange(len(per_class)), per_class), 20)
    draw = np.random.default_rng(len(groups))
    scoring = Scoring(Classification(len(per_class)), BalancedAccuracy(), labels, labels, groups.astype(str))
    called = 0
    for _ in range(100):
        right = []
        for _ in range(2):
            likely = np.clip(0.75 + draw.normal(0, 0.15, groups.max() + 1), 0, 1)[groups]
            right.append(np.tile(draw.random(len(groups)) < likely, (5, 1)) ^ (draw.random((5, len(groups))) < 0.02))
        called += _called_different(scoring, right)
    assert called <= 0.09 * 100


@pytest.mark.parametrize(("metric", "least"), [(Accuracy(), 0.03), (BalancedAccuracy(), 0.375), (AUROC(), 0.25)])
def test_what_the_rarest_class_may_hide_bounds_the_interval(metric: Metric, least: float) -> None:
    """Of 100 samples, three; of four samples of a class, three, each of which is an eighth of the balanced accuracy;
    of a ranking, one of them.
    """
    labels = np.repeat([0, 1], [96, 4])
    scoring = Scoring(Classification(2), metric, labels, labels)
    answers = np.eye(2)[labels] if metric.takes_scores else labels
    same = [training_of(scoring, answers, answers)] * 5
    assert scoring.errors(same, same).reach().samples == pytest.approx(least, rel=0.01)


def test_few_groups_that_look_alike_are_still_few() -> None:
    """Two groups that differ by less than three samples were as good as 800 samples: "better" or "worse" came out in
    8 % where there was no difference.
    """
    labels, groups = np.zeros(800), np.repeat(["a", "b"], 400)
    scoring = Scoring(Classification(2), Accuracy(), labels, labels, groups)
    answers = np.zeros((2, 800))
    answers[0, [0, 1, 400, 401, 402]] = 1.0
    sides = [[training_of(scoring, labels, row)] * 5 for row in answers]
    assert scoring.errors(*sides).samples_freedom == 1


def hits(labels: np.ndarray, scores: np.ndarray) -> float:
    """Accuracy as a user's own metric."""
    return float((scores.argmax(1) == labels).mean())


@pytest.mark.parametrize("sizes", [[20] * 12, [200] + [10] * 12])
def test_the_interval_of_an_own_metric_is_that_of_the_same_metric_built_in(sizes: list[int]) -> None:
    """Its jackknife leaves groups out, so that their pull on the mean was made up for twice: with a group that has most
    samples, the interval was four times as wide.
    """
    groups, draw = np.repeat(np.arange(len(sizes)), sizes), np.random.default_rng(0)
    labels = np.arange(len(groups)) % 2
    right = draw.random((2, 5, len(groups))) < np.clip(0.8 + draw.normal(0, 0.1, (2, 1, len(sizes))), 0, 1)[..., groups]
    reaches = []
    for metric in (Accuracy(), get_metric(f"{__name__}:hits", Classification(2))):
        scoring = Scoring(Classification(2), metric, labels, labels, groups)
        classes = np.where(right, labels, 1 - labels)
        answers = np.eye(2)[classes] if metric.takes_scores else classes
        sides = [[training_of(scoring, one, one) for one in side] for side in answers]
        reaches.append(scoring.errors(*sides).reach())
    assert reaches[1] == pytest.approx(reaches[0], rel=1e-6)


def brier(labels: np.ndarray, scores: np.ndarray) -> float:
    """A loss whose differences are small, as a user's own metric."""
    return float(-((1 - np.take_along_axis(scores, labels[:, None], 1)) ** 2).mean())


def cents(labels: np.ndarray, scores: np.ndarray) -> float:
    """The same in another unit."""
    return 100 * brier(labels, scores)


@pytest.mark.parametrize("folds", [False, True])
def test_the_unit_of_a_metric_does_not_decide(folds: bool) -> None:
    """Half of the interval was never narrower than three samples that are right or wrong, whatever a metric counts."""
    labels, draw, seeds = np.arange(200) % 2, np.random.default_rng(0), range(6)
    rows = {seed: np.arange(seed % 2, 200, 2) if folds else np.arange(200) for seed in seeds}
    right = [{seed: 0.9 + 0.03 * draw.random(len(rows[seed])) + lead for seed in seeds} for lead in (0.02, 0.0)]
    bounds = []
    for own in (brier, cents):
        metric = get_metric(f"{__name__}:{own.__name__}", Classification(2))
        scoring = Scoring(Classification(2), metric, labels, labels, folds=rows if folds else {})
        sides = []
        for side in right:
            given = [np.where(np.eye(2)[labels[rows[s]]] > 0, p[:, None], 1 - p[:, None]) for s, p in side.items()]
            statistics = [metric.statistics(one, labels[rows[s]]) for s, one in enumerate(given)]
            sides.append([ConfirmedTraining(one, one, 1.0, one, one, rows[s]) for s, one in enumerate(statistics)])
        bounds.append(scoring.errors(*sides).reach().total)
    assert bounds[1] == pytest.approx(100 * bounds[0], rel=1e-3)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("accuracy", 0, 1), ("kappa", -1, 1), ("auroc", 0, 1), ("log-loss", -np.inf, 0)],
)
def test_an_interval_has_no_values_that_the_metric_cannot_have(name: str, low: float, high: float) -> None:
    """Two seeds, of which one is nearly perfect: Student's t alone reaches far beyond. Scores of a loss are negated."""
    labels, draw, task = np.arange(24) % 2, np.random.default_rng(0), Classification(2)
    metric = get_metric(name, task)
    scoring, trainings = Scoring(task, metric, labels, labels), {}
    for seed, share in enumerate((0.7, 0.97)):
        answers = np.where(draw.random(24) < share, labels, 1 - labels)
        given = 0.98 * np.eye(2)[answers] + 0.01
        statistics = [statistics_of(one, task, given, labels) for one in (scoring.metric, metric)]
        trainings["a", seed] = ConfirmedTraining(answers, answers, 1.0, *statistics, np.arange(24))
    candidate = assess(CandidatePolicy("a", "baseline", load_policy("none")), trainings, [0, 1], scoring)
    assert low <= candidate.ci95[0] <= candidate.mean <= candidate.ci95[1] == high
