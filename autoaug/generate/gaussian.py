"""The cheap rival: for each class a Gaussian in the space of its first principal components, fitted in a second."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from autoaug.data.splits import Samples

COMPONENTS = 20
_FLOATS = 2**25


def fit_pca(samples: Samples, classes: int) -> dict[str, Tensor]:
    """Means ``[classes, C, H, W]`` and components ``[classes, k, pixels]``, each as long as its standard deviation."""
    means, components = [], []
    for kind in range(classes):
        rows = np.flatnonzero(samples.labels == kind)
        pixels = samples.inputs.take(rows).reshape(len(rows), -1).astype(np.float32) / 255
        with np.errstate(invalid="ignore"):  # images all alike explain 0 of a variance of 0
            found = PCA(min(COMPONENTS, *pixels.shape), random_state=0).fit(pixels)
        scaled = found.components_ * np.sqrt(found.explained_variance_)[:, None]
        means.append(found.mean_)
        components.append(np.pad(scaled, ((0, COMPONENTS - len(scaled)), (0, 0))))
    return {
        "mean": torch.from_numpy(np.stack(means)).float().view(classes, *samples.inputs.shape),
        "components": torch.from_numpy(np.stack(components)).float().contiguous(),
    }


def at_once(components: Tensor) -> int:
    """How many images to decode together: each needs the components of its class by itself."""
    return max(1, min(500, _FLOATS // components[0].numel()))


def decode(mean: Tensor, components: Tensor, coordinates: Tensor, labels: Tensor) -> Tensor:
    """Images ``[n, C, H, W]``, not yet cut to [0, 1], at standard normal ``coordinates [n, k]`` of ``labels [n]``."""
    drawn = torch.einsum("nk,nkp->np", coordinates, components[labels])
    return mean[labels] + drawn.view(-1, *mean.shape[1:])


def sample_pca(tensors: dict[str, Tensor], labels: np.ndarray, seed: int) -> np.ndarray:
    """A sample for each of ``labels [n]``, uint8 ``[n, C, H, W]``; the same seed makes the same."""
    noise = torch.randn(len(labels), COMPONENTS, generator=torch.Generator().manual_seed(seed))
    size = at_once(tensors["components"])
    parts = zip(torch.split(noise, size), torch.split(torch.from_numpy(labels), size), strict=True)
    found = [decode(tensors["mean"], tensors["components"], *part).clamp(0, 1) * 255 for part in parts]
    return torch.cat(found).round().to(torch.uint8).numpy()
