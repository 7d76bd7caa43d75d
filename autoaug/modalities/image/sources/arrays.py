"""Arrays of images, ``[N, H, W]``, ``[N, H, W, C]`` or ``[N, C, H, W]``, uint8 or floats in [0, 1]."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from autoaug.data.inputs import Convert, Inputs
from autoaug.data.layouts.arrays import array_source, converted
from autoaug.data.source import Role, Source
from autoaug.errors import DataError
from autoaug.functional.bounds import within_rounding
from autoaug.modalities.base import Reading
from autoaug.modalities.image.decoding import Resizing, how_resized

MODES = {1: "gray", 3: "RGB", 4: "RGBA"}
_CHUNK = 4096


def image_source(name: str, classes: tuple[str, ...], parts: dict[Role, tuple[Inputs, np.ndarray]]) -> Source:
    """A source from images of one shape; raises `DataError` if the numbers of images and labels differ."""
    return with_forms(array_source(name, classes, parts, noun="image"))


def with_forms(source: Source) -> Source:
    """The source with forms that describe its images: one size and one mode."""
    channels, height, width = source.parts["train"].inputs.shape
    count = sum(len(part) for part in source.parts.values())
    mode = MODES.get(channels, f"{channels} channels")
    return replace(source, forms={"sizes": {f"{height}x{width}": count}, "modes": {mode: count}})


def resized(source: Source, reading: Reading, noun: str = "image") -> Source:
    """The source with images, or frames of what `noun` says, of the last height and width in `reading`; as they are if
    it has none, or theirs.
    """
    height, width = reading.lengths[-2:] if len(reading.lengths) > 1 else reading.lengths * 2 or (0, 0)
    if (height, width) in {(0, 0), source.parts["train"].inputs.shape[-2:]}:
        return source
    rule = how_resized(reading.how, height, width, noun)
    return converted(source, Resizing(height, width, reading.how), rule)


def prepare(array: np.ndarray, where: str) -> Convert:
    """Check the array, and return a function that converts its rows to uint8 ``[n, C, H, W]``. Raises `DataError`, in
    which `where` names the array.
    """
    axis = channel_axis(array.shape, where)
    check_values(array, where)
    return partial(as_images, channel_axis=axis)


def as_images(array: np.ndarray, channel_axis: int | None) -> np.ndarray:
    """Convert to uint8 ``[n, C, H, W]``; floats in [0, 1] are rounded to 256 levels."""
    first = array[:, None] if channel_axis is None else np.moveaxis(array, channel_axis, 1)
    if first.dtype != np.uint8:
        first = (first * 255).round().clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(first)


def channel_axis(shape: tuple[int, ...], where: str) -> int | None:
    """The axis of C in ``[N, H, W, C]`` or ``[N, C, H, W]``, None for ``[N, H, W]``: the last if its size is at most 4;
    else the second if its size is at most 4; else the smaller of the two.
    """
    if len(shape) == 3:
        return None
    if len(shape) != 4:
        raise DataError(
            f"{where} must be [N, H, W], [N, H, W, C] or [N, C, H, W], not {list(shape)}; if these are no images, name "
            "what they are with --modality"
        )
    if shape[3] <= 4:
        return 3
    return 1 if shape[1] <= 4 or shape[1] < shape[3] else 3


def check_values(array: np.ndarray, where: str, noun: str = "image") -> None:
    """Raise `DataError` unless the array is uint8, or floats in [0, 1] without NaN; messages call a sample `noun`."""
    if 0 in array.shape[1:]:
        raise DataError(f"{where} has {noun}s without pixels: {list(array.shape)}")
    if array.dtype == np.uint8:
        return
    if array.dtype.kind != "f":
        raise DataError(f"{where} must be uint8, or floats in [0, 1], not {array.dtype}")
    for start in range(0, len(array), _CHUNK):
        block = array[start : start + _CHUNK]
        if not np.isfinite(block).all():
            row = start + int(np.argwhere(~np.isfinite(block))[0][0])
            raise DataError(f"{where} has NaN or infinite pixels, first in {noun} {row}; remove or repair them")
        if not within_rounding(block.min(initial=0), block.max(initial=0)):
            span = f"[{block.min():g}, {block.max():g}]"
            raise DataError(
                f"{where} has floats in {span}; scale them to [0, 1] or store uint8, or pass --modality if they are no "
                f"{noun}s"
            )
