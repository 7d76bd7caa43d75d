# Augmentation policy 'autoaugment-cifar10' (9e092111df13), with torchvision.transforms.v2.
# Exported by autoaug 0.1.0; runs without it: image = Augment()(image), one at a time; torch.manual_seed seeds it
# Movements in a row are sampled one by one, as usual in torchvision; --exact composes them.
# torchvision's own automatic policies raise an error for boxes, masks and keypoints; --exact moves them.

from contextlib import nullcontext
from typing import Any

import torch
from PIL import Image
from torch.utils._pytree import tree_leaves
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

BILINEAR = v2.InterpolationMode.BILINEAR


def image_of(sample: Any) -> Any:
    """The image of a sample; raises ValueError where its values would be misread, and for batches."""
    alone = len(sample) == 1 and isinstance(sample[0], (Image.Image, torch.Tensor))
    leaves = sample if alone else tree_leaves(sample)
    images = [one for one in leaves if isinstance(one, (Image.Image, tv_tensors.Image))]
    image = next(iter(images or filter(F.is_pure_tensor, leaves)), next(iter(leaves), None))
    seen = getattr(image, "mode", type(image).__name__)
    good = seen in ("L", "RGB")
    if isinstance(image, torch.Tensor):
        low, high = (0, 1) if image.dtype == torch.uint8 else image.aminmax()
        good = image.ndim == 3 and bool(-1e-3 <= low <= high <= 1.001)
        seen = "" if good else f"{image.dtype} {list(image.shape)} from {low} to {high}"
    if not good:
        raise ValueError(f"an image must be an L or RGB picture, or [C, H, W] in uint8 or floats in [0, 1], not {seen}")
    return image


class Augment(v2.Compose):
    """The policy for one image at a time, with its boxes, masks and keypoints."""

    def __init__(self) -> None:
        super().__init__([
            v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10, interpolation=BILINEAR),
        ])

    def forward(self, *inputs: Any) -> Any:
        image = image_of(inputs)
        rounds = not isinstance(image, Image.Image) and torch.is_autocast_enabled(image.device.type)
        try:  # 16-bit coordinates are too coarse
            with torch.autocast(image.device.type, enabled=False) if rounds else nullcontext():
                return super().forward(*inputs)
        except TypeError as fault:
            raise TypeError(f"{fault} (autoaug export --exact takes any channels, boxes and masks)") from None
