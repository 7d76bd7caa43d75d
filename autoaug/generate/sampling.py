"""Draw samples from a generator, filter them, and write them as files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from autoaug.data.layouts.folder import RENAMED
from autoaug.data.splits import DataSet
from autoaug.errors import RunError
from autoaug.generate.filter import Accept, SampleFilter, count_reasons, format_counts, train_filter
from autoaug.generate.generator import SavedGenerator
from autoaug.modalities.registry import get_modality
from autoaug.training.recipe import Recipe, default_recipe
from autoaug.training.train import Watch
from autoaug.utils.files import other_names, safe_name, write_atomically


class FilteredSamples(NamedTuple):
    """Samples, with the sample filter's reasons for dropping some.

    Attributes:
        inputs: samples ``[n, ...]`` in storage format.
        labels: their class indices ``[n]``.
        reasons: why each is dropped, ``[n]``; empty for those that pass.
        sample_filter: the filter that judged them.
        recipe: the recipe of the filter's classifier.
        modality: the name of their modality.
    """

    inputs: np.ndarray
    labels: np.ndarray
    reasons: np.ndarray
    sample_filter: SampleFilter
    recipe: Recipe
    modality: str


def draw_samples(
    made: SavedGenerator,
    data: DataSet,
    per_class: int,
    seed: int,
    device: str,
    accept: Accept | None = None,
    watch: Watch | None = None,
) -> FilteredSamples:
    """Draw `per_class` samples of each class, and judge them with a filter trained on the real samples in `data`, and
    call `watch` with the steps of that training.
    """
    labels = np.repeat(np.arange(len(data.classes), dtype=np.int64), per_class)
    inputs = made.sample(labels, seed, device)
    recipe = default_recipe(len(data.train))
    sample_filter = train_filter(data, "auto", recipe, seed, device, watch=watch)
    reasons = sample_filter.judge(inputs, labels, accept)
    return FilteredSamples(inputs, labels, reasons, sample_filter, recipe, data.modality)


def write_passed(drawn: FilteredSamples, out: Path) -> None:
    """Write the samples that pass as files, in one folder per class. `out` appears only when all are written. Classes
    whose names are not valid folder names are listed in ``renamed.json``.

    Raises:
        RunError: no sample passes.
    """
    passed = np.flatnonzero(drawn.reasons == "")
    if not len(passed):
        reasons = format_counts(count_reasons(drawn.reasons))
        raise RunError(f"none of {len(drawn.labels)} samples passed the sample filter: {reasons}")
    classes, loader = drawn.sample_filter.classes, get_modality(drawn.modality).loader
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for number in passed.tolist():
        path = unfinished / safe_name(classes[drawn.labels[number]]) / f"{number:07}{loader.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        loader.write(drawn.inputs[number], path)
    if unsafe := other_names(classes):
        write_atomically(unfinished / RENAMED, json.dumps(unsafe, indent=2))
    unfinished.rename(out)
