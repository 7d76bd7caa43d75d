"""What images look like, in numbers: cheap, fixed, without training."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, pad

_FILTERS = 16
_BINS = 8
#: Below it, roots have gradients without bound.
_TINY = 1e-8
#: Copies are told from new images at so many pixels a side.
_SIDE = 16


def features(images: Tensor) -> list[Tensor]:
    """Blocks of features ``[n, d]`` of ``images [n, C, H, W]`` in [0, 1]: coarse pixels, pooled responses of fixed
    random filters, edges, histograms, extremes, and fine residuals, which tell noise from blur.
    """
    n = len(images)
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
    """Over the last dimension; many times as fast as `Tensor.std`."""
    return (values.square().mean(-1) - values.mean(-1).square()).clamp(min=_TINY).sqrt()


def _padded(images: Tensor, by: int) -> Tensor:
    return pad(images, (by, by, by, by), mode="replicate")


@cache
def _filters() -> Tensor:
    drawn = torch.randn(_FILTERS, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    centered = drawn - drawn.mean((2, 3), keepdim=True)
    return centered / centered.square().sum((1, 2, 3), keepdim=True).sqrt()


def copy_vectors(images: np.ndarray) -> np.ndarray:
    """``[n, C, H, W]`` uint8 as vectors ``[n, d]`` whose distances tell copies from new images: the pixels, of larger
    images at `_SIDE` pixels a side.
    """
    pixels = torch.from_numpy(images).float() / 255
    if min(pixels.shape[-2:]) > _SIDE:
        pixels = adaptive_avg_pool2d(pixels, _SIDE)
    return pixels.flatten(1).numpy()


def roughness(images: np.ndarray) -> np.ndarray:
    """The mean difference of neighboring pixels of ``images [n, C, H, W]`` uint8, in [0, 255], ``[n]``: their
    anisotropic total variation (Rudin et al., 1992) per pixel. Of noise it is high, whose `copy_vectors`, at few pixels
    a side, are a gray that is near to many a photograph.
    """
    pixels = images.astype(np.int16)
    down, across = (np.abs(np.diff(pixels, axis=axis)).mean((1, 2, 3)) for axis in (2, 3))
    found: np.ndarray = (down + across) / 2
    return found
