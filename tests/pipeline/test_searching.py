"""Who is confirmed beside the finalists."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autoaug.evaluation.confirmation import CandidatePolicy
from autoaug.pipeline.searching import candidates_of, regularized_alike
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy, Regularization
from autoaug.runs.callbacks import Logged
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder

NAMES = ("none", "flip-crop", "randaugment")
BASELINES = [CandidatePolicy(name, "baseline", load_policy(name)) for name in NAMES]


def test_the_best_baseline_is_confirmed_with_the_regularization_of_each_finalist() -> None:
    own = Regularization(weight_decay=0.003, dropout=0.4)
    finalists = [
        CandidatePolicy("trial-3", "searched", Policy(copies=2, regularization=own), 3),
        CandidatePolicy("trial-5", "searched", Policy(copies=3), 5),
    ]
    scores = {"none": (0.25, 0.9), "flip-crop": (1.0, 0.8), "randaugment": (1.0, 0.7)}
    (arm,) = regularized_alike(BASELINES, finalists, scores)
    assert (arm.name, arm.kind) == ("flip-crop, regularized as trial-3", "baseline")
    assert arm.policy.regularization == own
    assert arm.policy.layers == load_policy("flip-crop").layers


def test_a_policy_that_is_another_under_its_own_name_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A run may return no augmentation, and be compared with it."""
    policies = [Policy(name=name) for name in ("none", "runs/digits")] + [load_policy("flip-crop")]
    config = RunConfig.model_construct(space=None, policies=tuple(policies))
    job: Any = SimpleNamespace(config=config, progress=Logged(), folder=RunFolder(tmp_path))
    with caplog.at_level("INFO"):
        candidates = candidates_of(job, None, {}, None).candidates  # type: ignore[arg-type]
    assert [(one.name, one.kind) for one in candidates] == [("none", "baseline"), ("flip-crop", "baseline")]
    assert "'runs/digits' is the same policy as 'none', so it is not trained again" in caplog.text
