"""How an exported NumPy module checks its input, and applies its operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoaug.functional.bounds import needs_clamp
from autoaug.modalities.image.exports.arrays import warp

Array = Any


def as_floats(images: Array) -> Array:
    """Images ``[n, H, W, C]``, uint8, or floating point in [0, 1] (values outside by at most 1e-3 are clamped), as
    float32; raises ValueError for anything else.
    """
    if images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(f"images must be [B, H, W, C] with at least one pixel, not of shape {list(images.shape)}")
    if images.dtype == np.uint8:
        return images.astype("float32") / 255
    if images.dtype.kind != "f":
        raise ValueError(f"images must be floating point in [0, 1] or uint8, not {images.dtype}")
    if images.size and needs_clamp(float(images.min()), float(images.max())):
        images = np.clip(images, 0, 1)
    return images.astype("float32")


def as_type(images: Array, dtype: Any) -> Array:
    """Images in [0, 1] as `dtype`; uint8 rounds to 0 … 255."""
    return np.round(images * 255).astype(np.uint8) if dtype == np.uint8 else images.astype(dtype)


def apply_operations(images: Array, choice: Array, magnitude: Array, uniforms: Array) -> Array:
    """Apply to each of ``images [n, H, W, C]``, float32 in [0, 1], its operators in order; in every step, all images
    with the same operator are batched. Consecutive warps of an image are composed into one map and sampled once.
    """
    images = images.copy()
    maps = np.tile(np.eye(3, dtype="float32"), (len(images), 1, 1))
    moved = np.zeros(len(images), bool)
    for step in range(len(choice)):
        for index, (kind, function, limit) in enumerate(OPERATORS):
            rows = np.flatnonzero(choice[step] == index)
            if not len(rows):
                continue
            given = (magnitude[step, rows] * limit).astype("float32"), uniforms[step, rows].astype("float32")
            if kind == "warp":
                maps[rows] = maps[rows] @ function(*given, images.shape[1:3])
                moved[rows] = True
                continue
            waiting = rows[moved[rows]]
            if len(waiting):
                images[waiting] = np.clip(warp(images[waiting], maps[waiting]), 0, 1)
            images[rows] = np.clip(function(images[rows], *given), 0, 1)
            maps[rows] = np.eye(3)
            moved[rows] = False
    if moved.any():
        images[moved] = np.clip(warp(images[moved], maps[moved]), 0, 1)
    return images


#: Kind, function and value at magnitude 1 of each operator; an exported module has its own list.
OPERATORS: list[tuple[str, Callable[..., Array], float]] = []
