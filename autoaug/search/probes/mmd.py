"""The two-sample statistic: how different are the distributions of two batches of samples?"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

#: Blocks of features ``[n, d]`` of a batch of samples; see `autoaug.modalities.base.Modality.features`.
Features = Callable[[Tensor], list[Tensor]]

#: Widths of the Gaussian kernels, relative to the median distance within the reference.
_WIDTHS = (0.5, 1.0, 2.0)
_HALVES = 40
#: The lowest standard deviation of a feature, as a fraction of the largest in its block: nearly constant features are
#: not blown up.
_FLOOR = 0.05


class ReferenceSample:
    """The reference batch that candidates are compared with: it sets the feature scales, kernel widths and noise level.

    Computes the unbiased squared maximum mean discrepancy (Gretton et al., 2012) with a mean of Gaussian kernels, on
    features standardized by the reference alone, so that the unit does not depend on the candidate.

    Args:
        inputs: a batch ``[m, ...]`` in the engine's format, at least 8 samples.
        features: computes the features that are compared.
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
        """The squared discrepancy of ``inputs [n, ...]``; near 0, perhaps below, if the distributions are equal."""
        features = self._standardized(self._features_of(inputs))
        among = _kernel(_squared_distances(features, features), self._median)
        across = _kernel(_squared_distances(features, self._features), self._median)
        return _mean_apart(among) + _mean_apart(self._own) - 2 * float(across.mean())

    def noise(self, size: int) -> float:
        """The standard deviation of the discrepancy of `size` samples from the reference distribution, estimated from
        random halves of the reference.
        """
        generator = torch.Generator().manual_seed(0)
        half = self._size // 2
        discrepancies = []
        for _ in range(_HALVES):
            order = torch.randperm(self._size, generator=generator)
            one, other = order[:half], order[half : 2 * half]
            across = float(self._own[one][:, other].mean())
            within = _mean_apart(self._own[one][:, one]) + _mean_apart(self._own[other][:, other])
            discrepancies.append(within - 2 * across)
        deviation = float(torch.tensor(discrepancies).square().mean().sqrt())
        return deviation * (1 / size + 1 / self._size) / (2 / half)


def _scale(block: Tensor) -> Tensor:
    """The divisor of each feature: its standard deviation, times a factor that gives all blocks equal weight."""
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
