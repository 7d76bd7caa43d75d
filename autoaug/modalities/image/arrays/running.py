"""Run the operations of one image: warps are carried to the end of their run, and curves are joined to one table."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import cv2
import numpy as np

from autoaug.modalities.arrays import DrawnOperation
from autoaug.modalities.image.arrays.curves import CURVES, LEVELS, as_bytes
from autoaug.modalities.image.arrays.maps import IDENTITY, MAPS, compose
from autoaug.modalities.image.arrays.neighborhoods import OPERATIONS
from autoaug.modalities.image.arrays.resampling import warped

operators: Collection[str] = frozenset({*MAPS, *CURVES, *OPERATIONS})


def run(sample: np.ndarray, operations: Iterable[DrawnOperation]) -> np.ndarray:
    """A new image with the operations applied to ``sample [H, W]`` or ``[H, W, C]``; see `ArrayEngine.run`."""
    image, size = sample, (sample.shape[0], sample.shape[1])
    map_, table = IDENTITY, LEVELS  # what is still to be done; at most one of them is not the identity
    for name, value, uniforms in operations:
        if name in MAPS:
            image, table = _mapped(image, table), LEVELS
            own = MAPS[name](value, uniforms, size)
            map_ = own if map_ is IDENTITY else compose(map_, own)
            continue
        if map_ is not IDENTITY:
            image, map_ = warped(image, map_), IDENTITY
        if name in CURVES:
            before = table if table is LEVELS else np.minimum(np.maximum(table, 0), 1)
            table = CURVES[name](before, value, uniforms, image)
        else:
            image = OPERATIONS[name](_mapped(image, table), value, uniforms)
            table = LEVELS
    image = _mapped(image, table)
    if map_ is not IDENTITY:
        image = warped(image, map_)
    return image.copy() if image is sample else image


def _mapped(image: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The image with its values mapped by the table."""
    return image if table is LEVELS else cv2.LUT(image, as_bytes(table))
