"""A candidate's scores, from its trainings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autoaug.evaluation.confirmation import CandidatePolicy
from autoaug.evaluation.scoring import ConfirmedTraining, Scoring, assess
from autoaug.policy.loading import load_policy
from autoaug.training.metrics import get_metric, metrics_of
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
