# Augmentation policy 'found' (be97f7a65975), with torchvision.transforms.v2.
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


class RandomValue(v2.Transform):
    """Apply a function with arguments drawn evenly between their ends; if it `moves` pixels, to boxes and masks too."""

    def __init__(self, function: Any, moves: bool = False, **ends: tuple[float, float]) -> None:
        super().__init__()
        self.function, self.moves, self.ends = function, moves, ends

    def make_params(self, flat_inputs: list[Any]) -> dict[str, float]:
        drawn = zip(self.ends.items(), torch.rand(len(self.ends)).tolist(), strict=True)
        return {name: low + (high - low) * share for (name, (low, high)), share in drawn}

    def transform(self, inpt: Any, params: dict[str, float]) -> Any:
        stays = isinstance(inpt, tv_tensors.TVTensor) and not (self.moves or isinstance(inpt, tv_tensors.Image))
        return inpt if stays else self.function(inpt, **params)


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


def pad_crop(image: Any, padding: float, x: float, y: float) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    height, width = F.get_size(image)
    down, across = round(padding * height), round(padding * width)
    top, left = int(y * (2 * down + 1)) - down, int(x * (2 * across + 1)) - across
    return F.crop(image, top, left, height, width)


class Augment(v2.Compose):
    """The policy for one image at a time, with its boxes, masks and keypoints."""

    def __init__(self) -> None:
        super().__init__([
            v2.RandomHorizontalFlip(p=0.5),
            RandomValue(pad_crop, moves=True, padding=(0.125, 0.125), x=(0, 1), y=(0, 1)),
            v2.RandAugment(num_ops=2, magnitude=9, interpolation=BILINEAR),
        ])

    def forward(self, *inputs: Any) -> Any:
        image = image_of(inputs)
        rounds = not isinstance(image, Image.Image) and torch.is_autocast_enabled(image.device.type)
        try:  # 16-bit coordinates are too coarse
            with torch.autocast(image.device.type, enabled=False) if rounds else nullcontext():
                return super().forward(*inputs)
        except TypeError as fault:
            raise TypeError(f"{fault} (autoaug export --exact takes any channels, boxes and masks)") from None


def mixing(classes: int) -> v2.Transform:
    """Mixes batches afterwards, ``images, labels = mixing(10)(images, labels)``; one weight is drawn per batch.

    Labels of a batch that is not mixed stay class indices.
    """
    return v2.RandomApply([v2.CutMix(alpha=0.2, num_classes=classes)], p=0.3)
