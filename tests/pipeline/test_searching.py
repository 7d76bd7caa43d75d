"""Who is confirmed beside the finalists."""

from __future__ import annotations

from autoaug.evaluation.confirmation import CandidatePolicy
from autoaug.pipeline.searching import regularized_alike
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy, Regularization

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
