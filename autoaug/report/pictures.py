"""Samples as a page shows them, from the files of pictures that a run keeps; their modality draws them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from autoaug.errors import RunError, first_line, typed_line
from autoaug.modalities.base import Pictures

#: What stands in the files of pictures: see `autoaug.pipeline.pictures`, and `read_pictures` for the form.
_GALLERY = {
    "originals": "N...",
    "augmented": "DN...",
    "captions": "DN",
    "classes": "N",
    "strips": "?sM...",
    "strip_captions": "?sM",
    "operators": "?s",
}
_CAPTIONED = {"samples": "n...", "captions": "n", "fixed": "n"}
#: Arrays that were called otherwise in files of older versions.
_RENAMED = {"images": "samples"}
#: What ends the form of an array of samples.
_SAMPLES = "..."


class Picture(NamedTuple):
    """A sample as HTML, with its caption."""

    html: Markup
    caption: str


class PicturedSample(NamedTuple):
    """A training sample: as it is, and each time that it went through a policy."""

    original: Picture
    augmented: list[Picture]


class OperatorRange(NamedTuple):
    """One sample through an operator alone, from its lowest magnitude to its highest."""

    operator: str
    pictures: list[Picture]


class PolicyView(NamedTuple):
    """A policy in pictures: samples through it, and each of its operators over its range."""

    samples: list[PicturedSample]
    operators: list[OperatorRange]


def read_gallery(path: Path, pictures: Pictures) -> PolicyView | None:
    """A policy in pictures; None where there is no file. Raises `RunError` where it is damaged."""
    if not path.is_file():
        return None
    found = read_pictures(path, _GALLERY)
    try:
        originals = draw(pictures, found["originals"], found["classes"], "A training sample of class ")
        augmented = [
            draw(pictures, samples, captions)
            for samples, captions in zip(found["augmented"], found["captions"], strict=True)
        ]
        samples = [PicturedSample(original, [*drawn]) for original, *drawn in zip(originals, *augmented, strict=True)]
        rows = zip(*(found.get(name, ()) for name in ("operators", "strips", "strip_captions")), strict=True)
        return PolicyView(samples, [_operator_range(pictures, str(name), *row) for name, *row in rows])
    except ValueError as fault:
        raise _damaged(path, first_line(fault)) from None


def read_captioned(path: Path, pictures: Pictures, before: str = "") -> tuple[list[Picture], list[Picture]]:
    """The pictures of a file in two groups: of test samples, what a policy set right and what it broke. Alternative
    texts begin with the words `before` the caption. Raises `RunError` where the file is damaged.
    """
    if not path.is_file():
        return [], []
    found = read_pictures(path, _CAPTIONED)
    try:
        drawn = draw(pictures, found["samples"], found["captions"], before)
    except ValueError as fault:
        raise _damaged(path, first_line(fault)) from None
    fixed = [bool(is_fixed) for is_fixed in found["fixed"]]
    right, broken = ([p for p, f in zip(drawn, fixed, strict=True) if f == side] for side in (True, False))
    return right, broken


def draw(pictures: Pictures, samples: np.ndarray, captions: Iterable[str], before: str = "") -> list[Picture]:
    """Samples ``[n, ...]`` with their captions; raises ValueError where they are none of the modality's."""
    return [
        Picture(Markup(pictures.html(sample, before + str(caption))), str(caption))  # noqa: S704 (the modality escapes)
        for sample, caption in zip(samples, captions, strict=True)
    ]


def _operator_range(pictures: Pictures, name: str, samples: np.ndarray, captions: np.ndarray) -> OperatorRange:
    """The pictures under their magnitudes; one where the policy draws no other."""
    magnitudes = [str(caption).removeprefix(name).strip() for caption in captions]
    shown = 1 if len(set(magnitudes)) == 1 else len(magnitudes)
    drawn = draw(pictures, samples[:shown], captions[:shown])
    return OperatorRange(name, [Picture(p.html, words) for p, words in zip(drawn, magnitudes, strict=False)])


def read_pictures(path: Path, forms: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` of pictures.

    Args:
        path: of the file.
        forms: for each array what its dimensions are, a letter each, such as ``"DN"``: equal letters are equal sizes,
            and capitals at least 1. ``"N..."`` are samples, ``...`` their own dimensions: numbers of one type and shape
            in all arrays. The arrays with a ``?`` before may lack together.

    Raises:
        RunError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {_RENAMED.get(name, name): name for name in file.files}
            has_all = all(name in stored for name in forms)
            found = {name: file[stored[name]] for name, form in forms.items() if has_all or form[0] != "?"}
        _check_forms(found, forms)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as fault:
        reason = first_line(fault)
    except (MemoryError, NotImplementedError, RuntimeError, TypeError, AttributeError) as fault:
        # A header that claims more than there is, an encrypted file, one that is no .npz.
        reason = typed_line(fault)
    else:
        return found
    raise _damaged(path, reason)


def _damaged(path: Path, reason: str) -> RunError:
    return RunError(f"{path} is damaged ({reason}); delete it, and the report is written without these pictures")


def _check_forms(found: Mapping[str, np.ndarray], forms: Mapping[str, str]) -> None:
    """Raise `ValueError` where an array is not of its form."""
    sizes: dict[str, int] = {}
    samples = ""
    for name, array in found.items():
        form = forms[name].lstrip("?")
        letters = form.removesuffix(_SAMPLES)
        has_samples = form != letters
        own = array.shape[len(letters) :]
        if array.ndim < len(letters) or bool(own) != has_samples:
            raise ValueError(f"{name} has {array.ndim} dimensions, not {'more than ' * has_samples}{len(letters)}")
        for letter, size in zip(letters, array.shape, strict=False):
            if letter.isupper() and not size:
                raise ValueError(f"{name} is empty")
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"{name} has {size} entries where another array has {sizes[letter]}")
        if has_samples:
            words = f"{array.dtype} {list(own)}"
            if array.dtype.kind not in "biuf" or not all(own):
                raise ValueError(f"{name} holds {words}, which are no samples")
            if words != (samples := samples or words):
                raise ValueError(f"{name} holds samples of {words}, another array of {samples}")
