"""Pools of generated samples for a run: the generator is fitted once a data set, and its samples pass the gate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.pool import Pool
from autoaug.data.splits import DataSet, Samples
from autoaug.errors import DataError, RunError
from autoaug.generate.filter import Accept, SampleFilter, count_reasons, format_counts, own_probability, train_filter
from autoaug.generate.gan import Collapsed, default_steps
from autoaug.generate.generator import KINDS, SavedGenerator, TooFewSamples, Watch, fit_generator, load_generator
from autoaug.generate.metrics import LEAST_JUDGED, judge_samples
from autoaug.policy.models import Policy
from autoaug.search.space import SearchSpace
from autoaug.training.recipe import Recipe
from autoaug.utils.clock import now
from autoaug.utils.files import cache_folder, check_writable
from autoaug.utils.locks import held
from autoaug.utils.seeds import derive_seed

#: So many samples are made for every training sample, before the gate; fewer where they would take more bytes than this.
_PER_SAMPLE, _BYTES = 2, 2**29


class Pooled(NamedTuple):
    """A pool, and what is to be said of it: what the gate dropped and why, seconds, and bytes."""

    pool: Pool | None
    facts: dict[str, Any]


def wanted_kinds(space: SearchSpace | None, policies: Iterable[Policy]) -> list[str]:
    """The generators that a run asks for."""
    asked = set(space.synthetic.kinds) if space else set()
    asked |= {policy.synthetic.kind for policy in policies if policy.synthetic}
    return [kind for kind in KINDS if kind in asked]


def generator_cache() -> Path:
    """Where fitted generators are kept, by the fingerprint of their data; raises `OptionError` where none can be."""
    return cache_folder() / "generators"


def pool_filter(data: DataSet, seed: int, model: str, recipe: Recipe, device: str) -> SampleFilter:
    """The gate of a run with that seed."""
    return train_filter(data.train, data.validation, data.classes, model, recipe, derive_seed(seed, "gate"), device)


def pool_counts(counts: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """How many samples to make of each class ``[classes]``, of which there are so many training samples of `shape`."""
    wanted, most = _PER_SAMPLE * counts, _BYTES // math.prod(shape)
    return wanted if wanted.sum() <= most else np.maximum(1, wanted * most // wanted.sum())


def make_pool(
    kind: str,
    data: DataSet,
    sample_filter: SampleFilter,
    seed: int,
    device: str,
    given: Path | None = None,
    allow: bool = False,
    cache: Path | None = None,
    accept: Accept | None = None,
    watch: Watch | None = None,
) -> Pooled:
    """Fit the generator of `kind` on the training split, or take it from the cache or the folder `given`, pass its
    samples through the `sample_filter` and the user's own `accept`, and judge those that are left. Where fitting fails, as where a
    class has too few samples, or no sample passes, the pool is None, and the facts say why.

    Raises:
        DataError: the generator in `given` is of other data, or of samples of another shape.
        RunError: there is none.
    """
    begun = now()
    try:
        generator = _generator(kind, data, seed, device, given, allow, cache or generator_cache(), watch)
    except (Collapsed, TooFewSamples) as fault:
        return Pooled(None, {"failed": str(fault), "seconds": now() - begun})
    fitted = now()
    counts = pool_counts(np.bincount(data.train.labels, minlength=len(data.classes)), data.train.inputs.shape)
    labels = np.repeat(np.arange(len(data.classes), dtype=np.int64), counts)
    inputs = generator.sample(labels, derive_seed(seed, "pool"), device)
    reasons = sample_filter.judge(inputs, labels, accept)
    kept = np.flatnonzero(reasons == "")
    shares = own_probability(sample_filter.training, inputs[kept], labels[kept], device)
    sampled = now()
    facts: dict[str, Any] = {
        "seconds": generator.about.seconds,
        "fitting_seconds": fitted - begun,
        "sampling_seconds": sampled - fitted,
        "bytes": int(inputs[kept].nbytes),
        "sample_filter": count_reasons(reasons),
    }
    for what, (before, after) in sample_filter.balances(inputs, labels, reasons).items():
        facts |= {f"{what}_before": before, f"{what}_after": after}
    if not len(kept):
        none = f"the sample filter let none of {len(inputs)} samples of the {kind} pass: {format_counts(facts['sample_filter'])}"
        return Pooled(None, {**facts, "failed": none})
    if len(kept) > LEAST_JUDGED:
        figures = judge_samples(inputs[kept], labels[kept], data.train, data.validation, sample_filter.training, device)
        facts["judged"] = figures.known()
    return Pooled(Pool(Samples(MemoryInputs(inputs[kept]), labels[kept]), shares), facts)


def _generator(
    kind: str,
    data: DataSet,
    seed: int,
    device: str,
    given: Path | None,
    allow: bool,
    cache: Path,
    watch: Watch | None,
) -> SavedGenerator:
    if given is not None:
        found = load_generator(given)
        if found.about.kind == kind:
            found.check_fits(data.train.inputs.shape, data.classes, data.train_fingerprint, allow)
            return found
    steps = default_steps(len(data.train)) if kind == "gan" else 0
    split = data.train_fingerprint
    folder = cache / f"{split}-{kind}-{steps}-{seed}"
    try:
        return _fitted(folder, data)
    except (RunError, DataError):
        check_writable(folder)  # there is none yet, or it is of no use
    with held(folder, "", wait=True):  # another run may be fitting it
        try:
            return _fitted(folder, data)
        except (RunError, DataError):
            return fit_generator(
                kind, data.train, data.classes, split, folder, steps=steps, seed=seed, device=device, watch=watch
            )


def _fitted(folder: Path, data: DataSet) -> SavedGenerator:
    """The generator in a folder of the cache; raises where there is none that fits."""
    found = load_generator(folder)
    found.check_fits(data.train.inputs.shape, data.classes, data.train_fingerprint, allow=False)
    return found
