"""A data set as given: parts with roles, samples that are not loaded yet, integer labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from autoaug.data.inputs import Inputs
from autoaug.data.labels import TEXTS, kind_of
from autoaug.errors import DataError
from autoaug.modalities.registry import get_modality
from autoaug.utils.files import is_text

Role = Literal["train", "validation", "test"]

#: The names of the roles in folders, arrays and manifests, in lower case.
ROLE_NAMES: dict[str, Role] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, eq=False)
class Part:
    """The samples of one role.

    Attributes:
        inputs: the samples.
        labels: class indices, int64 ``[n]``, or labels of another form; see `autoaug.data.labels`.
        groups: names ``[n]`` of groups that must stay together, or None.
        names: the name of each sample in messages.
        augmented: bool ``[n]``, whether a sample is an augmented copy made by `autoaug expand`; None if none is.
    """

    inputs: Inputs
    labels: np.ndarray
    groups: np.ndarray | None
    names: tuple[str, ...]
    augmented: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def group_of(self, row: int) -> str:
        """The group that a sample and its copies share: its own group, or else its name."""
        return self.names[row] if self.groups is None else str(self.groups[row])

    @property
    def originals(self) -> np.ndarray:
        """The rows of the samples that are not augmented copies, ascending."""
        return np.arange(len(self)) if self.augmented is None else np.flatnonzero(~self.augmented)


@dataclass(frozen=True, eq=False)
class Source:
    """A data set as given.

    Attributes:
        name: its name.
        classes: class names, which labels index; or the names of the columns of labels of another form; or the
            characters of the training texts, or the pieces of words that their translations are made of.
        parts: the parts by role, at least ``train``.
        unreadable: files that could not be read, each with the cause.
        forms: counts of samples by form, for each property such as the shape.
        rule: how samples were brought to one form, as text; empty if they already had one.
        left_out: what is next to the samples but was not used, as text.
        assumed: assumptions made because of unclear names, as text.
        empty: classes that were listed but have no readable sample.
        unusual: what is readable but hardly meant, such as blank samples, as text.
        modality: the name of the modality.
        lacking: the operators that have nothing to work with on these data, each with what to do.
        scale: how stored values were scaled, for a reader of other files; in the modality's own terms.

    Raises:
        DataError: a class name looks like another, is empty, or cannot be encoded.
    """

    name: str
    classes: tuple[str, ...]
    parts: dict[Role, Part]
    unreadable: tuple[str, ...] = ()
    forms: dict[str, dict[str, int]] = field(default_factory=dict)
    rule: str = ""
    left_out: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    unusual: tuple[str, ...] = ()
    modality: str = field(default_factory=lambda: get_modality().name)
    lacking: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if kind_of(self.parts["train"].labels) not in TEXTS:
            _check_class_names(self.name, self.classes)


def _check_class_names(where: str, classes: Sequence[str]) -> None:
    alike: dict[str, str] = {}
    for name in classes:
        if not is_text(name):
            raise DataError(f"{where}: the name of class {name!r} is not UTF-8 text; rename it")
        plain = unicodedata.normalize("NFC", name).strip()
        if not plain:
            raise DataError(f"{where}: the name of class {name!r} is empty; give it one")
        if plain in alike:
            raise DataError(f"{where}: classes {alike[plain]!r} and {name!r} look the same; merge or rename them")
        alike[plain] = name
