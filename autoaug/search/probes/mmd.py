"""The two-sample statistic: how differently are two batches of samples distributed?"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

#: Blocks of features ``[n, d]`` of a batch of samples, see `autoaug.modalities.base.Modality.features`.
Features = Callable[[Tensor], list[Tensor]]

#: Widths of the Gaussian kernels, in medians of the distances within the reference.
_WIDTHS = (0.5, 1.0, 2.0)
_HALVES = 40
#: Deviations are raised to this fraction of the largest of their block: constant features tell nothing.
_FLOOR = 0.05


class ReferenceSample:
    """What others are measured against: its scales, its kernel widths and its own noise.

    The unbiased maximum mean discrepancy (Gretton et al., 2012), with a sum of Gaussian kernels, on features that are
    standardized by the reference alone: the unit stays the same however far away a candidate is.

    Args:
        inputs: a batch ``[m, ...]`` as the engine works on it, at least 8.
        features: in which they are compared.
    """

    def __init__(self, inputs: Tensor, features: Features) -> None:
        self._features_of = features
        blocks = features(inputs)
        self._means = [block.mean(0) for block in blocks]
        self._scales = [_scale(block) for block in blocks]
        self._features = self._standardized(blocks)
        distances = _squared_distances(self._features, self._features)
        self._median = max(1e-6, float(distances[~torch.eye(len(inputs), dtype=torch.bool)].median()))
        self._own = _kernel(distances, self._median)
        self._size = len(inputs)

    def _standardized(self, blocks: list[Tensor]) -> Tensor:
        parts = [(b - mean) / scale for b, mean, scale in zip(blocks, self._means, self._scales, strict=True)]
        return torch.cat(parts, 1)

    def distance(self, inputs: Tensor) -> float:
        """The squared discrepancy of ``inputs [n, ...]``; about 0, and perhaps below, where nothing differs."""
        features = self._standardized(self._features_of(inputs))
        among = _kernel(_squared_distances(features, features), self._median)
        across = _kernel(_squared_distances(features, self._features), self._median)
        return _mean_apart(among) + _mean_apart(self._own) - 2 * float(across.mean())

    def noise(self, size: int) -> float:
        """The standard deviation of the discrepancy that `size` samples from the reference itself would have, from
        random halves of the reference.
        """
        generator = torch.Generator().manual_seed(0)
        half = self._size // 2
        found = []
        for _ in range(_HALVES):
            order = torch.randperm(self._size, generator=generator)
            one, other = order[:half], order[half : 2 * half]
            across = float(self._own[one][:, other].mean())
            found.append(_mean_apart(self._own[one][:, one]) + _mean_apart(self._own[other][:, other]) - 2 * across)
        deviation = float(torch.tensor(found).square().mean().sqrt())
        return deviation * (1 / size + 1 / self._size) / (2 / half)


def _scale(block: Tensor) -> Tensor:
    """What each feature is divided by: its deviation, times a factor that makes blocks of any width count alike."""
    deviation = block.std(0)
    least = max(float(deviation.max()) * _FLOOR, 1e-4)
    return deviation.clamp(min=least) * math.sqrt(block.shape[1])


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    return (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp(min=0)


def _kernel(distances: Tensor, median: float) -> Tensor:
    return torch.stack([(-distances / (2 * width**2 * median)).exp() for width in _WIDTHS]).mean(0)


def _mean_apart(kernel: Tensor) -> float:
    """The mean over pairs of different samples."""
    n = len(kernel)
    return float(kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
