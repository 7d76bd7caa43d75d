# Augmentation policy 'trivialaugment-wide' (5221c6efb00e), with torchvision.transforms.v2.
# Exported by autoaug 0.1.0; runs without it: image = Augment()(image), one at a time; torch.manual_seed seeds it

import math
from bisect import bisect
from itertools import accumulate
from typing import Any

import torch
from PIL import Image
from torch.utils._pytree import tree_leaves
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

BILINEAR = v2.InterpolationMode.BILINEAR
NEAREST = v2.InterpolationMode.NEAREST


class RandomChoice(v2.RandomChoice):
    """The same, drawn in a tenth of the time, which counts for small images."""

    def forward(self, *inputs: Any) -> Any:
        return self.transforms[bisect(list(accumulate(self.p[:-1])), torch.rand(()).item())](*inputs)


class RandomValue(v2.Transform):
    """Apply a function with arguments drawn evenly between their ends; if it `moves` pixels, to boxes and masks too."""

    def __init__(self, function: Any, moves: bool = False, **ends: tuple[float, float]) -> None:
        super().__init__()
        self.function, self.moves, self.ends = function, moves, ends

    def make_params(self, flat_inputs: list[Any]) -> dict[str, float]:
        return {name: torch.empty(()).uniform_(*ends).item() for name, ends in self.ends.items()}

    def transform(self, inpt: Any, params: dict[str, float]) -> Any:
        stays = isinstance(inpt, tv_tensors.TVTensor) and not (self.moves or isinstance(inpt, tv_tensors.Image))
        return inpt if stays else self.function(inpt, **params)


def affine(image: Any, shear_x: float = 0.0, shear_y: float = 0.0, x: float = 0.0, y: float = 0.0) -> Any:
    """Shear by slopes about the upper left corner, and move by fractions of the size, in whole pixels."""
    height, width = F.get_size(image)
    shear = [math.degrees(math.atan(slope)) for slope in (shear_x, shear_y)]
    move = [int(round(x * width, 3)), int(round(y * height, 3))]
    return F.affine(image, 0, move, 1, shear, BILINEAR if any(shear) else NEAREST, center=[0, 0])


def image_of(sample: Any) -> Any:
    """The image of a sample; raises ValueError where its values would be misread, and for batches."""
    leaves = tree_leaves(sample)
    images = [one for one in leaves if isinstance(one, (Image.Image, tv_tensors.Image))]
    images = images or [one for one in leaves if F.is_pure_tensor(one)]
    if not images:
        raise ValueError("there is no picture and no tensor in the sample; convert arrays by v2.ToImage()")
    image = images[0]
    if isinstance(image, Image.Image):
        seen, good = image.mode, image.mode in ("L", "RGB")
    else:
        low, high = (0, 1) if image.dtype == torch.uint8 else image.aminmax()
        seen = f"{image.dtype} {list(image.shape)} from {low} to {high}"
        good = image.ndim == 3 and bool(-1e-3 <= low <= high <= 1.001)
    if not good:
        raise ValueError(f"an image must be an L or RGB picture, or [C, H, W] in uint8 or floats in [0, 1], not {seen}")
    return image


def posterize(image: Any, bits: float) -> Any:
    return F.posterize(image, round(bits))


def solarize(image: Any, threshold: float) -> Any:
    floats = isinstance(image, torch.Tensor) and image.is_floating_point()
    return F.solarize(image, max(threshold - 1e-4, 0) * (1 if floats else 255))


class Augment(v2.Compose):
    """The policy for one image at a time, with its boxes, masks and keypoints."""

    def __init__(self) -> None:
        super().__init__([
            RandomChoice([
                v2.Identity(),
                RandomValue(affine, moves=True, shear_x=(-0.99, 0.99)),
                RandomValue(affine, moves=True, shear_y=(-0.99, 0.99)),
                RandomValue(affine, moves=True, x=(-0.142857, 0.142857)),
                RandomValue(affine, moves=True, y=(-0.142857, 0.142857)),
                v2.RandomRotation((-135, 135), BILINEAR, fill=None),
                RandomValue(F.adjust_brightness, brightness_factor=(0.01, 1.99)),
                RandomValue(F.adjust_saturation, saturation_factor=(0.01, 1.99)),
                RandomValue(F.adjust_contrast, contrast_factor=(0.01, 1.99)),
                RandomValue(F.adjust_sharpness, sharpness_factor=(0.01, 1.99)),
                RandomValue(posterize, bits=(2, 8)),
                RandomValue(solarize, threshold=(0, 1)),
                v2.RandomAutocontrast(p=1),
                v2.RandomEqualize(p=1),
            ]),
        ])

    def forward(self, *inputs: Any) -> Any:
        image = image_of(inputs)
        if isinstance(image, Image.Image) or not torch.is_autocast_enabled(image.device.type):
            return super().forward(*inputs)
        with torch.autocast(image.device.type, enabled=False):  # 16-bit coordinates are too coarse
            return super().forward(*inputs)
