"""The exported module of a policy that mixes images and labels."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.drawing import draw_mixing
from autoaug.exporters.runtime.seeded import Seeded
from autoaug.exporters.runtime.steps import augment_images
from autoaug.mixing import label_share, mix_pairs, own_share
from autoaug.pixels import as_float, as_type

MIXING: tuple[tuple[int, int], float, float] = ((1, 1), 1.0, 1.0)


class Augment(Seeded):
    """The policy: images ``[B, C, H, W]``, uint8 or in [0, 1], and labels ``[B]`` or ``[B, classes]`` in, images of the
    same shape and type and soft labels ``[B, classes]`` out.

    Give `classes` where labels are indices; otherwise the highest label of the batch tells.
    """

    def __init__(self, seed: int | None = None, classes: int | None = None) -> None:
        super().__init__(seed)
        self.classes = classes

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        kind, generator = images.dtype, self.generator
        images = augment_images(as_float(images), generator)
        mode, partner, weight, place = draw_mixing(*MIXING, len(images), generator)
        images = mix_pairs(images, images[partner.to(images.device)], mode, weight, place)
        if labels.ndim == 1:
            labels = torch.nn.functional.one_hot(labels, self.classes or int(labels.max()) + 1)
        soft = labels.to(images.dtype)
        own = label_share(mode, own_share(mode, weight, place, *images.shape[-2:])).to(soft)
        return as_type(images, kind), torch.lerp(soft[partner.to(soft.device)], soft, own[:, None])
