# Augmentation policy 'trivialaugment-wide' (5221c6efb00e), as an albumentations transform.
# Exported by autoaug 0.1.0; runs without it: image = A.Compose([Augment()], seed=0)(image=image)['image']

import os
from random import Random, getrandbits
from typing import Any

import albumentations as A
import cv2
import numpy as np


class RandomValue(A.ImageOnlyTransform):
    """Change each channel, in uint8, by a function with arguments drawn between their ends."""

    def __init__(self, function: Any, p: float = 1.0, draw: Any = Random.uniform, **ends: Any) -> None:
        super().__init__(p=p)
        self.function, self.draw, self.ends = function, draw, ends

    def get_params(self) -> dict[str, Any]:
        return {"drawn": {name: self.draw(self.py_random, *ends) for name, ends in self.ends.items()}}

    def apply(self, img: Any, drawn: dict[str, float], **params: Any) -> Any:
        levels = img if img.dtype == np.uint8 else np.rint(np.clip(img, 0, 1) * 255).astype(np.uint8)
        made = cv2.merge([self.function(channel, **drawn) for channel in cv2.split(levels)]).reshape(img.shape)
        return made if img.dtype == np.uint8 else made / np.float32(255)


class RandomWarp(A.Affine):
    """Warp by a function with arguments that are drawn; it gives a matrix from points (x, y, 1) to their new places."""

    def __init__(self, function: Any, p: float = 1.0, draw: Any = Random.uniform, **ends: Any) -> None:
        super().__init__(p=p)
        self.function, self.draw, self.ends = function, draw, ends

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        drawn = {name: self.draw(self.py_random, *ends) for name, ends in self.ends.items()}
        edges = np.array([*self.function(*params["shape"][:2], **drawn), (0.0, 0.0, 1.0)])
        pixels = edges.copy()  # positions are those of pixels' centers there
        pixels[:2, 2] += edges[:2, :2].sum(1) / 2 - 0.5
        rest = {"scale": {"x": 1.0, "y": 1.0}, "output_shape": params["shape"][:2]}
        return {"matrix": pixels, "bbox_matrix": edges, **rest}

    def apply(self, img: Any, matrix: Any, output_shape: tuple[int, int], **params: Any) -> Any:
        return cv2.warpAffine(img, matrix[:2], output_shape[::-1]).reshape(img.shape)


def affine(height: int, width: int, shear_x: float = 0, shear_y: float = 0, x: float = 0, y: float = 0) -> Any:
    """Shear by slopes about the upper left corner, and move by fractions of the size, in whole pixels."""
    return (1.0, -shear_x, int(round(x * width, 3))), (-shear_y, 1.0, int(round(y * height, 3)))


def autocontrast(channel: Any) -> Any:
    """Stretch to the full range, as Pillow does; A.AutoContrast overlooks levels of 255."""
    return cv2.normalize(channel, None, 0, 255, cv2.NORM_MINMAX) if channel.min() < channel.max() else channel


def equalize(channel: Any) -> Any:
    """Make levels as frequent as one another, as Pillow does; A.Equalize counts a level's own pixels."""
    counts = cv2.calcHist([channel], [0], None, [256], [0, 256]).ravel()
    step = (channel.size - counts[channel.max()]) // 255
    table = (counts.cumsum() - counts + step // 2) // max(step, 1)
    return cv2.LUT(channel, np.minimum(table, 255).astype(np.uint8)) if step else channel


def posterize(channel: Any, bits: float) -> Any:
    return channel & (256 - 2 ** (8 - round(bits)))


def sharpness(channel: Any, factor: float) -> Any:
    """A blend with a smoothed channel, beyond it above 1; the border stays."""
    kernel = np.full((3, 3), (1 - factor) / 13)
    kernel[1, 1] = (5 + 8 * factor) / 13
    sharp = channel.copy()
    sharp[1:-1, 1:-1] = cv2.filter2D(channel, -1, kernel)[1:-1, 1:-1]
    return sharp


class Augment(A.Sequential):
    """The policy for one image, with its boxes, masks and keypoints, in an ``A.Compose`` whose seed it follows."""

    def __init__(self, p: float = 1.0) -> None:
        super().__init__([A.OneOf([
            A.NoOp(p=1),
            RandomWarp(affine, shear_x=(-0.99, 0.99)),
            RandomWarp(affine, shear_y=(-0.99, 0.99)),
            A.Affine(translate_percent={"x": (-0.142857, 0.142857)}, p=1),
            A.Affine(translate_percent={"y": (-0.142857, 0.142857)}, p=1),
            A.Rotate((-135, 135), p=1),
            A.ColorJitter(brightness=(0.01, 1.99), contrast=0, saturation=0, hue=0, p=1),
            A.ColorJitter(brightness=0, contrast=0, saturation=(0.01, 1.99), hue=0, p=1),
            A.ColorJitter(brightness=0, contrast=(0.01, 1.99), saturation=0, hue=0, p=1),
            RandomValue(sharpness, factor=(0.01, 1.99)),
            RandomValue(posterize, bits=(2, 8)),
            A.Solarize((0, 1), p=1),
            RandomValue(autocontrast),
            RandomValue(equalize),
        ], p=1)], p=p)

    def set_random_seed(self, seed: int | None) -> None:
        """All transforms draw from one stream; albumentations would give each the same numbers."""
        self.seed, self.process = seed, os.getpid()
        self.set_random_state(np.random.default_rng(seed), Random(seed))

    def __call__(self, *args: Any, image: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        in_range = image.dtype == np.float32 and -1e-3 <= image.min() <= image.max() <= 1.001
        if image.ndim not in (2, 3) or not (in_range or image.dtype == np.uint8):
            found = f"{image.dtype} {list(image.shape)} from {image.min()} to {image.max()}"
            raise ValueError(f"images must be [H, W, C] or [H, W], uint8 or float32 in [0, 1], not {found}")
        if self.process != os.getpid():  # a worker of a loader, which seeds Python's random numbers there
            self.set_random_seed(self.py_random.getrandbits(32) + getrandbits(32))
        return super().__call__(*args, image=image, force_apply=force_apply, **data)
