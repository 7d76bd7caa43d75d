"""A generator as a folder: weights in safetensors, a description in JSON, and a card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from autoaug.data.splits import DataSet
from autoaug.errors import DataError, RunError, UnknownName, first_line
from autoaug.modalities.generators import Generator
from autoaug.modalities.registry import get_modality
from autoaug.utils.files import regular_file, write_atomically
from autoaug.utils.json import read_record
from autoaug.utils.locks import LOCK
from autoaug.utils.quantities import counted

_WEIGHTS, _ABOUT = "generator.safetensors", "generator.json"
#: The state of an interrupted fit.
UNFINISHED = "unfinished.safetensors"

Size = Annotated[int, Field(ge=1, lt=2**31)]


class About(BaseModel):
    """The description of a generator.

    Attributes:
        modality: the name of the modality of its samples.
        kind: the name of one of the modality's generators.
        shape: the shape of a sample.
        classes: the class names.
        fingerprint: the fingerprint of the training split.
        data: the location of the data.
        size, resize: how samples in files are brought to one size; see `autoaug.modalities.base.Reading`.
        inputs: the number of training samples.
        seed: the seed of the fit and of the split.
        steps, seconds: the cost of the fit.
        adapted_from: the fingerprint of the training split of the generator that it started from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    modality: str = Field(default_factory=lambda: get_modality().name)
    kind: str
    shape: Annotated[tuple[Size, ...], Field(min_length=1)]
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    fingerprint: str
    data: str = ""
    size: tuple[Size, ...] = ()
    resize: Literal["crop", "letterbox", "squash"] = "crop"
    inputs: Size
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    steps: Annotated[int, Field(ge=0, lt=2**63)] = 0
    seconds: float = 0.0
    adapted_from: str | None = None

    def where(self) -> str:
        """The location of the data; raises `RunError` if it is unknown or no longer exists."""
        if not self.data:
            raise RunError("this generator has no record of its data: name the data after it")
        if Path(self.data).is_absolute() and not Path(self.data).exists():
            raise RunError(f"the generator was fitted on {self.data}, which no longer exists: name the data after it")
        return self.data


def generator_kind(kind: str, modality: str) -> Generator:
    """The generator of that kind; raises `UnknownName` if the modality with that name has none."""
    kinds = get_modality(modality).generators
    if kind not in kinds:
        raise UnknownName(f"kind of generator for the modality {modality!r}", kind, kinds)
    return kinds[kind]


@dataclass(frozen=True, eq=False)
class SavedGenerator:
    """A fitted generator: its description and its weights."""

    about: About
    tensors: Mapping[str, Tensor]

    def sample(self, labels: np.ndarray, seed: int, device: str = "cpu") -> np.ndarray:
        """Generate a sample in storage format for each of ``labels [n]``; the same seed gives the same samples."""
        kind = generator_kind(self.about.kind, self.about.modality)
        return kind.sample(self.tensors, labels, seed, device)

    def check_fits(self, data: DataSet, allow: bool) -> None:
        """Raise `DataError` if its samples have another modality, shape or other classes than the data, or if it was
        fitted to another training split and that is not allowed.
        """
        own, shape, fingerprint = self.about, data.train.inputs.shape, data.train_fingerprint
        if (own.modality, own.shape) != (data.modality, shape):
            makes, has = (f"shape {list(s)} ({m})" for m, s in ((own.modality, own.shape), (data.modality, shape)))
            raise DataError(f"the generator makes samples of {makes}, but the data has {has}; fit one on this data")
        if own.classes != data.classes:
            raise DataError(f"the generator has the classes {own.classes}, but the data has {data.classes}")
        if own.fingerprint != fingerprint and not allow:
            raise DataError(
                f"the generator was fitted on other samples (fingerprint {own.fingerprint}, here {fingerprint}): other "
                f"data, or another --seed (its own is {own.seed}), so that its training samples may be held out here; "
                "fit one on this split, or pass --allow generator"
            )

    def save(self, folder: Path) -> None:
        """Write the folder. The description comes last, so that a folder that has it is complete."""
        write_atomically(folder / _WEIGHTS, save(dict(self.tensors)))
        write_atomically(folder / "README.md", _card(self.about))
        write_atomically(folder / _ABOUT, self.about.model_dump_json(indent=2))
        (folder / UNFINISHED).unlink(missing_ok=True)


def load_generator(folder: Path) -> SavedGenerator:
    """Load the generator in a folder; raises `RunError` if there is none, or it is damaged or of an unknown kind."""
    path = folder / _ABOUT
    if not path.is_file():
        raise RunError(f"{folder} is not a generator: it has no {_ABOUT}; make one with autoaug generate fit")
    about = read_record(path, About, RunError, cure="fit the generator again")
    try:
        kind = generator_kind(about.kind, about.modality)
    except UnknownName as fault:
        raise RunError(f"{path} is damaged, or from a newer version: {fault}") from None
    try:
        saved = SavedGenerator(about, load_file(regular_file(folder / _WEIGHTS)))
        kind.check(saved.tensors, about.shape, len(about.classes))
        saved.sample(np.zeros(1, np.int64), 0)
    except (SafetensorError, OSError, RuntimeError) as fault:
        reason = first_line(fault)
        raise RunError(f"{folder / _WEIGHTS} is damaged, or belongs to another network ({reason})") from None
    return saved


def generator_digest(folder: Path) -> str:
    """A fingerprint of the weights of the generator in a folder."""
    load_generator(folder)
    return hashlib.sha256((folder / _WEIGHTS).read_bytes()).hexdigest()[:12]


def check_free(folder: Path) -> None:
    """Raise `RunError` if `folder` holds anything but an interrupted fit."""
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    begun = {UNFINISHED, _WEIGHTS} & names
    shown = {name for name in names if name.startswith("samples.")}
    own = {UNFINISHED, _WEIGHTS, "README.md", *shown} if begun else set()
    crashed = {name for name in names if name == LOCK or (name.startswith(".") and name.endswith(".unfinished"))}
    if names - own - crashed - ({_ABOUT} if UNFINISHED in names else set()):
        raise RunError(f"{folder} already holds other files; choose another folder with --out")


def _card(about: About) -> str:
    source = f", adapted from one of data {about.adapted_from}" if about.adapted_from else ""
    return (
        "---\nlibrary_name: autoaug\ntags: [sample-generation]\nlicense: unknown\n---\n\n"
        f"# A generator ({about.kind})\n\n"
        f"- Makes samples of shape {' x '.join(map(str, about.shape))} (modality: {about.modality}) of "
        f"{counted(len(about.classes), 'class', 'classes')}.\n- Fitted on {counted(about.inputs, 'training sample')}, "
        f"with fingerprint {about.fingerprint}{source}; seed {about.seed}, {about.steps} steps, {about.seconds:.0f} "
        "s.\n- It can reproduce training samples: pass its samples through the sample filter (`autoaug generate "
        "sample`).\n\n"
        "autoaug does not know the license of the data: fill in `license` above before you share this.\n"
    )
