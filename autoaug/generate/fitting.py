"""Fit a generator to training samples. Interrupted fits are resumed, and collapsed generators are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from autoaug.data.splits import DataSet, Samples
from autoaug.errors import DataError, OptionError, RunError
from autoaug.generate.generator import UNFINISHED, About, SavedGenerator, generator_kind
from autoaug.modalities.base import AS_SUITS, Reading
from autoaug.modalities.generators import Collapsed, Generator, GeneratorFit
from autoaug.modalities.registry import get_modality
from autoaug.utils.clock import now
from autoaug.utils.facts import Facts, changes
from autoaug.utils.files import write_atomically

#: A generator has collapsed if the spread of its samples of a class is below this fraction of the real samples' spread.
_COLLAPSED = 0.25
#: The most samples per class in that comparison.
_COMPARED = 64

#: Called with the number of finished steps, the number of all steps, and one sample per class ``[classes, ...]``.
Watch = Callable[[int, int, np.ndarray], None]


class TooFewSamples(DataError):
    """A class has fewer samples than a kind of generator needs."""


@dataclass(frozen=True, eq=False)
class FitSettings:
    """How a generator is fitted.

    Attributes:
        seed: the seed of the fit and of the split.
        steps: the number of steps; None for the usual number.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        lies_at: the location of the data, to be recorded.
        source: the generator to adapt; None fits a new one.
        reading: how the data were read, to be recorded.
    """

    seed: int
    steps: int | None = None
    device: str = "cpu"
    lies_at: str = ""
    source: SavedGenerator | None = None
    reading: Reading = AS_SUITS


def fit_generator(
    kind: str, data: DataSet, folder: Path, settings: FitSettings, watch: Watch | None = None
) -> SavedGenerator:
    """Fit a generator to the training split and save it in `folder`. A fit that was interrupted there is resumed.

    Raises:
        UnknownName: there is no such kind of generator.
        TooFewSamples: a class has too few samples for this kind.
        OptionError: the source cannot be adapted to these samples.
        Collapsed: the fit failed.
    """
    generator, train, source = generator_kind(kind, data.modality), data.train, settings.source
    if source is not None:
        _check_source(source, generator, kind, data)
    _check_counts(kind, data)
    begun = now()
    about = About(
        modality=data.modality,
        kind=kind,
        shape=train.inputs.shape,
        classes=data.classes,
        fingerprint=data.train_fingerprint,
        data=settings.lies_at,
        size=settings.reading.lengths,
        resize=settings.reading.how,
        inputs=len(train),
        seed=settings.seed,
        adapted_from=source.about.fingerprint if source else None,
    )
    fit = _carry_out(generator, train, about, folder, settings, watch)
    about = about.model_copy(update={"steps": fit.steps, "seconds": now() - begun})
    saved = SavedGenerator(about, _stored(fit.tensors()))
    _check_variety(saved, train)
    saved.save(folder)
    return saved


def _check_source(source: SavedGenerator, generator: Generator, kind: str, data: DataSet) -> None:
    """Raise `OptionError` if a generator of that `kind` cannot start from `source`."""
    if not generator.adapts:
        raise OptionError(f"a {kind} cannot start from another generator: leave out --from")
    own, shape = source.about, data.train.inputs.shape
    if (own.modality, own.kind, own.shape) != (data.modality, kind, shape):
        raise OptionError(
            f"--from takes a {kind} for samples of shape {list(shape)} ({data.modality}), not a {own.kind} for "
            f"{list(own.shape)} ({own.modality})"
        )


def _check_counts(kind: str, data: DataSet) -> None:
    """Raise `TooFewSamples` if a class has too few samples for that kind."""
    kinds = get_modality(data.modality).generators
    counts = np.bincount(data.train.labels, minlength=len(data.classes))
    least = int(counts.min())
    if least >= kinds[kind].fewest:
        return
    fitting = next((name for name, other in kinds.items() if least >= other.fewest), None)
    cure = f"use the kind {fitting}, or add samples" if fitting else "add samples"
    raise TooFewSamples(
        f"class {data.classes[int(counts.argmin())]!r} has {least} samples, but a {kind} needs at least "
        f"{kinds[kind].fewest} per class; {cure}"
    )


def _carry_out(
    generator: Generator, train: Samples, about: About, folder: Path, settings: FitSettings, watch: Watch | None
) -> GeneratorFit:
    """Run all steps of the fit, writing its state regularly."""
    classes, source = len(about.classes), settings.source.tensors if settings.source else None
    steps = generator.usual_steps(len(train)) if settings.steps is None else settings.steps
    fit, unfinished = generator.begin(train, classes, about.seed, source), folder / UNFINISHED
    fixed = {"fingerprint", "classes", "size", "resize", "seed", "adapted_from"}
    facts = about.model_dump(mode="json", include=fixed) | {"steps": steps}
    if unfinished.is_file():
        _check_same(unfinished, facts)
        try:
            fit.load(load_file(unfinished))
        except (SafetensorError, RuntimeError, KeyError, ValueError):
            fit = generator.begin(train, classes, about.seed, source)
    for done in fit.run(steps, settings.device, every=max(1, min(500, steps // 20))):
        write_atomically(unfinished, save(_stored(fit.state()), {"facts": json.dumps(facts)}))
        if watch is not None:
            watch(done, steps, generator.sample(fit.tensors(), np.arange(classes), about.seed, settings.device))
    return fit


def _stored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors in the form in which they are written."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _check_same(unfinished: Path, facts: Facts) -> None:
    """Raise `RunError` if the fit in a file was begun with other facts; a damaged file is ignored."""
    try:
        with safe_open(unfinished, framework="pt") as file:
            noted = json.loads((file.metadata() or {}).get("facts", "{}"))
    except (SafetensorError, OSError, ValueError):
        return
    if differing := changes(noted, facts):
        raise RunError(
            f"{unfinished.parent} holds a fit that was begun with {differing}; restore those settings, or choose "
            "another folder with --out"
        )


def _check_variety(saved: SavedGenerator, train: Samples) -> None:
    """Raise `Collapsed` if the samples of a class are all alike."""
    for number, name in enumerate(saved.about.classes):
        rows = np.flatnonzero(train.labels == number)[:_COMPARED]
        made = saved.sample(np.full(len(rows), number), saved.about.seed)
        spread = [np.std(inputs.astype(np.float64), axis=0).mean() for inputs in (made, train.inputs.take(rows))]
        if spread[0] < _COLLAPSED * spread[1]:
            raise Collapsed(
                f"the generator has collapsed: its samples of class {name!r} vary by only "
                f"{100 * spread[0] / spread[1]:.0f} % of the variation of real ones; try another --seed, more "
                "--steps, or another --kind"
            )
