"""Run the operations of one image: warps are carried to the end of their run, and curves are joined to one table."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import cv2
import numpy as np

from autoaug.modalities.arrays import DrawnOperation
from autoaug.modalities.image.arrays.curves import CURVES, LEVELS, Values
from autoaug.modalities.image.arrays.maps import IDENTITY, MAPS, Map, compose
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
        elif name in CURVES:
            image, map_ = _moved(image, map_), IDENTITY
            before = table if table is LEVELS else np.minimum(np.maximum(table, 0), 1)
            table = CURVES[name](Values(image, before), value, uniforms)
        else:
            image = OPERATIONS[name](_moved(_mapped(image, table), map_), value, uniforms)
            map_, table = IDENTITY, LEVELS
    image = _moved(_mapped(image, table), map_)
    return image.copy() if image is sample else image


def _mapped(image: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The image with its values mapped by the table, which is clipped to [0, 1] and rounded to levels as by torch."""
    if table is LEVELS:
        return image
    levels = cv2.convertScaleAbs(table, None, 255)
    return cv2.LUT(image, levels if len(levels) == 1 else cv2.transpose(levels).reshape(1, 256, -1))


def _moved(image: np.ndarray, map_: Map) -> np.ndarray:
    """The image with its pixels moved by the map."""
    return image if map_ is IDENTITY else warped(image, map_)
