"""Cheap, fixed features of clips, which need no training."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from autoaug.data.inputs import spread_rows
from autoaug.modalities.image import features as of_images
from autoaug.modalities.video.clips import of_clips

#: Features of images are those of at most so many frames, and copies are recognized by them.
_FRAMES = 4


def features(clips: Tensor) -> list[Tensor]:
    """Blocks of features ``[n, d]`` of ``clips [n, T, C, H, W]`` in [0, 1]: those of images, as means over some frames,
    where and how much frames change to the next one, and how the whole changes from the beginning to the end.
    """
    frames = clips.shape[1]
    some = clips[:, spread_rows(frames, _FRAMES).tolist()]
    blocks = [of_clips(block, some.shape[1]).mean(1) for block in of_images.features(some.flatten(0, 1))]
    gray = clips.mean(2)
    change = gray.diff(dim=1) if frames > 1 else torch.zeros_like(gray)
    size = change.abs().flatten(2).mean(2)
    first, last = (adaptive_avg_pool2d(gray[:, [t]], 4).flatten(1) for t in (0, -1))
    return [
        *blocks,
        adaptive_avg_pool2d(change.abs().mean(1, keepdim=True), 4).flatten(1),
        last - first,
        torch.stack([size.mean(1), size.amax(1), size.amin(1)], 1),
    ]


def copy_vectors(stored: np.ndarray) -> np.ndarray:
    """Vectors ``[n, d]`` of uint8 ``[n, T, C, H, W]``, whose distances distinguish copies from new clips: those of
    images, of some frames.
    """
    rows = spread_rows(stored.shape[1], _FRAMES)
    return np.concatenate([of_images.copy_vectors(stored[:, row]) for row in rows], 1)


def roughness(stored: np.ndarray) -> np.ndarray:
    """How much each of uint8 ``stored [n, T, C, H, W]`` is like noise, ``[n]``: the mean of that of some frames."""
    rows = spread_rows(stored.shape[1], _FRAMES)
    mean: np.ndarray = np.mean([of_images.roughness(stored[:, row]) for row in rows], 0)
    return mean
