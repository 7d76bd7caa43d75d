"""The generators of the benchmark of generated data: fitted, judged, and passed through the sample filter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import DataSet, Samples
from autoaug.errors import RunError
from autoaug.generate.filter import SampleFilter
from autoaug.generate.fitting import FitSettings, fit_generator
from autoaug.generate.generator import SavedGenerator, load_generator
from autoaug.generate.metrics import ClassifierPlan, balanced_labels, classification_score, judge_samples
from autoaug.training.recipe import Recipe
from autoaug.utils.seeds import derive_seed

#: The classification accuracy score is the mean of so many classifiers': one alone varies by more than a point.
CLASSIFIERS = 4


def fitted(kind: str, data: DataSet, folder: Path, seed: int, steps: int | None) -> SavedGenerator:
    """The generator in `folder`, fitted where it is missing."""
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
    """How good the samples of a generator are, with the seconds that its fitting took."""
    labels = balanced_labels(len(data.classes), 10_000 // len(data.classes))
    samples = Samples(MemoryInputs(made.sample(labels, derive_seed(seed, "judge"))), labels)
    figures = judge_samples(samples, data.validation, sample_filter)
    # As many steps as for the real images: 10,000 samples are seen as often in all as those.
    alone = recipe.model_copy(update={"epochs": max(1, round(20_000 / len(labels)))})
    scores = [
        classification_score(samples, data.test, ClassifierPlan("auto", alone, 10 * seed + i, data.modality), "cpu")
        for i in range(CLASSIFIERS)
    ]
    return {**figures.known(), "classification": float(np.mean(scores)), "fitting seconds": made.about.seconds}


def caught(made: SavedGenerator, data: DataSet, sample_filter: SampleFilter, seed: int) -> dict[str, float]:
    """The share of good samples that the filter drops, and of planted faults: noise, each sample under another label,
    and training images.
    """
    labels, draw = balanced_labels(len(data.classes), 2_000 // len(data.classes)), np.random.default_rng(seed)
    good = made.sample(labels, derive_seed(seed, "gate"))
    copied = draw.integers(0, len(data.train), len(labels))
    planted = {
        "good": (good, labels),
        "noise": (draw.integers(0, 256, good.shape, dtype=np.uint8), labels),
        "wrong labels": (good, (labels + draw.integers(1, len(data.classes), len(labels))) % len(data.classes)),
        "copies": (data.train.inputs.take(copied), data.train.labels[copied]),
    }
    return {name: float((sample_filter.judge(*these) != "").mean()) for name, these in planted.items()}
