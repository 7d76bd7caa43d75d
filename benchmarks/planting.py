"""Data with a shift in the validation and test images that the training images lack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

#: The number of test images that become the validation split, and the most of the rest that become the test split.
VALIDATION, TEST = 500, 4000

#: Arrays by name.
Arrays = dict[str, Any]


def planted(data: Path, seed: int, shift: Callable[[np.ndarray, int], np.ndarray]) -> Arrays:
    """The arrays of the ``.npz`` file `data` with planted splits.

    Args:
        data: has ``x_train``, ``y_train``, ``x_test`` and ``y_test``; images are uint8 ``[n, H, W, C]``.
        seed: of the division of the test images into the splits.
        shift: called with the images of a split and its number (0 for validation, 1 for test); returns shifted images.
    """
    with np.load(data, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    images, labels = arrays["x_test"], arrays["y_test"]
    if len(images) <= VALIDATION:
        raise SystemExit(f"error: {data} has {len(images)} test images; planting a shift takes more than {VALIDATION}")
    order = np.random.default_rng(seed).permutation(len(images))
    parts = {"val": order[:VALIDATION], "test": order[VALIDATION : VALIDATION + TEST]}
    for number, (part, rows) in enumerate(parts.items()):
        arrays[f"x_{part}"], arrays[f"y_{part}"] = shift(images[rows], number), labels[rows]
    return arrays
