"""The exported module of a policy that does not mix."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.exporters.runtime.steps import augment_images


class Augment(torch.nn.Module):
    """The policy: images ``[B, C, H, W]`` in [0, 1] in, the same shape out, each with operators of its own.

    With labels it returns ``(images, labels)``. The same `seed` draws the same augmentations.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__()
        self.generator = torch.Generator()
        self.generator.manual_seed(int(torch.randint(2**62, ())) if seed is None else seed)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        images = augment_images(images, self.generator)
        return images if labels is None else (images, labels)
