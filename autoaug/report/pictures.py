"""Pictures for pages, from the files of samples in a run folder; the modality renders them."""

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
from autoaug.utils.npz import array_names, read_array

#: The arrays in the files; see `autoaug.pipeline.pictures`, and `read_pictures` for the notation.
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
#: The end of the form of an array of samples.
_SAMPLES = "..."


class Picture(NamedTuple):
    """A sample as HTML, with its caption."""

    html: Markup
    caption: str


class PicturedSample(NamedTuple):
    """A training sample, and its augmented versions."""

    original: Picture
    augmented: list[Picture]


class OperatorRange(NamedTuple):
    """One sample through a single operator, from its lowest magnitude to its highest."""

    operator: str
    pictures: list[Picture]

    @property
    def is_graded(self) -> bool:
        """Whether the policy draws more than one magnitude."""
        return len(self.pictures) > 1


class PolicyView(NamedTuple):
    """Pictures of a policy: samples through it, and each of its operators over its range."""

    samples: list[PicturedSample]
    operators: list[OperatorRange]


def read_gallery(path: Path, pictures: Pictures) -> PolicyView | None:
    """Read the pictures of a policy; None if there is no file. Raises `RunError` if it is damaged."""
    if not path.is_file():
        return None
    arrays = read_pictures(path, _GALLERY)
    try:
        originals = draw(pictures, arrays["originals"], arrays["classes"], "A training sample: ")
        augmented = [
            draw(pictures, samples, captions)
            for samples, captions in zip(arrays["augmented"], arrays["captions"], strict=True)
        ]
        samples = [PicturedSample(original, [*drawn]) for original, *drawn in zip(originals, *augmented, strict=True)]
        rows = zip(*(arrays.get(name, ()) for name in ("operators", "strips", "strip_captions")), strict=True)
        return PolicyView(samples, [_operator_range(pictures, str(name), *row) for name, *row in rows])
    except ValueError as fault:
        raise _damaged(path, first_line(fault)) from None


def read_captioned(path: Path, pictures: Pictures, before: str = "") -> tuple[list[Picture], list[Picture]]:
    """Read the pictures in a file, in two groups: test samples that a policy corrected, and those that it broke. In
    alternative texts, `before` precedes the caption. Raises `RunError` if the file is damaged.
    """
    if not path.is_file():
        return [], []
    arrays = read_pictures(path, _CAPTIONED)
    try:
        drawn = draw(pictures, arrays["samples"], arrays["captions"], before)
    except ValueError as fault:
        raise _damaged(path, first_line(fault)) from None
    fixed = [bool(is_fixed) for is_fixed in arrays["fixed"]]
    right, broken = ([p for p, f in zip(drawn, fixed, strict=True) if f == side] for side in (True, False))
    return right, broken


def draw(pictures: Pictures, samples: np.ndarray, captions: Iterable[str], before: str = "") -> list[Picture]:
    """Render samples ``[n, ...]`` with their captions; raises ValueError if they are not samples of the modality."""
    return [
        Picture(Markup(pictures.html(sample, before + str(caption))), str(caption))  # noqa: S704 (the modality escapes)
        for sample, caption in zip(samples, captions, strict=True)
    ]


def _operator_range(pictures: Pictures, name: str, samples: np.ndarray, captions: np.ndarray) -> OperatorRange:
    """The pictures captioned with their magnitudes; only one if the policy draws a single magnitude."""
    magnitudes = [str(caption).removeprefix(name).strip() for caption in captions]
    shown = 1 if len(set(magnitudes)) == 1 else len(magnitudes)
    drawn = draw(pictures, samples[:shown], captions[:shown])
    return OperatorRange(name, [Picture(p.html, words) for p, words in zip(drawn, magnitudes, strict=False)])


def read_pictures(path: Path, forms: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Read the arrays of an ``.npz`` file of pictures.

    Args:
        path: the file.
        forms: the dimensions of each array, one letter each, such as ``"DN"``: equal letters are equal sizes, and sizes
            with a capital letter are at least 1. ``"N..."`` are samples, where ``...`` are the dimensions of a sample;
            they have the same type and shape in all arrays. The arrays with a leading ``?`` may all be missing.

    Raises:
        RunError: the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            stored = array_names(archive)
            has_all = all(name in stored for name in forms)
            arrays = {name: read_array(archive, name) for name, form in forms.items() if has_all or form[0] != "?"}
        _check_forms(arrays, forms)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as fault:
        reason = first_line(fault)
    except (MemoryError, NotImplementedError, RuntimeError, TypeError, AttributeError) as fault:
        # A header that claims too large a size, an encrypted file, a file that is not an .npz.
        reason = typed_line(fault)
    else:
        return arrays
    raise _damaged(path, reason)


def _damaged(path: Path, reason: str) -> RunError:
    return RunError(f"{path} is damaged ({reason}); delete it to write the report without these pictures")


def _check_forms(arrays: Mapping[str, np.ndarray], forms: Mapping[str, str]) -> None:
    """Raise `ValueError` if an array does not have its form."""
    sizes: dict[str, int] = {}
    samples = ""
    for name, array in arrays.items():
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
                raise ValueError(f"{name} holds {words}, which are not samples")
            if words != (samples := samples or words):
                raise ValueError(f"{name} holds samples of {words}, but another array holds {samples}")
