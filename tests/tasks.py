"""A task that trains in a fraction of a second, for tests of everything around training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import DataSet, Samples
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.policy.models import Layer, Operation, Policy, SubPolicy
from autoaug.training.recipe import Recipe
from autoaug.training.setting import TrainingSetting
from autoaug.training.tasks import Classification
from autoaug.training.train import train_to_end
from autoaug.training.trial import RUNGS
from tests.conftest import bars


def samples(n: int, seed: int) -> Samples:
    """Bars as samples in memory."""
    images, labels = bars(n, seed=seed)
    return Samples(MemoryInputs(np.ascontiguousarray(images.transpose(0, 3, 1, 2))), labels)


def data_set(train: Samples, held_out: Samples | None = None, classes: str = "abc", mark: str = "f") -> DataSet:
    """A data set of these samples, with a fingerprint of that mark."""
    held = train if held_out is None else held_out
    return DataSet("made up", tuple(classes), train, held, held, mark * 12, mark * 12)


def small_task(test: bool = False, **recipe: object) -> TrainingSetting:
    """Three classes of bars, 12 x 12, gray."""
    settings = {"epochs": 4, "batch_size": 32, **recipe}
    return TrainingSetting(
        task=Classification(3),
        train=samples(96, 0),
        validation=samples(48, 1),
        test=samples(48, 2) if test else None,
        model="auto",
        recipe=Recipe.model_validate(settings),
        device="cpu",
        modality="image",
    )


def trained_weights(policy: Policy, setting: TrainingSetting, seed: int = 3) -> torch.Tensor:
    """All weights of a model that is trained in `setting`, as one vector. Whatever two trainings do differently shows
    in them, on any CPU; their predictions may be the same.
    """
    training = train_to_end(replace(setting.plan(policy, seed), rungs=RUNGS))
    return torch.cat([tensor.flatten().double() for tensor in training.model.state_dict().values()])


def shifted_task() -> TrainingSetting:
    """The same, with validation images that are darker by up to 60 %."""
    validation = samples(96, 1)
    dark = Operation(operator="Brightness", magnitude=(0.2, 0.6), sign="negative")
    policy = Policy(layers=(Layer(sub_policies=(SubPolicy(operations=(dark,)),)),))
    clean = torch.from_numpy(validation.inputs.take(np.arange(96))).float() / 255
    pixels = apply_plan(draw_plan(policy, 96, torch.Generator().manual_seed(0)), clean)
    dark_images = MemoryInputs((pixels * 255).round().to(torch.uint8).numpy())
    return replace(small_task(), validation=Samples(dark_images, validation.labels))
