"""A cheap generator: one Gaussian per class in the space of its first principal components, fitted in a second."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoaug.data.splits import Samples

COMPONENTS = 20
_FLOATS = 2**25


def fit_pca(samples: Samples, classes: int) -> dict[str, Tensor]:
    """Means ``[classes, C, H, W]`` and components ``[classes, k, pixels]``, scaled by their standard deviations."""
    from sklearn.decomposition import PCA  # as in `autoaug.data.splits`

    means, components = [], []
    for kind in range(classes):
        rows = np.flatnonzero(samples.labels == kind)
        pixels = samples.inputs.take(rows).reshape(len(rows), -1).astype(np.float32) / 255
        with np.errstate(invalid="ignore"):  # identical images have a variance of 0
            pca = PCA(min(COMPONENTS, *pixels.shape), random_state=0).fit(pixels)
        scaled = pca.components_ * np.sqrt(pca.explained_variance_)[:, None]
        means.append(pca.mean_)
        components.append(np.pad(scaled, ((0, COMPONENTS - len(scaled)), (0, 0))))
    return {
        "mean": torch.from_numpy(np.stack(means)).float().view(classes, *samples.inputs.shape),
        "components": torch.from_numpy(np.stack(components)).float().contiguous(),
    }


def at_once(components: Tensor) -> int:
    """How many images to decode together: each needs a copy of the components of its class."""
    return max(1, min(500, _FLOATS // components[0].numel()))


def decode(mean: Tensor, components: Tensor, coordinates: Tensor, labels: Tensor) -> Tensor:
    """Images ``[n, C, H, W]``, not clipped to [0, 1], for standard normal ``coordinates [n, k]`` and ``labels [n]``."""
    drawn = torch.einsum("nk,nkp->np", coordinates, components[labels])
    return mean[labels] + drawn.view(-1, *mean.shape[1:])


def check_gaussians(tensors: Mapping[str, Tensor], shape: tuple[int, ...], classes: int) -> None:
    """Raise RuntimeError if the means and components do not fit the number of `classes` and the image `shape`."""
    due = {"mean": (classes, *shape), "components": (classes, COMPONENTS, math.prod(shape))}
    for name, size in due.items():
        tensor = tensors.get(name)
        if tensor is None or tuple(tensor.shape) != size or not tensor.is_floating_point():
            raise RuntimeError(f"{name} does not have the shape {size}")


@dataclass
class PcaFit:
    """A fit without steps, complete from the start."""

    learned: dict[str, Tensor]
    steps: int = 0

    def run(self, steps: int, device: str, every: int) -> Iterator[int]:
        return iter(())

    def state(self) -> dict[str, Tensor]:
        return self.learned

    def load(self, state: Mapping[str, Tensor]) -> None:
        self.learned = dict(state)

    def tensors(self) -> dict[str, Tensor]:
        return self.learned


class Pca:
    """See `autoaug.modalities.generators.Generator`."""

    fewest = 3
    adapts = False

    def usual_steps(self, samples: int) -> int:
        return 0

    def begin(self, train: Samples, classes: int, seed: int, source: Mapping[str, Tensor] | None = None) -> PcaFit:
        return PcaFit(fit_pca(train, classes))

    def check(self, tensors: Mapping[str, Tensor], shape: tuple[int, ...], classes: int) -> None:
        check_gaussians(tensors, shape, classes)

    def sample(self, tensors: Mapping[str, Tensor], labels: np.ndarray, seed: int, device: str) -> np.ndarray:
        """Generate an image for each of ``labels [n]``, uint8 ``[n, C, H, W]``; the same seed gives the same images."""
        noise = torch.randn(len(labels), COMPONENTS, generator=torch.Generator().manual_seed(seed))
        size = at_once(tensors["components"])
        parts = zip(torch.split(noise, size), torch.split(torch.from_numpy(labels), size), strict=True)
        decoded = [decode(tensors["mean"], tensors["components"], *part).clamp(0, 1) * 255 for part in parts]
        return torch.cat(decoded).round().to(torch.uint8).numpy()
