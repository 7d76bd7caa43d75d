"""A candidate's scores, from its trainings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autoaug.evaluation.confirmation import CandidatePolicy
from autoaug.evaluation.scoring import ConfirmedTraining, Scoring, assess
from autoaug.policy.loading import load_policy
from autoaug.training.metrics import Accuracy, get_metric, metrics_of
from autoaug.training.tasks import Classification
from autoaug.training.trial import Train
from tests.tasks import small_task


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
            sides.append([scoring.training(np.ones(2), row.astype(float), 1.0) for row in right])
        ours, theirs = (np.mean([one.test_statistics[:, 0] for one in side]) for side in sides)
        called += abs(ours - theirs) > scoring.errors(*sides).reach().total
    assert called < 0.09 * 300
