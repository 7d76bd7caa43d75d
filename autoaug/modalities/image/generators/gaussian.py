"""A cheap generator: for each class a Gaussian in the space of its first principal components, fitted in a second."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
        with np.errstate(invalid="ignore"):  # of images that are all alike the variance is 0
            found = PCA(min(COMPONENTS, *pixels.shape), random_state=0).fit(pixels)
        scaled = found.components_ * np.sqrt(found.explained_variance_)[:, None]
        means.append(found.mean_)
        components.append(np.pad(scaled, ((0, COMPONENTS - len(scaled)), (0, 0))))
    return {
        "mean": torch.from_numpy(np.stack(means)).float().view(classes, *samples.inputs.shape),
        "components": torch.from_numpy(np.stack(components)).float().contiguous(),
    }


def at_once(components: Tensor) -> int:
    """How many images to decode together: each needs a copy of the components of its class."""
    return max(1, min(500, _FLOATS // components[0].numel()))


def decode(mean: Tensor, components: Tensor, coordinates: Tensor, labels: Tensor) -> Tensor:
    """Images ``[n, C, H, W]``, not yet cut to [0, 1], at standard normal ``coordinates [n, k]`` of ``labels [n]``."""
    drawn = torch.einsum("nk,nkp->np", coordinates, components[labels])
    return mean[labels] + drawn.view(-1, *mean.shape[1:])


def check_gaussians(tensors: Mapping[str, Tensor], shape: tuple[int, ...], classes: int) -> None:
    """Raise RuntimeError where the means and components are not of so many `classes` of images of that `shape`."""
    due = {"mean": (classes, *shape), "components": (classes, COMPONENTS, math.prod(shape))}
    for name, size in due.items():
        tensor = tensors.get(name)
        if tensor is None or tuple(tensor.shape) != size or not tensor.is_floating_point():
            raise RuntimeError(f"{name} is not of the shape {size}")


@dataclass
class PcaFit:
    """A fit that takes no steps: it is done when it begins."""

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
    """See `autoaug.modalities.base.Generator`."""

    fewest = 3
    adapts = False

    def usual_steps(self, samples: int) -> int:
        return 0

    def begin(self, train: Samples, classes: int, seed: int, source: Mapping[str, Tensor] | None = None) -> PcaFit:
        return PcaFit(fit_pca(train, classes))

    def check(self, tensors: Mapping[str, Tensor], shape: tuple[int, ...], classes: int) -> None:
        check_gaussians(tensors, shape, classes)

    def sample(self, tensors: Mapping[str, Tensor], labels: np.ndarray, seed: int, device: str) -> np.ndarray:
        """A sample for each of ``labels [n]``, uint8 ``[n, C, H, W]``; the same seed makes the same."""
        noise = torch.randn(len(labels), COMPONENTS, generator=torch.Generator().manual_seed(seed))
        size = at_once(tensors["components"])
        parts = zip(torch.split(noise, size), torch.split(torch.from_numpy(labels), size), strict=True)
        found = [decode(tensors["mean"], tensors["components"], *part).clamp(0, 1) * 255 for part in parts]
        return torch.cat(found).round().to(torch.uint8).numpy()
