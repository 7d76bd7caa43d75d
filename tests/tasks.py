"""A task that trains in a fraction of a second, for tests of everything around training."""

from __future__ import annotations

import numpy as np

from autoaug.data.images import MemoryImages
from autoaug.data.splits import Samples
from autoaug.training.recipe import Recipe
from autoaug.trial import Task
from tests.conftest import bars


def samples(n: int, seed: int) -> Samples:
    """Bars as samples in memory."""
    images, labels = bars(n, seed=seed)
    return Samples(MemoryImages(np.ascontiguousarray(images.transpose(0, 3, 1, 2))), labels)


def small_task(test: bool = False, **recipe: object) -> Task:
    """Three classes of bars, 12 x 12, grey."""
    settings = {"epochs": 4, "batch_size": 32, **recipe}
    return Task(
        classes=3,
        train=samples(96, 0),
        validation=samples(48, 1),
        test=samples(48, 2) if test else None,
        model="auto",
        recipe=Recipe.model_validate(settings),
        device="cpu",
    )
