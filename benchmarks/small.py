"""Copies of data sets at the size that the benchmarks train at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import interpolate

SIZE, MOST_TEST = 32, 2000


def small_copy(data: str, folder: Path) -> str:
    """A copy of an .npz of images in `folder`: at `SIZE` pixels where they are larger, with `MOST_TEST` test samples at
    most. A data set that is not an .npz stays as it is.
    """
    path = Path(data)
    if path.suffix != ".npz":
        return data
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    kept = np.linspace(0, len(arrays["y_test"]) - 1, min(MOST_TEST, len(arrays["y_test"]))).round().astype(int)
    for name in {"x_test", "y_test", "g_test"} & arrays.keys():
        arrays[name] = arrays[name][kept]
    for name in ("x_train", "x_test"):
        images = arrays[name] if arrays[name].ndim == 4 else arrays[name][..., None]
        arrays[name] = _resized(images) if max(images.shape[1:3]) > SIZE else images
    copy = folder / path.name
    np.savez(copy, **arrays)
    return str(copy)


def _resized(images: np.ndarray) -> np.ndarray:
    """Images ``uint8 [n, H, W, C]`` at `SIZE` pixels, averaged over areas."""
    values = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    small = interpolate(values, (SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False)
    resized: np.ndarray = small.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return resized
