"""The forms of labels: a class per sample (int64 ``[n]``), several labels per sample (bool ``[n, labels]``), numbers
(float32 ``[n, numbers]``), texts (int32 ``[n, length]``; see `autoaug.data.texts`), or texts with their translations
(int32 ``[n, 2, length]``). The form tells what is predicted. They are parsed from the cells of tables and from arrays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from numbers import Integral
from typing import Literal

import numpy as np

from autoaug.data.texts import decode_texts, text_lengths
from autoaug.errors import DataError

#: What is predicted, by the form of the labels.
Kind = Literal["classification", "multi-label", "regression", "transcription", "translation"]
#: What is predicted as text, which `Source.classes` are the characters or pieces of.
TEXTS: tuple[Kind, ...] = ("transcription", "translation")

#: A label that is a number.
DECIMAL = re.compile(r"[-+]?\d*\.?\d+(e[-+]?\d+)?", re.IGNORECASE)
#: Labels that are decimal numbers are no classes if there are fewer samples of each than this, on average.
_REPEATED = 4
#: Numbers and lengths of texts are divided into at most so many strata, and none is smaller than that many samples.
_BINS, _LEAST = 10, 8
#: The most that numbers may be rounded as float32, as a share of their range.
_MOST_ROUNDED = 1e-3


def kind_of(labels: np.ndarray) -> Kind:
    """What is predicted, if these are labels."""
    if labels.ndim == 1:
        return "classification"
    if labels.dtype == bool:
        return "multi-label"
    if labels.dtype.kind == "f":
        return "regression"
    return "translation" if labels.ndim == 3 else "transcription"


def target_texts(labels: np.ndarray) -> np.ndarray:
    """The texts to predict, int32 ``[n, length]``, if these are labels of `TEXTS`: of translations, the second ones."""
    return labels[:, 1] if labels.ndim == 3 else labels


def members(labels: np.ndarray, number: int) -> np.ndarray:
    """Which samples ``[n]`` are of that class, or have that label. Each sample has all numbers, and a text."""
    if labels.ndim == 1:
        own: np.ndarray = labels == number
        return own
    return labels[:, number] if labels.dtype == bool else np.ones(len(labels), bool)


def counts_of(labels: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The number of samples ``[names]`` that are of each class, or have each label or number, or a text."""
    return np.array([members(labels, number).sum() for number in range(len(names))], np.int64)


def absent(labels: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The indices of the classes or labels without a sample."""
    missing: np.ndarray = np.flatnonzero(counts_of(labels, names) == 0)
    return missing


def strata_of(labels: np.ndarray) -> np.ndarray:
    """The stratum ``[n]`` of each sample, int64: its class; its combination of labels, or, if few samples share it, the
    rarest of these, which a part of the data is most likely to lack (Sechidis et al., 2011); or the decile of its first
    number, or of the length of its text. Small strata of all but classes are joined with the largest.
    """
    if labels.ndim == 1:
        return labels
    if labels.dtype == bool:
        _, combination, alike = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
        rarity = np.where(labels, labels.sum(0), len(labels) + 1)
        rarest = np.where(labels.any(1), rarity.argmin(1), labels.shape[1])
        common = alike[combination] >= _LEAST
        strata = np.unique(np.where(common, labels.shape[1] + 1 + combination, rarest), return_inverse=True)[1]
    else:
        numbers = labels[:, 0] if labels.dtype.kind == "f" else text_lengths(target_texts(labels))
        edges = np.quantile(numbers, np.linspace(0, 1, min(_BINS, max(1, len(labels) // _LEAST)) + 1)[1:-1])
        strata = np.searchsorted(edges, numbers, side="right")
    sizes = np.bincount(strata)
    joined: np.ndarray = np.where(sizes[strata] < _LEAST, sizes.argmax(), strata).astype(np.int64)
    return joined


def format_label(label: np.ndarray, names: Sequence[str]) -> str:
    """The label of a sample as text: its class, its labels, its numbers, its text, or its text with the translation."""
    if label.ndim == 0:
        return names[int(label)]
    if label.dtype == bool:
        return ", ".join(name for name, has in zip(names, label.tolist(), strict=True) if has) or "no label"
    if label.dtype.kind == "i":
        return " → ".join(decode_texts(np.atleast_2d(label)))
    if len(names) == 1:
        return f"{label[0]:.4g}"
    return ", ".join(f"{name} {value:.4g}" for name, value in zip(names, label.tolist(), strict=True))


def require_classes(labels: np.ndarray, what: str) -> None:
    """Raise `DataError` unless these labels are classes, which is what `what` needs."""
    kind = kind_of(labels)
    if kind != "classification":
        raise DataError(f"{what} needs one class per sample, and these data are for {kind}")


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
    return [array.astype(bool) for array in values] if is_binary else as_numbers(values, where), columns


def as_numbers(values: Sequence[np.ndarray], where: str) -> list[np.ndarray]:
    """The numbers ``[n, numbers]`` of each part as float32.

    Raises:
        DataError: these would be rounded by more than a thousandth of their range, as seconds since 1970 are.
    """
    every = np.concatenate(values).astype(np.float64)
    widths, rounded = np.ptp(every, axis=0), np.abs(every - every.astype(np.float32)).max(0)
    coarse = np.flatnonzero((widths > 0) & (rounded > _MOST_ROUNDED * widths))
    if len(coarse):
        low, width = every.min(0)[coarse[0]], widths[coarse[0]]
        raise DataError(
            f"{where}: numbers from {low:.12g} to {low + width:.12g} lie too close together for float32, which has "
            "seven digits; subtract the least from all"
        )
    return [array.astype(np.float32) for array in values]


def parse_labels(texts: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels that are joined by semicolons as bool ``[n, labels]``, with the sorted names. No text is no label."""
    parted = [{name.strip() for name in text.split(";") if name.strip()} for text in texts]
    names = tuple(sorted(set().union(*parted)))
    return np.array([[name in own for name in names] for own in parted], bool).reshape(len(texts), len(names)), names
