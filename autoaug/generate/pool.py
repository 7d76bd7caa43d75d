"""Pools of generated samples for a run. A generator is fitted once per data set, and its samples are filtered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.pool import Pool
from autoaug.data.splits import DataSet, Samples
from autoaug.errors import DataError, RunError, UnknownName
from autoaug.generate.filter import Accept, SampleFilter, count_reasons, format_counts, train_filter
from autoaug.generate.fitting import FitSettings, TooFewSamples, Watch, fit_generator
from autoaug.generate.generator import SavedGenerator, generator_kind, load_generator
from autoaug.generate.metrics import LEAST_JUDGED, judge_samples
from autoaug.modalities.generators import Collapsed
from autoaug.modalities.networks import Start
from autoaug.training.recipe import Recipe
from autoaug.utils.clock import now
from autoaug.utils.files import cache_folder, check_writable
from autoaug.utils.locks import held
from autoaug.utils.seeds import derive_seed

#: The number of samples made per training sample, before the filter, and the most bytes that they may take together.
_PER_SAMPLE, _BYTES = 2, 2**29


@dataclass(frozen=True, eq=False)
class PoolSettings:
    """How the pools of a run are made.

    Attributes:
        seed: the seed of the run.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        given: the folder of a generator to use for the pool of its kind; None fits one.
        allow: whether that generator may have been fitted to other samples.
        cache: the folder for fitted generators; None for `generator_cache`.
        accept: the user's function, which may drop further samples.
        watch: called with the progress of a fit.
    """

    seed: int
    device: str
    given: Path | None = None
    allow: bool = False
    cache: Path | None = None
    accept: Accept | None = None
    watch: Watch | None = None


class Pooled(NamedTuple):
    """A pool, and facts for the report: what the filter dropped and why, seconds, and bytes."""

    pool: Pool | None
    facts: dict[str, Any]


def generator_cache() -> Path:
    """The folder for fitted generators, named by the fingerprint of their data; `OptionError` if there can be none."""
    return cache_folder() / "generators"


def pool_filter(
    data: DataSet, seed: int, model: str, recipe: Recipe, device: str, start: Start | None = None
) -> SampleFilter:
    """Train the sample filter of a run with that seed."""
    return train_filter(data, model, recipe, derive_seed(seed, "gate"), device, start)


def pool_counts(counts: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """How many samples to make per class ``[classes]``, from the training ``counts [classes]`` and the sample shape."""
    wanted, most = _PER_SAMPLE * counts, _BYTES // math.prod(shape)
    return wanted if wanted.sum() <= most else np.maximum(1, wanted * most // wanted.sum())


def make_pool(kind: str, data: DataSet, sample_filter: SampleFilter, settings: PoolSettings) -> Pooled:
    """Fit the generator of `kind` to the training split, or take it from the cache or the given folder; then filter its
    samples, and judge those that pass. If this fails (the modality has no such generator, a class has too few samples,
    the fit collapsed, or no sample passes), the pool is None and the facts tell why.

    Raises:
        DataError: the given generator was fitted to other data, or makes samples of another shape.
        RunError: the given folder holds no usable generator.
    """
    begun = now()
    try:
        generator = _generator(kind, data, settings)
    except (Collapsed, TooFewSamples, UnknownName) as fault:
        return Pooled(None, {"failed": str(fault), "seconds": now() - begun})
    fitted = now()
    counts = pool_counts(np.bincount(data.train.labels, minlength=len(data.classes)), data.train.inputs.shape)
    labels = np.repeat(np.arange(len(data.classes), dtype=np.int64), counts)
    inputs = generator.sample(labels, derive_seed(settings.seed, "pool"), settings.device)
    reasons = sample_filter.judge(inputs, labels, settings.accept)
    kept = np.flatnonzero(reasons == "")
    confidence = sample_filter.own_probability(inputs[kept], labels[kept])
    facts: dict[str, Any] = {
        "seconds": generator.about.seconds,
        "fitting_seconds": fitted - begun,
        "sampling_seconds": now() - fitted,
        "bytes": int(inputs[kept].nbytes),
        "sample_filter": count_reasons(reasons),
    }
    for what, (before, after) in sample_filter.balances(inputs, labels, reasons).items():
        facts |= {f"{what}_before": before, f"{what}_after": after}
    if not len(kept):
        none = f"none of {len(inputs)} samples of the {kind} passed the sample filter"
        return Pooled(None, {**facts, "failed": f"{none}: {format_counts(facts['sample_filter'])}"})
    passed_samples = Samples(MemoryInputs(inputs[kept]), labels[kept])
    if len(kept) > LEAST_JUDGED:
        facts["judged"] = judge_samples(passed_samples, data.validation, sample_filter).known()
    return Pooled(Pool(passed_samples, confidence), facts)


def _generator(kind: str, data: DataSet, settings: PoolSettings) -> SavedGenerator:
    """The given generator if it is of that kind; otherwise the one in the cache, fitted first if it is missing."""
    if settings.given is not None:
        given = load_generator(settings.given)
        if given.about.kind == kind:
            given.check_fits(data, settings.allow)
            return given
    steps = generator_kind(kind, data.modality).usual_steps(len(data.train))
    folder = (settings.cache or generator_cache()) / f"{data.train_fingerprint}-{kind}-{steps}-{settings.seed}"
    try:
        return _fitted(folder, data)
    except (RunError, DataError):
        check_writable(folder)  # none is cached, or it is unusable
    with held(folder, "", wait=True):  # another run may be fitting it
        try:
            return _fitted(folder, data)
        except (RunError, DataError):
            how = FitSettings(settings.seed, steps, settings.device)
            return fit_generator(kind, data, folder, how, settings.watch)


def _fitted(folder: Path, data: DataSet) -> SavedGenerator:
    """Load a cached generator; raises `RunError` or `DataError` if there is none, or it does not fit the data."""
    cached = load_generator(folder)
    cached.check_fits(data, allow=False)
    return cached
