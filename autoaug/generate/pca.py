"""The cheap rival: for each class a Gaussian in the space of its first principal components, fitted in a second."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autoaug.data.splits import Samples

_COMPONENTS = 20


def fit_pca(samples: Samples, classes: int) -> dict[str, Tensor]:
    """Means ``[classes, pixels]`` and components ``[classes, k, pixels]``, each as long as its standard deviation."""
    means, components = [], []
    for kind in range(classes):
        rows = np.flatnonzero(samples.labels == kind)
        pixels = torch.from_numpy(samples.images.take(rows)).flatten(1).double() / 255
        mean = pixels.mean(0)
        _, deviations, axes = torch.linalg.svd(pixels - mean, full_matrices=False)
        scaled = axes[:_COMPONENTS] * deviations[:_COMPONENTS, None] / max(1, len(rows) - 1) ** 0.5
        means.append(mean)
        components.append(torch.cat([scaled, scaled.new_zeros(_COMPONENTS - len(scaled), pixels.shape[1])]))
    return {"mean": torch.stack(means).float(), "components": torch.stack(components).float()}


def sample_pca(tensors: dict[str, Tensor], shape: tuple[int, int, int], labels: np.ndarray, seed: int) -> np.ndarray:
    """A sample for each of ``labels [n]``, uint8 ``[n, *shape]``; the same seed makes the same."""
    kinds = torch.from_numpy(labels)
    noise = torch.randn(len(kinds), _COMPONENTS, generator=torch.Generator().manual_seed(seed))
    pixels = tensors["mean"][kinds] + torch.einsum("nk,nkp->np", noise, tensors["components"][kinds])
    return (pixels.clamp(0, 1) * 255).round().to(torch.uint8).view(-1, *shape).numpy()
