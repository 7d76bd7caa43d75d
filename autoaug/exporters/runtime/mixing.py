"""The exported module of a policy that mixes images and labels."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.drawing import Table, draw_mixing, draw_operations, own_share
from autoaug.exporters.runtime.torchvision import apply_operations

LAYERS: Table = []
MIXING: tuple[str, float, float] = ("mixup", 1.0, 1.0)


class Augment(torch.nn.Module):
    """The policy: images ``[B, C, H, W]`` in [0, 1] and labels ``[B]`` or ``[B, classes]`` in, images of the same
    shape and soft labels ``[B, classes]`` out. The same `seed` draws the same augmentations.

    Give `classes` where labels are indices; otherwise the highest label of the batch tells.
    """

    def __init__(self, seed: int | None = None, classes: int | None = None) -> None:
        super().__init__()
        self.classes = classes
        self.generator = torch.Generator()
        self.generator.manual_seed(int(torch.randint(2**62, ())) if seed is None else seed)

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        images = apply_operations(images, *draw_operations(LAYERS, len(images), self.generator))
        kind, probability, alpha = MIXING
        partner, weight, place = draw_mixing(probability, alpha, len(images), self.generator)
        own = own_share(weight, place if kind == "cutmix" else None, *images.shape[-2:]).to(images)
        images = torch.lerp(images[partner.to(images.device)], images, own)
        if labels.ndim == 1:
            labels = torch.nn.functional.one_hot(labels, self.classes or int(labels.max()) + 1)
        soft = labels.to(images.dtype)
        return images, torch.lerp(soft[partner.to(soft.device)], soft, own.mean((1, 2, 3))[:, None])
