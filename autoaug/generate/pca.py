"""The cheap rival: for each class a Gaussian in the space of its first principal components, fitted in a second."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autoaug.data.splits import Samples

COMPONENTS = 20


def fit_pca(samples: Samples, classes: int) -> dict[str, Tensor]:
    """Means ``[classes, C, H, W]`` and components ``[classes, k, pixels]``, each as long as its standard deviation."""
    means, components = [], []
    for kind in range(classes):
        rows = np.flatnonzero(samples.labels == kind)
        pixels = torch.from_numpy(samples.images.take(rows)).flatten(1).double() / 255
        mean = pixels.mean(0)
        _, deviations, axes = torch.linalg.svd(pixels - mean, full_matrices=False)
        scaled = axes[:COMPONENTS] * deviations[:COMPONENTS, None] / max(1, len(rows) - 1) ** 0.5
        means.append(mean)
        components.append(torch.cat([scaled, scaled.new_zeros(COMPONENTS - len(scaled), pixels.shape[1])]))
    shape = samples.images.shape
    return {
        "mean": torch.stack(means).float().view(classes, *shape),
        "components": torch.stack(components).float(),
    }


def decode(mean: Tensor, components: Tensor, coordinates: Tensor, labels: Tensor) -> Tensor:
    """Images ``[n, C, H, W]``, not yet cut to [0, 1], at standard normal ``coordinates [n, k]`` of ``labels [n]``."""
    drawn = torch.einsum("nk,nkp->np", coordinates, components[labels])
    return mean[labels] + drawn.view(-1, *mean.shape[1:])


def sample_pca(tensors: dict[str, Tensor], labels: np.ndarray, seed: int) -> np.ndarray:
    """A sample for each of ``labels [n]``, uint8 ``[n, C, H, W]``; the same seed makes the same."""
    noise = torch.randn(len(labels), COMPONENTS, generator=torch.Generator().manual_seed(seed))
    parts = zip(torch.split(noise, 500), torch.split(torch.from_numpy(labels), 500), strict=True)
    found = [decode(tensors["mean"], tensors["components"], *part).clamp(0, 1) * 255 for part in parts]
    return torch.cat(found).round().to(torch.uint8).numpy()
