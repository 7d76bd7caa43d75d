"""A generator as a folder: weights in safetensors, what they are of in JSON, and a card."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from autoaug.data.splits import Samples
from autoaug.errors import DataError, OptionError, RunError, UnknownName, first_line
from autoaug.generate.gan import Collapsed, new_gan, sample_gan, train_gan
from autoaug.generate.gaussian import COMPONENTS, fit_pca, sample_pca
from autoaug.generate.networks import Generator
from autoaug.utils.clock import now
from autoaug.utils.facts import Facts, changes
from autoaug.utils.files import regular_file, write_whole
from autoaug.utils.json import read_record
from autoaug.utils.locks import LOCK

KINDS = ("gan", "pca")
_WEIGHTS, _ABOUT, _UNFINISHED = "generator.safetensors", "generator.json", "unfinished.safetensors"
#: Fewer samples of a class than this are remembered, not learned.
_FEWEST = {"gan": 10, "pca": 3}
#: A generator has collapsed whose samples of a class differ by less than this share of what real ones differ by.
_COLLAPSED = 0.25
_LOOKED_AT = 64

#: Told how many of all steps are done, and a sample of each class ``[classes, C, H, W]``.
Watch = Callable[[int, int, np.ndarray], None]


Size = Annotated[int, Field(ge=1, lt=2**31)]


class About(BaseModel):
    """What a generator is of: `fingerprint` is that of the training split, `data` where the data lay, `steps` and
    `seconds` are what its training took.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    kind: Literal["gan", "pca"]
    shape: tuple[Size, ...]
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    fingerprint: str
    data: str = ""
    inputs: Size
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    steps: Annotated[int, Field(ge=0, lt=2**63)] = 0
    seconds: float = 0.0
    adapted_from: str | None = None

    def where(self) -> str:
        """Where the data lie; raises `RunError` where that is not known, or nothing is there now."""
        if not self.data:
            raise RunError("this generator does not say what it was fitted on: name the data after it")
        if Path(self.data).is_absolute() and not Path(self.data).exists():
            raise RunError(f"the generator was fitted on {self.data}, which is not there now: name the data after it")
        return self.data


class TooFewSamples(DataError):
    """A class has fewer samples than a kind of generator needs."""


@dataclass(frozen=True, eq=False)
class SavedGenerator:
    """A generator that is trained."""

    about: About
    tensors: dict[str, Tensor]

    def sample(self, labels: np.ndarray, seed: int, device: str = "cpu") -> np.ndarray:
        """A sample for each of ``labels [n]``, uint8 ``[n, C, H, W]``; the same seed makes the same."""
        if self.about.kind == "pca":
            return sample_pca(self.tensors, labels, seed)
        network = Generator(self.tensors["mean"].clone(), self.tensors["components"].clone())
        network.load_state_dict(self.tensors)
        return sample_gan(network, labels, seed, device)

    def check_fits(self, shape: tuple[int, ...], classes: tuple[str, ...], fingerprint: str, allow: bool) -> None:
        """Raise `DataError` where it is of samples of another shape, of other classes, or of another training split than
        the one with that `fingerprint`, and that is not allowed.
        """
        if self.about.shape != shape:
            raise DataError(f"the generator makes samples of {self.about.shape} (C, H, W), the data has {shape}")
        if self.about.classes != classes:
            raise DataError(f"the generator knows the classes {self.about.classes}, the data has {classes}")
        if self.about.fingerprint != fingerprint and not allow:
            raise DataError(
                f"the generator was fitted on other samples (fingerprint {self.about.fingerprint}, here {fingerprint}): "
                f"on other data, or with another --seed (its own is {self.about.seed}), whose training samples may be "
                "held out here; fit one on these, or pass --allow generator"
            )

    def save(self, folder: Path) -> None:
        """Write the folder; what it is of last, so that a folder with that is whole."""
        write_whole(folder / _WEIGHTS, save(self.tensors))
        write_whole(folder / "README.md", _card(self.about))
        write_whole(folder / _ABOUT, self.about.model_dump_json(indent=2))
        (folder / _UNFINISHED).unlink(missing_ok=True)


def load_generator(folder: Path) -> SavedGenerator:
    """The generator in a folder; raises `RunError` where there is none, or it is damaged or of another kind."""
    path = folder / _ABOUT
    if not path.is_file():
        raise RunError(f"{folder} is no generator: it has no {_ABOUT}; make one with autoaug generate fit")
    about = read_record(path, About, RunError, cure="fit the generator again")
    try:
        found = SavedGenerator(about, load_file(regular_file(folder / _WEIGHTS)))
        _check_tensors(found)
        found.sample(np.zeros(1, np.int64), 0)
    except (SafetensorError, OSError, RuntimeError) as fault:
        reason = first_line(fault)
        raise RunError(f"{folder / _WEIGHTS} is damaged, or of another network ({reason})") from None
    return found


def _check_tensors(found: SavedGenerator) -> None:
    """Raise `RuntimeError` where the Gaussians, which every kind has, are not of its classes and samples."""
    classes, shape = len(found.about.classes), found.about.shape
    due = {"mean": (classes, *shape), "components": (classes, COMPONENTS, math.prod(shape))}
    for name, size in due.items():
        tensor = found.tensors.get(name)
        if tensor is None or tuple(tensor.shape) != size or not tensor.is_floating_point():
            raise RuntimeError(f"{name} is not of the shape {size}")


def generator_digest(folder: Path) -> str:
    """A fingerprint of the generator in a folder: another one has another."""
    load_generator(folder)
    return hashlib.sha256((folder / _WEIGHTS).read_bytes()).hexdigest()[:12]


def check_free(folder: Path) -> None:
    """Raise `RunError` where something stands in `folder` that is no fit which was interrupted."""
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    begun = {_UNFINISHED, _WEIGHTS} & names
    own = {_UNFINISHED, _WEIGHTS, "README.md", "samples.png"} if begun else set()
    crashed = {name for name in names if name == LOCK or (name.startswith(".") and name.endswith(".unfinished"))}
    if names - own - crashed - ({_ABOUT} if _UNFINISHED in names else set()):
        raise RunError(f"{folder} holds something already; name another folder with --out")


def fit_generator(
    kind: str,
    train: Samples,
    classes: tuple[str, ...],
    fingerprint: str,
    folder: Path,
    *,
    steps: int,
    seed: int,
    device: str = "cpu",
    lies_at: str = "",
    source: SavedGenerator | None = None,
    watch: Watch | None = None,
) -> SavedGenerator:
    """Fit a generator on training samples and save it in `folder`; a training that was interrupted there goes on.

    Raises:
        UnknownName: there is no such kind.
        TooFewImages: a class has too few for it.
        OptionError: `source` cannot be adapted to these samples.
        Collapsed: the training failed.
    """
    if kind not in KINDS:
        raise UnknownName("kind of generator", kind, KINDS)
    if source is not None and kind != "gan":
        raise OptionError(f"--from starts a gan; a {kind} is fitted anew in a second: leave --from out")
    counts = np.bincount(train.labels, minlength=len(classes))
    if counts.min() < _FEWEST[kind]:
        rare = classes[int(counts.argmin())]
        cure = (
            "; use the kind pca, or add samples"
            if kind == "gan" and counts.min() >= _FEWEST["pca"]
            else "; add samples"
        )
        raise TooFewSamples(
            f"class {rare!r} has {counts.min()} samples, a {kind} needs at least {_FEWEST[kind]} a class{cure}"
        )
    begun = now()
    about = About(
        kind="gan" if kind == "gan" else "pca",
        shape=train.inputs.shape,
        classes=classes,
        fingerprint=fingerprint,
        data=lies_at,
        inputs=len(train),
        seed=seed,
        adapted_from=source.about.fingerprint if source else None,
    )
    if kind == "pca":
        tensors = fit_pca(train, len(classes))
    else:
        tensors, steps = _fit_gan(train, about, folder, steps, device, source, watch)
        about = about.model_copy(update={"steps": steps})
    found = SavedGenerator(about.model_copy(update={"seconds": now() - begun}), tensors)
    _check_variety(found, train, seed)
    found.save(folder)
    return found


def _fit_gan(
    train: Samples,
    about: About,
    folder: Path,
    steps: int,
    device: str,
    source: SavedGenerator | None,
    watch: Watch | None,
) -> tuple[dict[str, Tensor], int]:
    classes, seed = about.classes, about.seed
    if source is not None and (source.about.kind != "gan" or source.about.shape != train.inputs.shape):
        raise OptionError(
            f"--from takes a gan for samples of {train.inputs.shape} (C, H, W), not a {source.about.kind} for "
            f"{source.about.shape}"
        )
    training = new_gan(train, len(classes), seed, source.tensors if source else None)
    unfinished = folder / _UNFINISHED
    facts = about.model_dump(mode="json", include={"fingerprint", "classes", "seed", "adapted_from"}) | {"steps": steps}
    if unfinished.is_file():
        _check_same(unfinished, facts)
        try:
            training.load(load_file(unfinished))
        except (SafetensorError, RuntimeError, KeyError, ValueError):
            training = new_gan(train, len(classes), seed, source.tensors if source else None)
    every = max(1, min(500, steps // 20))
    for done in train_gan(training, train, steps, seed, device, every):
        tensors = {name: t.detach().cpu().contiguous() for name, t in training.state().items()}
        write_whole(unfinished, save(tensors, {"facts": json.dumps(facts)}))
        if watch is not None:
            watch(done, steps, sample_gan(training.average, np.arange(len(classes)), seed, device))
    tensors = {name: t.detach().cpu().contiguous() for name, t in training.average.state_dict().items()}
    return tensors, training.steps


def _check_same(unfinished: Path, facts: Facts) -> None:
    """Raise `RunError` where the training in a file was begun with other facts; a damaged file is as none."""
    try:
        with safe_open(unfinished, framework="pt") as file:
            noted = json.loads((file.metadata() or {}).get("facts", "{}"))
    except (SafetensorError, OSError, ValueError):
        return
    if differing := changes(noted, facts):
        raise RunError(
            f"{unfinished.parent} holds a fit that was begun with {differing}; go on with that, or name another folder "
            "with --out"
        )


def _check_variety(found: SavedGenerator, train: Samples, seed: int) -> None:
    """Raise `Collapsed` where the samples of a class are all alike."""
    for kind, name in enumerate(found.about.classes):
        rows = np.flatnonzero(train.labels == kind)[:_LOOKED_AT]
        made = found.sample(np.full(len(rows), kind), seed)
        spread = [np.std(inputs.astype(np.float64), axis=0).mean() for inputs in (made, train.inputs.take(rows))]
        if spread[0] < _COLLAPSED * spread[1]:
            raise Collapsed(
                f"the generator has collapsed: its samples of class {name!r} differ by "
                f"{100 * spread[0] / spread[1]:.0f} % of what the real ones differ by; try another --seed, more "
                "--steps, or the kind pca"
            )


def _card(about: About) -> str:
    source = f", adapted from one of data {about.adapted_from}" if about.adapted_from else ""
    return (
        "---\nlibrary_name: autoaug\ntags: [sample-generation]\nlicense: unknown\n---\n\n"
        f"# A generator ({about.kind})\n\n"
        f"- Makes samples of {about.shape[0]} x {about.shape[1]} x {about.shape[2]} (channels, height, width) of "
        f"{len(about.classes)} classes.\n- Fitted on {about.inputs} training samples, with fingerprint "
        f"{about.fingerprint}{source}; seed {about.seed}, {about.steps} steps, {about.seconds:.0f} s.\n- It can "
        "repeat what it was trained on: pass its samples through the gate (`autoaug generate sample`).\n\nThe data's "
        "license is not known to autoaug: fill in `license` above before you share this.\n"
    )
