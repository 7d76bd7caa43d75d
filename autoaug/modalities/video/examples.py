"""Example clips to show operators on."""

from __future__ import annotations

import numpy as np

from autoaug.modalities.image.examples import examples as photographs

_FRAMES = 8


def examples() -> np.ndarray:
    """A pan to the right and a zoom over the example photographs; uint8 ``[2, 8, 3, H, W]``."""
    first, second = photographs()[:2]
    height, width = first.shape[1:]
    rows, columns = np.arange(3 * height // 4), np.arange(3 * width // 4)
    pan = [first[:, height // 8 + rows[:, None], columns + width // 4 * t // (_FRAMES - 1)] for t in range(_FRAMES)]
    zoom = []
    for t in range(_FRAMES):
        share = 1 - 0.5 * t / (_FRAMES - 1)
        y = ((rows - rows.mean()) * share + (height - 1) / 2).round().astype(int)
        x = ((columns - columns.mean()) * share + (width - 1) / 2).round().astype(int)
        zoom.append(second[:, y[:, None], x])
    return np.stack([np.stack(pan), np.stack(zoom)])
