"""A data set as given: parts with roles, samples that are not loaded yet, integer labels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Literal

import numpy as np

from autoaug.data.inputs import Inputs
from autoaug.data.labels import TEXTS, kind_of
from autoaug.errors import DataError
from autoaug.modalities.registry import get_modality
from autoaug.utils.files import is_text

#: A label that is a number.
DECIMAL = re.compile(r"[-+]?\d*\.?\d+(e[-+]?\d+)?", re.IGNORECASE)

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


def label_text(value: object, names: Sequence[str] | None, where: str) -> str:
    """The class name in a table cell: text, true or false, or a whole number from 0. If there are `names`, the number
    indexes them, and there is no true and false. Raises `DataError` for any other value.
    """
    if isinstance(value, bytes):
        value = _decoded(value, where)
    if isinstance(value, str):
        return value
    if isinstance(value, bool) and names is None:
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():  # such as 5.0 for five stars
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise DataError(f"{where}: a label is {value!r}; labels must be text, or whole numbers from 0")
    number = int(value)
    if number < 0 or (names is not None and number >= len(names)):
        raise DataError(f"{where}: label {number} is out of range; {_allowed_range(number, names)}")
    return str(number) if names is None else names[number]


def _allowed_range(label: int, names: Sequence[str] | None) -> str:
    rule = "labels start at 0" if names is None else f"labels of {len(names)} classes are from 0 to {len(names) - 1}"
    return f"{rule}; if -1 stands for no label, remove these samples" if label == -1 else rule


def _decoded(text: bytes, where: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise DataError(f"{where}: the label {text!r} is not UTF-8 text; rename that class") from None


#: Labels that are decimal numbers are no classes if there are fewer samples of each than this, on average.
_REPEATED = 4


def _check_no_numbers(labels: np.ndarray, where: str) -> None:
    """Raise `DataError` if the labels are measurements where classes are meant."""
    if labels.ndim != 1 or not len(labels):
        return
    if labels.dtype.kind == "f":
        fraction = labels[~np.equal(labels, np.floor(labels)) | ~np.isfinite(labels)]
        cure = "store them as integers, with y.astype(int)" if not len(fraction) else "give each sample a class"
        example = (fraction if len(fraction) else labels)[0]
        raise DataError(
            f"{where}: labels are {labels.dtype} numbers such as {example:g}, not classes; {cure}, or, to predict "
            "numbers, store them as a column, y[:, None]"
        )
    if labels.dtype.kind in "UO" and len(distinct := set(labels.tolist())) * _REPEATED > len(labels):
        decimals = [text for text in distinct if isinstance(text, str) and DECIMAL.fullmatch(text.strip())]
        if len(decimals) == len(distinct) and any(float(text) % 1 for text in decimals):
            raise DataError(
                f"{where}: labels are numbers such as {min(decimals)}, {len(distinct)} different ones of {len(labels)} "
                "samples, not classes; give each sample a class, or, to predict numbers, a column `number`"
            )


def index_labels(
    values: list[np.ndarray], class_names: list[str] | None, where: str
) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Labels of several parts as int64 indices, with the class names; or as columns, with their names.

    Integers index `class_names` if those are given; otherwise the sorted distinct values are the class names. Columns
    of 0 and 1 are labels of which a sample may have several; columns of other floating-point numbers are numbers.

    Raises:
        DataError: labels are neither integers nor text nor columns, or are out of range.
    """
    if all(array.ndim == 2 and array.dtype.kind in "biuf" for array in values):
        return _columns(values, class_names, where)
    for array in values:
        _check_no_numbers(array, where)
        if array.ndim != 1 or array.dtype.kind not in "iuUSO":
            raise DataError(
                f"{where}: labels must be a vector of integers or text, not {array.dtype} {list(array.shape)}"
            )
    values = [np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array for array in values]
    if class_names is not None and all(array.dtype.kind in "iu" for array in values):
        for array in values:
            wrong = array[(array < 0) | (array >= len(class_names))]
            if len(wrong):
                raise DataError(f"{where}: label {wrong[0]} is out of range; {_allowed_range(wrong[0], class_names)}")
        return [array.astype(np.int64) for array in values], tuple(class_names)
    negative = [array[array < 0][0] for array in values if array.dtype.kind == "i" and (array < 0).any()]
    if negative:
        raise DataError(f"{where}: label {negative[0]} is out of range; {_allowed_range(negative[0], None)}")
    if len({array.dtype.kind in "iu" for array in values}) > 1:
        raise DataError(f"{where}: the labels of one part are numbers, those of another are text; make them the same")
    known = np.unique(values[0])
    for array in values[1:]:
        strange = np.setdiff1d(array, known)
        if len(strange):
            raise DataError(f"{where}: class {str(strange[0])!r} is not in the training part; remove it or add samples")
    return [np.searchsorted(known, array).astype(np.int64) for array in values], tuple(str(v) for v in known)


def _columns(values: list[np.ndarray], names: list[str] | None, where: str) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Columns of labels or numbers of several parts, and their names."""
    widths = {array.shape[1] for array in values}
    if not max(widths):
        raise DataError(f"{where}: no sample has a label; give labels to some of them")
    if len(widths) > 1:
        raise DataError(f"{where}: the labels of the parts have {sorted(widths)} columns; use the same columns in each")
    width = widths.pop()
    if names is not None and len(names) != width:
        raise DataError(f"{where}: there are {len(names)} class_names for {width} columns of labels; name each column")
    every = np.concatenate(values)
    with np.errstate(over="ignore"):
        is_finite = np.isfinite(every.astype(np.float32))
    if not is_finite.all():
        raise DataError(f"{where}: a label is {every[~is_finite][0]:g}; labels must be finite numbers of float32")
    if is_binary := bool(np.isin(every, (0, 1)).all()):
        if width > 1 and (every.sum(1) == 1).all():
            raise DataError(
                f"{where}: each sample has exactly one of {width} labels, so they are classes; store "
                "y.argmax(1), or in a CSV file use the column label"
            )
    elif every.dtype.kind != "f":
        other = every[~np.isin(every, (0, 1))][0]
        raise DataError(
            f"{where}: labels have {width} columns with values such as {other}; columns are 0 and 1, for several "
            "labels, or floating-point numbers, for a regression"
        )
    columns = tuple(names or (f"label {k}" if is_binary else f"number {k}" for k in range(width)))
    return [array.astype(bool if is_binary else np.float32) for array in values], columns


def parse_labels(texts: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels that are joined by semicolons as bool ``[n, labels]``, with the sorted names. No text is no label."""
    parted = [{name.strip() for name in text.split(";") if name.strip()} for text in texts]
    names = tuple(sorted(set().union(*parted)))
    return np.array([[name in own for name in names] for own in parted], bool).reshape(len(texts), len(names)), names
