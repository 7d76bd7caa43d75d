"""What the trials of a search have in common, and what they are given to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.pool import Pool
from autoaug.data.splits import Samples, nested_rows
from autoaug.policy.models import Policy
from autoaug.training.device import one_thread, resident
from autoaug.training.metrics import Accuracy, Metric
from autoaug.training.recipe import Recipe
from autoaug.training.result import TrialResult
from autoaug.training.state import TrainingPlan
from autoaug.training.tasks import Task
from autoaug.utils.seeds import derive_seed


class Setting(Protocol):
    """What all work of a search has in common, sent to each worker once."""

    @property
    def device(self) -> str:
        """``cpu``, ``cuda`` or ``cuda:N``."""

    def warm_up(self) -> None:
        """Bring what all work needs to the device."""

    def computing(self) -> AbstractContextManager[object]:
        """What holds in this process while work is done, and no longer."""


class Work(Protocol):
    """What a worker can be given: a training, or a strategy's own probe into the data."""

    def run(self, setting: Any, seed: int) -> Iterator[TrialResult]:
        """Do it in a setting of the right kind, yielding the result so far wherever it may be stopped, and the whole
        result last.
        """


@dataclass(frozen=True, eq=False)
class TrainingSetting:
    """What every trial of a search has in common. `test` is None during a search: a trial cannot see what is not
    there.

    Where the splits are exchangeable, a trial on a share of the training split is scored on the rest of it too: four
    times the samples, half the noise, for the price of looking at them.

    Where there are `folds`, a seed has rows of the test split of its own, which it is tested on; it is trained on all
    others as well as on the training split.

    Trainings that stop on the way are kept in `checkpoints`, where there is such a folder, to be continued. `pools` has
    generated samples by the kind of their generator; where a kind is missing, its generator failed.
    """

    task: Task
    train: Samples
    validation: Samples
    test: Samples | None
    model: str
    recipe: Recipe
    device: str
    modality: str
    metric: Metric = field(default_factory=Accuracy)
    folds: Mapping[int, np.ndarray] = field(default_factory=dict)
    is_exchangeable: bool = False
    measures_robustness: bool = False
    checkpoints: Path | None = None
    pools: Mapping[str, Pool] = field(default_factory=dict)

    def warm_up(self) -> None:
        """Bring samples that lie in memory to the device."""
        for samples in (self.train, self.validation, self.test):
            if samples is not None and isinstance(samples.inputs, MemoryInputs):
                resident(samples.inputs, self.device)

    def computing(self) -> AbstractContextManager[object]:
        """On CPU one thread: workers run side by side."""
        return one_thread(self.device)

    def plan(self, policy: Policy, seed: int, data_fraction: float = 1.0) -> TrainingPlan:
        """The training of `policy` on a stratified share of the training split, whole for 1: in batches as many times
        smaller, so that it takes as many steps.
        """
        samples = self.samples_of(seed)
        plan = TrainingPlan(
            policy=policy,
            model=self.model,
            task=self.task,
            samples=samples,
            recipe=self.recipe,
            seed=seed,
            device=self.device,
            modality=self.modality,
        )
        if data_fraction == 1:
            return plan
        rows = nested_rows(self.task.strata(samples.labels), data_fraction, derive_seed(seed, "share"))
        return replace(plan, recipe=self.recipe.for_share(data_fraction), rows=rows)

    def samples_of(self, seed: int) -> Samples:
        """What a training with that seed is trained on."""
        fold = self.folds.get(seed)
        if fold is None or self.test is None:
            return self.train
        return self.train + self.test.at(np.delete(np.arange(len(self.test)), fold))

    def full_length_passes(self) -> int:
        """The compute of training one final model: samples passed through it, forward and backward."""
        return self.recipe.steps(len(self.train), 1) * self.recipe.batch_size
