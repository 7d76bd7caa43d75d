"""The forms of labels: a class per sample (int64 ``[n]``), several labels per sample (bool ``[n, labels]``), numbers
(float32 ``[n, numbers]``), texts (int32 ``[n, length]``; see `autoaug.data.texts`), or texts with their translations
(int32 ``[n, 2, length]``). The form tells what is predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from autoaug.data.texts import decode_texts, text_lengths
from autoaug.errors import DataError

#: What is predicted, by the form of the labels.
Kind = Literal["classification", "multi-label", "regression", "transcription", "translation"]
#: What is predicted as text, which `Source.classes` are the characters or pieces of.
TEXTS: tuple[Kind, ...] = ("transcription", "translation")

#: Numbers and lengths of texts are divided into at most so many strata, and none is smaller than that many samples.
_BINS, _LEAST = 10, 8


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
