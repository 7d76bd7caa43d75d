"""A training: what it is to do, and how far it has come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from autoaug.data.inputs import Inputs, spread_rows
from autoaug.data.splits import Samples
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.training.feed import float_batches
from autoaug.training.recipe import Recipe
from autoaug.training.tasks import Task

_STATISTICS_BYTES = 256 * 2**20


@dataclass
class Meter:
    """What training has cost so far."""

    augmentation_seconds: float = 0.0
    samples_seen: int = 0
    sample_passes: int = 0


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """What a training is to do.

    Attributes:
        policy: that samples are augmented by, and adversarial samples made.
        model: the name of the network.
        task: what is predicted.
        samples: to train on; they alone are augmented.
        recipe: how long and how.
        seed: the order, the plans, the attacks and the weights to begin with follow from it.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        modality: of the samples, by name.
        rungs: shares of full length at which it pauses; the last one ends it.
        rows: of the samples that it is trained on; None for all.
        parts: in how many a step passes its batch through the model; their gradients add up: less memory, the same step
            but for what batch normalization sees.
        synthetic: samples of which come those that the policy puts in the place of real ones.
    """

    policy: Policy
    model: str
    task: Task
    samples: Samples
    recipe: Recipe
    seed: int
    device: str
    modality: str
    rungs: Sequence[float] = (1.0,)
    rows: np.ndarray | None = None
    parts: int = 1
    synthetic: Samples | None = None

    @cached_property
    def taken(self) -> np.ndarray:
        """The rows that it is trained on."""
        return np.arange(len(self.samples)) if self.rows is None else self.rows

    @property
    def batch_size(self) -> int:
        """Samples per step, copies included."""
        return self.recipe.samples_a_step(self.policy.copies)

    @property
    def passes(self) -> float:
        """How often a sample passes the model in a step, on average: once, and in the steps of an attack."""
        how = self.policy.adversarial
        return 1 + how.share * (how.steps + (how.loss == "trades")) if how else 1.0

    @property
    def steps(self) -> int:
        """Of the optimizer, at full length."""
        return self.recipe.steps(len(self.taken), self.policy.copies, self.passes)

    @property
    def stops(self) -> dict[int, float]:
        """The rungs, by the number of steps after which each is reached."""
        return {math.ceil(rung * self.steps): rung for rung in self.rungs}


@dataclass
class Training:
    """A training under way: the model as it is now, what it has cost, and what it is continued from.

    Attributes:
        model: in training.
        modality: of the samples, by name.
        meter: the cost, since it was begun or continued.
        steps: of the optimizer that have been taken.
        momentum: the optimizer's, a tensor per parameter; empty before the first step.
        drawn: the state of the generator of plans and attacks.
    """

    model: nn.Module
    modality: str
    meter: Meter = field(default_factory=Meter)
    steps: int = 0
    momentum: list[Tensor] = field(default_factory=list)
    drawn: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.uint8))


def new_training(plan: TrainingPlan) -> Training:
    """A fresh model, standardized by the mean and deviation of the training samples."""
    samples = plan.samples
    if samples not in _statistics:
        _statistics[samples] = channel_statistics(samples.inputs, plan.modality)
    models, shape = get_modality(plan.modality).models, samples.inputs.shape
    model = models.build(plan.model, shape, plan.task.outputs, *_statistics[samples], plan.seed)
    return Training(model, plan.modality)


#: Per channel mean and deviation of the samples that this process trains on, worked out once.
_statistics: WeakKeyDictionary[Samples, tuple[Tensor, Tensor]] = WeakKeyDictionary()


def channel_statistics(inputs: Inputs, modality: str) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, ``[C]`` each, over at most 2,048 samples spread over the set and all
    that a channel holds.
    """
    at_most = min(2048, max(64, _STATISTICS_BYTES // (4 * math.prod(inputs.shape))))
    rows = spread_rows(len(inputs), at_most)
    values = next(float_batches(inputs, iter([rows]), "cpu", modality))
    others = [d for d in range(values.ndim) if d != 1]
    return values.mean(others), values.std(others)
