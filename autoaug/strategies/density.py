"""Density matching (Fast AutoAugment; Lim et al., 2019): policies scored by models that are already trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna
import torch

from autoaug.clock import now
from autoaug.policy import Layer, Policy
from autoaug.result import TrialResult
from autoaug.sampling import sample_policy
from autoaug.seeds import derive_seed
from autoaug.space import SearchSpace
from autoaug.strategies.base import Brief, Inquiry
from autoaug.strategies.inquiring import Inquiring
from autoaug.strategies.tpe import tpe_sampler
from autoaug.training.scoring import accuracy_and_loss
from autoaug.training.train import new_training, train
from autoaug.trial import Task

NAME = "density"
_FOLDS = 2
_CANDIDATES = 60
_KEPT = 5
_SCORED_ON = 1000


@dataclass(frozen=True)
class MatchDensity:
    """Train a model on each half of the training split, without augmentation, and look for policies under which it
    still recognises the other half.
    """

    space: SearchSpace

    def run(self, task: Task, seed: int) -> Iterator[TrialResult]:
        """Yield one result, whose findings are the best policies, each with its mean accuracy over the halves."""
        result = TrialResult(started=now(), status="complete")
        order = np.random.default_rng(seed).permutation(len(task.train))
        found: list[tuple[float, Policy]] = []
        for fold in range(_FOLDS):
            held = np.sort(order[fold::_FOLDS])
            own = np.setdiff1d(order, held)
            training = new_training(task.model, task.train, task.classes, derive_seed(seed, "density", fold))
            recipe = task.recipe.for_share(1 - 1 / _FOLDS)
            for _ in train(training, Policy(), task.train, task.classes, recipe, seed, task.device, rows=own):
                pass
            score = _Score(task, training.model, held[:: max(1, len(held) // _SCORED_ON)])
            found += score.best(self.space, derive_seed(seed, "candidates", fold))
            # To be augmented and passed forward takes about two thirds of a pass in training.
            passes = training.meter.passes + _CANDIDATES * len(score.rows) * 2 // 3
            result = replace(result, passes=result.passes + passes)
        found.sort(key=lambda pair: -pair[0])
        findings = {
            "policies": [policy.model_dump(mode="json", exclude_defaults=True) for _, policy in found[:_KEPT]],
            "scores": [score for score, _ in found[:_KEPT]],
        }
        yield replace(result, ended=now(), findings=findings)


class _Score:
    """The accuracy of a trained model on augmented images; of mixing and attacks it cannot judge."""

    def __init__(self, task: Task, model: torch.nn.Module, rows: np.ndarray) -> None:
        self.task, self.model, self.rows = task, model.eval(), rows

    def best(self, space: SearchSpace, seed: int) -> list[tuple[float, Policy]]:
        """The best policies that TPE finds, with their scores."""
        study = optuna.create_study(direction="maximize", sampler=tpe_sampler(seed))
        found: dict[str, tuple[float, Policy]] = {}
        for _ in range(_CANDIDATES):
            trial = study.ask()
            policy = sample_policy(space, trial)
            score, _ = accuracy_and_loss(self.model, self.task.train, self.rows, policy, self.task.device)
            study.tell(trial, score)
            if policy.layers:
                found[policy.fingerprint()] = score, policy
        return sorted(found.values(), key=lambda pair: -pair[0])[:_KEPT]


class Density(Inquiring):
    """Trains the policies under which unaugmented models still recognise held-out training images, and all of them
    together as one choice, as the paper does; ends there. It never looks at the validation images, so that it cannot
    see a shift between them and the training images.
    """

    name = "density"
    summary = "Fast AutoAugment: score policies by trained models; cheap, blind to a shift of the validation images"
    stage = "density"

    def inquiry(self, brief: Brief) -> Inquiry:
        return Inquiry(NAME, MatchDensity(brief.space))

    def candidates(self, finding: Mapping[str, Any], brief: Brief) -> Mapping[str, Policy]:  # noqa: ARG002 (needs no more)
        policies = [Policy.model_validate(p) for p in finding.get("policies", ())]
        joined = {NAME: together(policies)} if policies else {}
        return joined | {f"{NAME}-{i + 1}": policy for i, policy in enumerate(policies)}


def together(policies: list[Policy]) -> Policy:
    """Layer by layer, a choice among what the policies do there, as often as they do it."""
    depth = max(len(policy.layers) for policy in policies)
    layers = []
    for i in range(depth):
        branches = [
            branch.model_copy(update={"weight": branch.weight / sum(b.weight for b in policy.layers[i].branches)})
            for policy in policies
            if i < len(policy.layers)
            for branch in policy.layers[i].branches
        ]
        layers.append(Layer(branches=tuple(branches)))
    return Policy(name="density", layers=tuple(layers))
