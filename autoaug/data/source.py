"""A data set as it is found: parts with given roles, images that are still where they lie, integer labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from autoaug.data.images import Images
from autoaug.errors import DataError

Role = Literal["train", "validation", "test"]

#: The names under which folders and manifests give the parts.
ROLE_NAMES: dict[str, Role] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


@dataclass(frozen=True, eq=False)
class Part:
    """The images of one given role.

    Attributes:
        images: where they lie.
        labels: int64 ``[n]`` indices into the source's classes.
        groups: ``[n]`` names of groups that must stay together, or None.
        names: what to call each image in a message.
    """

    images: Images
    labels: np.ndarray
    groups: np.ndarray | None
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Source:
    """A data set as found.

    Attributes:
        name: what to call it.
        classes: class names; labels index them.
        parts: at least ``train``.
        unreadable: files that could not be read, each with the cause.
        sizes: how often each (height, width) occurs.
        modes: how often each colour mode occurs.
        rule: how images became one shape, in words; empty where they were already.
    """

    name: str
    classes: tuple[str, ...]
    parts: dict[Role, Part]
    unreadable: tuple[str, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    rule: str = ""


def index_labels(
    values: list[np.ndarray], class_names: list[str] | None, where: str
) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Labels of several parts as int64 indices, with the class names.

    Integers index `class_names` where those are given; otherwise the sorted distinct values name the classes.

    Raises:
        DataError: labels are neither integers nor text, or are out of range.
    """
    for array in values:
        if array.ndim != 1 or array.dtype.kind not in "iuUS":
            raise DataError(
                f"{where}: labels must be a vector of integers or text, not {array.dtype} {list(array.shape)}"
            )
    if class_names is not None and all(array.dtype.kind in "iu" for array in values):
        for array in values:
            wrong = array[(array < 0) | (array >= len(class_names))]
            if len(wrong):
                raise DataError(
                    f"{where}: label {wrong[0]} is out of range; with {len(class_names)} class_names labels go from 0 "
                    f"to {len(class_names) - 1}"
                )
        return [array.astype(np.int64) for array in values], tuple(class_names)
    negative = [array[array < 0] for array in values if array.dtype.kind == "i" and (array < 0).any()]
    if negative:
        raise DataError(f"{where}: label {negative[0][0]} is out of range; labels count from 0")
    known = np.unique(values[0])
    for array in values[1:]:
        strange = np.setdiff1d(array, known)
        if len(strange):
            raise DataError(f"{where}: class {str(strange[0])!r} is not in the training part; remove it or add samples")
    return [np.searchsorted(known, array).astype(np.int64) for array in values], tuple(str(v) for v in known)
