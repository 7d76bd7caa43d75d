"""What all trials of a search have in common, and the interface of their work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.pool import Pool
from autoaug.data.splits import Samples, nested_rows
from autoaug.modalities.networks import Start
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.training.device import deterministic_algorithms, one_thread, resident
from autoaug.training.metrics import Accuracy, Metric, trial_metric
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
        """Load what all work needs to the device."""

    def computing(self) -> AbstractContextManager[object]:
        """A context for this process that is active only while work is done."""


class Work(Protocol):
    """Work for a worker: a training, or a strategy's probe."""

    def run(self, setting: Any, seed: int) -> Iterator[TrialResult]:
        """Do the work in a setting of the right kind. Yield the intermediate result wherever the work may be stopped,
        and the final result last.
        """


@dataclass(frozen=True, eq=False)
class TrainingSetting:
    """What all trials of a search have in common. During a search, `test` is None, so that no trial can see the test
    split.

    If the splits are exchangeable, a trial on a part of the training split is also scored on the rest of it: four times
    the samples and half the noise, for the cost of predicting them.

    With `folds`, each seed is tested on its own rows of the test split, and trained on all others and the training
    split. With `validation_folds`, each seed is validated on its own rows of the training and the validation split,
    taken together in this order, and trained on all others.

    Partial trainings are kept in the folder `checkpoints`, if there is one, to be continued. `pools` has the generated
    samples by kind of generator; a missing kind means that its generator failed. Trainings begin from the weights of
    `start`, if there are any. `learned` is what operators know of the training split, and
    `lacking` are those that have nothing to work with. With `deterministic`, a GPU
    repeats a training bit by bit, as a CPU always does.
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
    validation_folds: Mapping[int, np.ndarray] = field(default_factory=dict)
    is_exchangeable: bool = False
    measures_robustness: bool = False
    checkpoints: Path | None = None
    pools: Mapping[str, Pool] = field(default_factory=dict)
    start: Start | None = None
    learned: Mapping[str, str] = field(default_factory=dict)
    lacking: frozenset[str] = frozenset()
    deterministic: bool = False

    @property
    def trial_metric(self) -> Metric:
        """What the scores of trials are; `metric` is what confirmed trainings are measured by."""
        return trial_metric(self.metric, self.task)

    def warm_up(self) -> None:
        """Import what the modality computes with, and the user's network; move samples that are in memory to the
        device.
        """
        modality = get_modality(self.modality)
        modality.register()
        modality.models.check(self.model)
        _ = modality.values, modality.fusions, modality.models, modality.mixing
        splits = (self.test,) if self.validation_folds else (self.train, self.validation, self.test)
        for samples in splits:
            if samples is not None and isinstance(samples.inputs, MemoryInputs):
                resident(samples.inputs, self.device)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """On a CPU, use one thread: workers run in parallel. On a GPU, use deterministic algorithms if asked for."""
        with one_thread(self.device), deterministic_algorithms(self.deterministic and self.device != "cpu"):
            yield

    def plan(self, policy: Policy, seed: int, data_fraction: float = 1.0) -> TrainingPlan:
        """The plan to train with `policy` on a stratified `data_fraction` of the training split. Batches shrink by the
        same factor, so that the number of steps is the same; see `nested_rows`.
        """
        samples = self.samples_of(seed)
        plan = TrainingPlan(
            policy=policy.with_learned(self.learned),
            model=self.model,
            task=self.task,
            samples=samples,
            recipe=self.recipe,
            seed=seed,
            device=self.device,
            modality=self.modality,
            start=self.start,
        )
        if data_fraction == 1:
            return plan
        rows = nested_rows(self.task.strata(samples.labels), data_fraction, derive_seed(seed, "share"))
        return replace(plan, recipe=self.recipe.for_share(len(rows) / len(samples)), rows=rows)

    def samples_of(self, seed: int) -> Samples:
        """The samples that a training with that seed is trained on."""
        train, validated, tested = self.train, self.validation_folds.get(seed), self.folds.get(seed)
        if validated is not None:
            train = self._seen(np.delete(np.arange(len(self.train) + len(self.validation)), validated))
        return train if tested is None or self.test is None else train + self.test.without(tested)

    def validation_of(self, seed: int) -> Samples:
        """The samples that a training with that seed is validated on."""
        rows = self.validation_folds.get(seed)
        return self.validation if rows is None else self._seen(rows)

    def _seen(self, rows: np.ndarray) -> Samples:
        """The samples at these rows of the training and the validation split, taken together in this order."""
        count = len(self.train)
        return self.train.at(rows[rows < count]) + self.validation.at(rows[rows >= count] - count)

    def full_length_passes(self) -> int:
        """The compute of training one final model, in samples passed through it forward and backward."""
        return self.recipe.full_length_passes(len(self.train))
