"""Cheap, fixed features of images, which need no training."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, interpolate, pad

_FILTERS = 16
_BINS = 8
#: Values are clamped to this before taking a root, whose gradient is unbounded at 0.
_TINY = 1e-8
#: The side in pixels to which larger images are reduced to detect copies.
_SIDE = 16


def features(images: Tensor) -> list[Tensor]:
    """Blocks of features ``[n, d]`` of ``images [n, C, H, W]`` in [0, 1]: coarse pixels, pooled responses of fixed
    random filters, edges, histograms, extremes, and fine residuals, which distinguish noise from blur.
    """
    n, (height, width) = len(images), images.shape[-2:]
    if 1 in (height, width):  # a single row or column is its own neighbor
        images = pad(images, (0, int(width == 1), 0, int(height == 1)), mode="replicate")
    gray = images.mean(1, keepdim=True)
    responses = conv2d(_padded(gray, 2), _filters().to(gray), stride=2).abs()
    right, down = (gray[..., 1:] - gray[..., :-1]).abs(), (gray[..., 1:, :] - gray[..., :-1, :]).abs()
    smooth = avg_pool2d(_padded(gray, 1), 3, 1)
    residual = (gray - smooth).abs().flatten(1)
    flat = images.flatten(2)
    some = images[..., ::2, ::2].flatten(2)
    histogram = [(1 - (some - k / (_BINS - 1)).abs() * (_BINS - 1)).clamp(min=0).mean(2) for k in range(_BINS)]
    extremes = [flat.amin(2), flat.amax(2), flat.mean(2), _deviation(flat)]
    if images.shape[1] > 1:
        extremes.append((flat - flat.mean(1, keepdim=True)).abs().mean(2))
    return [
        adaptive_avg_pool2d(images, 7).reshape(n, -1),
        adaptive_avg_pool2d(responses, 4).reshape(n, -1),
        torch.cat([adaptive_avg_pool2d(right, 4), adaptive_avg_pool2d(down, 4)], 1).reshape(n, -1),
        torch.cat(histogram, 1),
        torch.cat(extremes, 1),
        torch.stack([residual.mean(1), _deviation(residual), residual.clamp(min=_TINY).sqrt().mean(1)], 1),
    ]


def _deviation(values: Tensor) -> Tensor:
    """The standard deviation over the last dimension; many times as fast as `Tensor.std`."""
    return (values.square().mean(-1) - values.mean(-1).square()).clamp(min=_TINY).sqrt()


def _padded(images: Tensor, by: int) -> Tensor:
    return pad(images, (by, by, by, by), mode="replicate")


@cache
def _filters() -> Tensor:
    drawn = torch.randn(_FILTERS, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    centered = drawn - drawn.mean((2, 3), keepdim=True)
    return centered / centered.square().sum((1, 2, 3), keepdim=True).sqrt()


def copy_vectors(images: np.ndarray) -> np.ndarray:
    """Vectors ``[n, d]`` of uint8 ``[n, C, H, W]``, whose distances distinguish copies from new images: the pixels,
    with larger images reduced to `_SIDE` pixels per side.
    """
    pixels = torch.from_numpy(images).float() / 255
    if min(pixels.shape[-2:]) > _SIDE:
        pixels = adaptive_avg_pool2d(pixels, _SIDE)
    return pixels.flatten(1).numpy()


def roughness(images: np.ndarray) -> np.ndarray:
    """The mean absolute difference ``[n]`` of neighboring pixels of uint8 ``images [n, C, H, W]``, in [0, 255]: their
    anisotropic total variation (Rudin et al., 1992) per pixel. It is high for noise, whose `copy_vectors` are only a
    gray, near to those of many photographs. Of a single row or column, there are differences in one direction only.
    """
    pixels, mean = images.astype(np.int16), np.zeros(len(images))
    for axis in (2, 3):
        if pixels.shape[axis] > 1:
            mean += np.abs(np.diff(pixels, axis=axis)).mean((1, 2, 3)) / 2
    return mean


def shrunk(stored: np.ndarray, side: int) -> np.ndarray:
    """Images uint8 ``[n, C, H, W]`` at `side` x `side` pixels."""
    values = torch.from_numpy(np.ascontiguousarray(stored)).float()
    small = interpolate(values, (side, side), mode="bilinear", antialias=True)
    pixels: np.ndarray = small.round().clamp(0, 255).to(torch.uint8).numpy()
    return pixels
