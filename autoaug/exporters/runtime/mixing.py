"""The exported module of a policy that mixes images and labels."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.drawing import draw_mixing
from autoaug.exporters.runtime.steps import augment_images
from autoaug.mixing import label_share, mix_pairs, own_share

MIXING: tuple[tuple[int, int], float, float] = ((1, 1), 1.0, 1.0)


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
        images = augment_images(images, self.generator)
        mode, partner, weight, place = draw_mixing(*MIXING, len(images), self.generator)
        images = mix_pairs(images, images[partner.to(images.device)], mode, weight, place)
        if labels.ndim == 1:
            labels = torch.nn.functional.one_hot(labels, self.classes or int(labels.max()) + 1)
        soft = labels.to(images.dtype)
        own = label_share(mode, own_share(mode, weight, place, *images.shape[-2:])).to(soft)
        return images, torch.lerp(soft[partner.to(soft.device)], soft, own[:, None])
