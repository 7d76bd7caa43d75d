"""The state of a run that all of its stages share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from autoaug.data.audit import Audit
from autoaug.data.splits import DataSet
from autoaug.evaluation.confirmation import confirmation_seeds
from autoaug.evaluation.group_sequential import interim_analyses
from autoaug.evaluation.scoring import Scoring
from autoaug.generate.generator import generator_digest
from autoaug.generate.pool import Pooled
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.forecast import Parts
from autoaug.pipeline.time_limit import TimeLimit
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.search.executors import Executor
from autoaug.search.progress import Progress
from autoaug.training.layers import network_digest
from autoaug.training.metrics import Metric, get_metric, metric_record, trial_metric
from autoaug.training.recipe import Recipe
from autoaug.training.setting import Setting, TrainingSetting
from autoaug.training.tasks import Task, task_for
from autoaug.utils.facts import Facts

OpenExecutor = Callable[[Setting], Executor]


def task_of(data: DataSet, recipe: Recipe) -> Task:
    """What is predicted."""
    return task_for(data.train.labels, data.classes, recipe.class_weights == "balanced")


@dataclass(frozen=True, eq=False)
class Job:
    """What every stage of a run needs: the folder, the config, the data, the audit, the progress listener, the parts of
    the run by time, and the time limit, if there is one.
    """

    folder: RunFolder
    config: RunConfig
    data: DataSet
    audit: Audit
    progress: Progress
    parts: Parts = field(default_factory=Parts)
    limit: TimeLimit | None = None

    @property
    def task(self) -> Task:
        """What is predicted."""
        return task_of(self.data, self.config.recipe)

    @property
    def metric(self) -> Metric:
        """How predictions are measured."""
        return get_metric(self.config.metric, self.task)

    @property
    def trial_metric(self) -> Metric:
        """How trials are scored."""
        return trial_metric(self.metric, self.task)

    @property
    def modality(self) -> str:
        """The name of the data's modality."""
        return self.data.modality

    @cached_property
    def scoring(self) -> Scoring:
        """How candidates are scored."""
        data, test, validation_folds = self.data, self.data.test, self.validation_folds
        validated = [data.train, data.validation] if validation_folds else [data.validation]
        groups = [samples.groups for samples in validated if samples.groups is not None]
        return Scoring(
            task=self.task,
            metric=self.metric,
            validation_labels=np.concatenate([samples.labels for samples in validated]),
            test_labels=test.labels,
            test_groups=test.groups,
            validation_groups=np.concatenate(groups) if len(groups) == len(validated) else None,
            folds=data.folds.of(self.seeds) if data.folds else {},
            validation_folds=validation_folds,
        )

    @property
    def validation_folds(self) -> Mapping[int, np.ndarray]:
        """The rows of the training and the validation split that each seed of the confirmation is validated on; empty
        if all are validated on the validation split.
        """
        folds = self.data.validation_folds if self.config.cross_validated else None
        return folds.of(self.seeds) if folds is not None else {}

    @property
    def planned(self) -> tuple[int, ...]:
        """The numbers of seeds at the interim analyses; with folds, each fold was then tested equally often."""
        turn = self.config.folds or 1
        looks = interim_analyses(self.config.confirmation_seeds // turn, self.config.most_seeds // turn)
        return tuple(turn * count for count in looks)

    @property
    def seeds(self) -> list[int]:
        """The seeds of the confirmation, as many as there may be."""
        return confirmation_seeds(self.config.seed, self.planned[-1])

    def setting(self, generated: Mapping[str, Pooled]) -> TrainingSetting:
        """What the trials of the search have in common."""
        return TrainingSetting(
            task=self.task,
            train=self.data.train,
            validation=self.data.validation,
            test=None,
            model=self.config.model,
            start=self.config.start,
            recipe=self.config.recipe,
            device=self.config.device,
            deterministic=self.config.deterministic,
            modality=self.modality,
            metric=self.metric,
            is_exchangeable=self.data.is_exchangeable,
            checkpoints=self.folder.checkpoints.resolve(),
            pools={kind: pooled.pool for kind, pooled in generated.items() if pooled.pool is not None},
            learned=self.data.learned,
            lacking=frozenset(self.data.lacking),
        )

    def confirmation_setting(self, setting: TrainingSetting) -> TrainingSetting:
        """What the trainings of the confirmation have in common: the test split, and the folds."""
        scoring = self.scoring
        return replace(
            setting,
            test=self.data.test,
            folds=scoring.folds,
            validation_folds=scoring.validation_folds,
            checkpoints=None,
        )

    def facts(self) -> Facts:
        """What every training of the run depends on, besides its policy, as plain JSON values: fields of the config,
        the split, and digests of what is only named there and may change.
        """
        config = self.config
        behind = {
            "task": self.task.name,
            "modality": self.modality,
            "training_split": self.data.train_fingerprint,
            "groups": self._groups(),
            "learned": self._learned(),
            "network": self._network(),
            "trial_metric": metric_record(self.trial_metric).name,
            "generator": generator_digest(Path(config.generator)) if config.generator else None,
        }
        return {**config.facts(), **behind}

    def _groups(self) -> str | None:
        """A digest of the groups of the samples that policies are scored and judged on, of which the data's fingerprint
        says nothing; None without groups.
        """
        splits = self.data.validation, self.data.test
        named = [groups.tolist() for split in splits if (groups := split.groups) is not None]
        return hashlib.sha256(json.dumps(named, default=str).encode()).hexdigest()[:12] if named else None

    def _learned(self) -> str | None:
        """A digest of what operators have learned; None if they have learned nothing."""
        known = {name: text for name, text in sorted(self.data.learned.items()) if text}
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:12] if known else None

    def _network(self) -> str:
        """A digest of the network, without the input standardization."""
        shape = self.data.train.inputs.shape
        blank = torch.zeros(shape[0])
        models = get_modality(self.modality).models
        start = self.config.start.without_weights() if self.config.start is not None else None
        model = models.build(self.config.model, shape, self.task.outputs, blank, blank, seed=0, start=start)
        return network_digest(dict(model.named_children()).get("network", model))
