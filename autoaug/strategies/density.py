"""Density matching (Fast AutoAugment; Lim et al., 2019): policies scored by models that are already trained."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import optuna
import torch

from autoaug.apply import apply_plan
from autoaug.plan import draw_plan
from autoaug.policy import Layer, Policy
from autoaug.result import TrialResult
from autoaug.seeds import derive_seed
from autoaug.space import SearchSpace, sample_policy
from autoaug.strategies.base import Brief, Fixed, History, Inquiry, Step, Strategy, next_baseline
from autoaug.strategies.tpe import tpe_sampler
from autoaug.training.device import precision
from autoaug.training.feed import float_batches, images_at_once, in_order
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
        result = TrialResult(started=time.time(), status="complete")
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
        yield replace(result, ended=time.time(), findings=findings)


class _Score:
    """The accuracy of a trained model on augmented images."""

    def __init__(self, task: Task, model: torch.nn.Module, rows: np.ndarray) -> None:
        self.task, self.model, self.rows = task, model.eval(), rows

    @torch.no_grad()
    def of(self, policy: Policy) -> float:
        """Of what is in the policy, mixing and attacks aside, which this cannot judge."""
        images, right = self.task.train.images, 0
        batches = list(in_order(self.rows, max(1, images_at_once(images.shape) // 2)))
        generator = torch.Generator().manual_seed(0)
        layers = Policy(layers=policy.layers)
        for rows, clean in zip(batches, float_batches(images, iter(batches), self.task.device), strict=True):
            augmented = apply_plan(draw_plan(layers, len(clean), generator), clean, check=False)
            with precision(self.task.device):
                answers = self.model(augmented.contiguous(memory_format=torch.channels_last)).argmax(1)
            right += int((answers.cpu().numpy() == self.task.train.labels[rows]).sum())
        return right / len(self.rows)

    def best(self, space: SearchSpace, seed: int) -> list[tuple[float, Policy]]:
        """The best policies that TPE finds, with their scores."""
        study = optuna.create_study(direction="maximize", sampler=tpe_sampler(seed))
        found: dict[str, tuple[float, Policy]] = {}
        for _ in range(_CANDIDATES):
            trial = study.ask()
            policy = sample_policy(space, trial)
            score = self.of(policy)
            study.tell(trial, score)
            if policy.layers:
                found[policy.fingerprint()] = score, policy
        return sorted(found.values(), key=lambda pair: -pair[0])[:_KEPT]


class Density(Strategy):
    """Trains the policies under which unaugmented models still recognise held-out training images, and all of them
    together as one choice, as the paper does; ends there. It never looks at the validation images, so that it cannot
    see a shift between them and the training images.
    """

    name = "density"
    summary = "Fast AutoAugment: score policies by trained models; cheap, blind to a shift of the validation images"
    learns_from_scores = False
    needs_data = True
    prunes = False

    def next(self, history: History, brief: Brief) -> Step | None:
        if NAME not in history.findings:
            return Inquiry(NAME, MatchDensity(brief.space))
        if baseline := next_baseline(history, brief):
            return baseline
        policies = [Policy.model_validate(p) for p in (history.findings[NAME] or {}).get("policies", ())]
        candidates = {"density": together(policies)} if policies else {}
        candidates |= {f"density-{i + 1}": policy for i, policy in enumerate(policies)}
        begun = {past.name for past in history.trials}
        return next((Fixed(n, p, stage="density") for n, p in candidates.items() if n not in begun), None)


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
