"""Data whose validation and test images follow a shift that the training images lack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

#: So many of the test images become the validation split, and so many of the rest, at most, the test split.
VALIDATION, TEST = 500, 4000

#: Arrays by name.
Arrays = dict[str, Any]


def planted(data: Path, seed: int, shift: Callable[[np.ndarray, int], np.ndarray]) -> Arrays:
    """The arrays of the ``.npz`` file `data` with planted splits.

    Args:
        data: has ``x_train``, ``y_train``, ``x_test`` and ``y_test``; images are uint8 ``[n, H, W, C]``.
        seed: of which test images go to which split.
        shift: called with images and the number of their split, 0 for validation and 1 for test; returns as many.
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
