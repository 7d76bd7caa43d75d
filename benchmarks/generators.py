"""The generators of the benchmark of generated data: fit them, judge them, and filter their samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import DataSet, Samples
from autoaug.errors import RunError
from autoaug.generate.filter import SampleFilter
from autoaug.generate.fitting import FitSettings, fit_generator
from autoaug.generate.generator import SavedGenerator, load_generator
from autoaug.generate.metrics import ClassifierPlan, classification_score, judge_samples
from autoaug.training.recipe import Recipe
from autoaug.utils.seeds import derive_seed

#: The number of classifiers whose mean is the classification accuracy score: a single one varies by more than a point.
CLASSIFIERS = 4


def fitted(kind: str, data: DataSet, folder: Path, seed: int, steps: int | None) -> SavedGenerator:
    """Load the generator in `folder`, or fit it if it is missing."""
    try:
        return load_generator(folder)
    except RunError:
        return fit_generator(
            kind,
            data,
            folder,
            FitSettings(seed, steps),
            watch=lambda done, total, _: print(f"  {kind} {seed}: step {done} of {total}", flush=True),
        )


def judged(
    made: SavedGenerator, data: DataSet, recipe: Recipe, sample_filter: SampleFilter, seed: int
) -> dict[str, float]:
    """Metrics of a generator's samples, and the seconds that fitting it took."""
    labels = np.repeat(np.arange(len(data.classes)), 10_000 // len(data.classes))
    samples = Samples(MemoryInputs(made.sample(labels, derive_seed(seed, "judge"))), labels)
    figures = judge_samples(samples, data.validation, sample_filter)
    # 20,000 sample passes in total, whatever the number of samples.
    alone = recipe.model_copy(update={"epochs": max(1, round(20_000 / len(labels)))})
    scores = [
        classification_score(samples, data.test, ClassifierPlan("auto", alone, 10 * seed + i, data.modality), "cpu")
        for i in range(CLASSIFIERS)
    ]
    return {**figures.known(), "classification": float(np.mean(scores)), "fitting seconds": made.about.seconds}


def caught(made: SavedGenerator, data: DataSet, sample_filter: SampleFilter, seed: int) -> dict[str, float]:
    """The shares that the filter drops of good samples and of planted faults: noise, samples under wrong labels, and
    copies of training images.
    """
    labels = np.repeat(np.arange(len(data.classes)), 2_000 // len(data.classes))
    draw = np.random.default_rng(seed)
    good = made.sample(labels, derive_seed(seed, "gate"))
    copied = draw.integers(0, len(data.train), len(labels))
    planted = {
        "good": (good, labels),
        "noise": (draw.integers(0, 256, good.shape, dtype=np.uint8), labels),
        "wrong labels": (good, (labels + draw.integers(1, len(data.classes), len(labels))) % len(data.classes)),
        "copies": (data.train.inputs.take(copied), data.train.labels[copied]),
    }
    return {name: float((sample_filter.judge(*these) != "").mean()) for name, these in planted.items()}
