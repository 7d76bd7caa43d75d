"""A run under way, as its stages see it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from autoaug.data.audit import Audit
from autoaug.data.splits import DataSet
from autoaug.evaluation.scoring import Scoring
from autoaug.generate.generator import generator_digest
from autoaug.generate.pool import Pooled
from autoaug.modalities.registry import get_modality
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.search.executors import Executor
from autoaug.search.progress import Progress
from autoaug.training.metrics import Accuracy, Metric
from autoaug.training.setting import Setting, TrainingSetting
from autoaug.training.tasks import Classification, Task
from autoaug.utils.facts import Facts

OpenExecutor = Callable[[Setting], Executor]


@dataclass(frozen=True, eq=False)
class Job:
    """What every stage of a run is given: where it is kept, what it was asked to do, and on what."""

    folder: RunFolder
    config: RunConfig
    data: DataSet
    audit: Audit
    progress: Progress

    @property
    def task(self) -> Task:
        """What is predicted."""
        return Classification(len(self.data.classes))

    @property
    def metric(self) -> Metric:
        """How that is measured."""
        return Accuracy()

    @property
    def modality(self) -> str:
        """The name of the data's."""
        return self.data.modality

    @property
    def scoring(self) -> Scoring:
        """What candidates are scored by."""
        validation, test = self.data.validation, self.data.test
        return Scoring(self.task, self.metric, validation.labels, test.labels, test.groups, validation.groups)

    def setting(self, generated: Mapping[str, Pooled]) -> TrainingSetting:
        """What the trials of the search have in common."""
        return TrainingSetting(
            task=self.task,
            train=self.data.train,
            validation=self.data.validation,
            test=None,
            model=self.config.model,
            recipe=self.config.recipe,
            device=self.config.device,
            modality=self.modality,
            metric=self.metric,
            is_exchangeable=self.data.is_exchangeable,
            checkpoints=self.folder.checkpoints.resolve(),
            pools={kind: pooled.pool for kind, pooled in generated.items() if pooled.pool is not None},
        )

    def facts(self) -> Facts:
        """What every training of the run depends on beside its policy, as plain JSON values: what the configuration
        says of it, the split, and what stands behind names that may come to mean something else.
        """
        config = self.config
        behind = {
            "task": self.task.name,
            "metric": self.metric.name,
            "modality": self.modality,
            "training_split": self.data.train_fingerprint,
            "network": self._network(),
            "generator": generator_digest(Path(config.generator)) if config.generator else None,
        }
        return {**config.facts(), **behind}

    def _network(self) -> str:
        """A digest of the shapes of the network's weights, without what standardizes its input."""
        shape = self.data.train.inputs.shape
        blank = torch.zeros(shape[0])
        models = get_modality(self.modality).models
        model = models.build(self.config.model, shape, self.task.outputs, blank, blank, seed=0)
        network = dict(model.named_children()).get("network", model)
        weights = [(name, list(tensor.shape)) for name, tensor in network.state_dict().items()]
        return hashlib.sha256(json.dumps(weights).encode()).hexdigest()[:12]
