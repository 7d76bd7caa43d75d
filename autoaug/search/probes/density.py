"""Density matching (Fast AutoAugment, Lim et al., 2019): what a model trained without augmentation recognizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import optuna
import torch

from autoaug.data.splits import Samples
from autoaug.policy.models import Policy
from autoaug.search.samplers import quiet_optuna, tpe_sampler
from autoaug.search.sampling import sample_policy
from autoaug.search.space import SearchSpace
from autoaug.training.result import TrialResult
from autoaug.training.scoring import score_and_loss
from autoaug.training.setting import TrainingSetting
from autoaug.training.state import new_training
from autoaug.training.train import train_to_end
from autoaug.utils.clock import now
from autoaug.utils.seeds import derive_seed

NAME = "density"
#: What it does, for users who wait for it.
PURPOSE = "scores policies by models that were trained without them"
_FOLDS = 2
_CANDIDATES = 60
_KEPT = 5
_SCORED_ON = 1000


@dataclass(frozen=True)
class MatchDensity:
    """Train a model without augmentation on each half of the training split, with each group in one half, and search
    for policies under which it still recognizes the other half.
    """

    space: SearchSpace

    def run(self, setting: TrainingSetting, seed: int) -> Iterator[TrialResult]:
        """Yield one result: the best policies of both halves together, each with its score."""
        result = TrialResult(started=now(), status="complete")
        units = _units(setting.train)
        order = np.random.default_rng(seed).permutation(units.max() + 1)
        scored: list[tuple[float, Policy]] = []
        for fold in range(_FOLDS):
            is_held = np.isin(units, order[fold::_FOLDS])
            own, held = np.flatnonzero(~is_held), np.flatnonzero(is_held)
            recipe = setting.recipe.for_share(len(own) / len(units))
            plan = replace(setting.plan(Policy(), seed), recipe=recipe, rows=own)
            begun = new_training(replace(plan, seed=derive_seed(seed, "density", fold)))
            training = train_to_end(plan, begun)
            score = _Score(setting, training.result, held[:: max(1, len(held) // _SCORED_ON)])
            scored += score.best(self.space, derive_seed(seed, "candidates", fold))
            # Augmenting a sample and passing it forward costs about two thirds of a training pass.
            sample_passes = training.meter.sample_passes + _CANDIDATES * len(score.rows) * 2 // 3
            result = replace(result, sample_passes=result.sample_passes + sample_passes)
        scored.sort(key=lambda pair: -pair[0])
        probe_results = {
            "policies": [policy.model_dump(mode="json", exclude_defaults=True) for _, policy in scored[:_KEPT]],
            "scores": [score for score, _ in scored[:_KEPT]],
        }
        yield replace(result, ended=now(), probe_result=probe_results)


def _units(samples: Samples) -> np.ndarray:
    """The unit ``[n]`` of each sample, which is in one half: its group. A model recognizes what it has seen a copy of,
    whatever the policy. Samples of one group are units themselves.
    """
    groups = np.arange(len(samples)) if samples.groups is None else np.unique(samples.groups, return_inverse=True)[1]
    return groups if groups.max() else np.arange(len(samples))


class _Score:
    """The score of a trained model on augmented samples. It cannot judge mixing and attacks."""

    def __init__(self, setting: TrainingSetting, model: torch.nn.Module, rows: np.ndarray) -> None:
        self.setting, self.model, self.rows = setting, model, rows

    def best(self, space: SearchSpace, seed: int) -> list[tuple[float, Policy]]:
        """The best policies that TPE finds, with their scores."""
        scored: dict[str, tuple[float, Policy]] = {}
        with quiet_optuna():
            study = optuna.create_study(direction="maximize", sampler=tpe_sampler(seed))
            for _ in range(_CANDIDATES):
                trial = study.ask()
                policy = sample_policy(space, trial)
                score, _ = score_and_loss(self.model, self.setting.train, self.rows, policy, self.setting)
                study.tell(trial, score)
                if policy.layers:
                    scored[policy.fingerprint()] = score, policy
        return sorted(scored.values(), key=lambda pair: -pair[0])[:_KEPT]
