"""The exported module of a policy that does not mix."""

from __future__ import annotations

from torch import Tensor

from autoaug.exporters.runtime.seeded import Seeded
from autoaug.exporters.runtime.steps import augment_images
from autoaug.pixels import as_float, as_type


class Augment(Seeded):
    """The policy: images ``[B, C, H, W]``, or one ``[C, H, W]``, uint8 or in [0, 1], to the same shape and type, each
    with operators of its own. With labels it returns ``(images, labels)``.
    """

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        batch = images if images.ndim == 4 else images[None]
        augmented = as_type(augment_images(as_float(batch), self.generator), images.dtype).view(images.shape)
        return augmented if labels is None else (augmented, labels)
