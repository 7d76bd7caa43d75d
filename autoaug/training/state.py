"""The plan and the state of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from autoaug.data.inputs import Inputs, spread_rows
from autoaug.data.splits import Samples
from autoaug.modalities.networks import Start
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.training.feed import float_batches
from autoaug.training.layers import freeze
from autoaug.training.recipe import Recipe
from autoaug.training.tasks import Task

_STATISTICS_BYTES = 256 * 2**20


@dataclass
class Meter:
    """The cost of a training so far."""

    augmentation_seconds: float = 0.0
    samples_seen: int = 0
    sample_passes: int = 0


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """The plan of a training.

    Attributes:
        policy: the policy that augments samples and makes adversarial ones.
        model: the name of the network.
        task: what is predicted.
        samples: the samples to train on; only they are augmented.
        recipe: the training recipe.
        seed: determines the order, the plans, the attacks and the initial weights.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        modality: the name of the modality of the samples.
        rungs: fractions of full length at which it pauses; it ends at the last one.
        rows: the rows of the samples to train on; None for all.
        parts: the number of parts in which a step passes its batch through the model, adding up their gradients. This
            saves memory and gives the same step, except for batch normalization.
        synthetic: the generated samples that may replace real ones.
        start: the weights to begin from; None for random ones.
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
    start: Start | None = None

    @cached_property
    def taken(self) -> np.ndarray:
        """The rows of the samples to train on."""
        return np.arange(len(self.samples)) if self.rows is None else self.rows

    @property
    def strata(self) -> np.ndarray | None:
        """The stratum of each row to train on, if all are trained on equally often; None if all samples are."""
        if self.recipe.sampling == "shuffled":
            return None
        return self.task.strata(self.samples.labels[self.taken])

    @property
    def batch_size(self) -> int:
        """Samples per step, including copies."""
        return self.recipe.samples_per_step(self.policy.copies)

    @property
    def passes(self) -> float:
        """How often a sample passes through the model, on average: once, and once per step of an attack on it."""
        how = self.policy.adversarial
        return 1 + how.share * (how.steps + (how.loss == "trades")) if how else 1.0

    @property
    def steps(self) -> int:
        """Optimizer steps at full length."""
        return self.recipe.steps(len(self.taken), self.policy.copies, self.passes)

    @property
    def stops(self) -> dict[int, float]:
        """The rungs by the number of steps at which they are reached."""
        return {math.ceil(rung * self.steps): rung for rung in self.rungs}


@dataclass
class Training:
    """The state of a training: the current model, its cost, and what is needed to continue.

    Attributes:
        model: the model in training.
        modality: the name of the modality of the samples.
        meter: the cost since it was begun or resumed.
        steps: the number of optimizer steps taken.
        averaged: the same model with averaged weights; None unless the recipe asks for it.
        optimizer: the optimizer's state; see `autoaug.training.optimizers.optimizer_state`.
        drawn: the state of the generator of plans and attacks.
    """

    model: nn.Module
    modality: str
    meter: Meter = field(default_factory=Meter)
    steps: int = 0
    averaged: nn.Module | None = None
    optimizer: dict[str, Tensor] = field(default_factory=dict)
    drawn: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.uint8))

    @property
    def result(self) -> nn.Module:
        """The model that is scored and kept."""
        return self.model if self.averaged is None else self.averaged


def new_training(plan: TrainingPlan) -> Training:
    """A new training. Its model standardizes inputs by the mean and deviation of the training samples, unless the
    weights that it begins from require others.
    """
    samples = plan.samples
    if samples not in _statistics:
        _statistics[samples] = channel_statistics(samples.inputs, plan.modality)
    models, shape = get_modality(plan.modality).models, samples.inputs.shape
    model = models.build(plan.model, shape, plan.task.outputs, *_statistics[samples], plan.seed, plan.start)
    freeze(model, plan.recipe)
    return Training(model, plan.modality, averaged=deepcopy(model) if plan.recipe.ema is not None else None)


#: The mean and deviation per channel of the samples that this process trains on, computed once.
_statistics: WeakKeyDictionary[Samples, tuple[Tensor, Tensor]] = WeakKeyDictionary()


def channel_statistics(inputs: Inputs, modality: str) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, ``[C]`` each, over all values of at most 2,048 samples spread over
    the set; 0 and 1 for values that are not continuous.
    """
    if not get_modality(modality).is_continuous:
        return torch.zeros(inputs.shape[0]), torch.ones(inputs.shape[0])
    at_most = min(2048, max(64, _STATISTICS_BYTES // (4 * math.prod(inputs.shape))))
    rows = spread_rows(len(inputs), at_most)
    values = next(float_batches(inputs, iter([rows]), "cpu", modality))
    others = [d for d in range(values.ndim) if d != 1]
    return values.mean(others), values.std(others)
