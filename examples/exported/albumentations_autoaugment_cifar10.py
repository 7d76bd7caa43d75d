# Augmentation policy 'autoaugment-cifar10' (9e092111df13), as an albumentations transform.
# Exported by autoaug 0.1.0; runs without it: image = A.Compose([Augment()], seed=0)(image=image)['image']
# Movements in a row are sampled one by one, as usual in albumentations; --exact composes them.

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


def either(random: Random, low: float, high: float) -> float:
    return random.choice((low, high))


def equalize(channel: Any) -> Any:
    """Make levels as frequent as one another, as Pillow does; A.Equalize counts a level's own pixels."""
    counts = cv2.calcHist([channel], [0], None, [256], [0, 256]).ravel()
    step = (channel.size - counts[channel.max()]) // 255
    table = (counts.cumsum() - counts + step // 2) // max(step, 1)
    return cv2.LUT(channel, np.minimum(table, 255).astype(np.uint8)) if step else channel


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
            A.Sequential([
                A.InvertImg(p=0.1),
                A.OneOf([
                    A.ColorJitter(brightness=0, contrast=(0.4, 0.4), saturation=0, hue=0, p=1),
                    A.ColorJitter(brightness=0, contrast=(1.6, 1.6), saturation=0, hue=0, p=1),
                ], p=0.2),
            ], p=0.04),
            A.Sequential([
                A.OneOf([A.Rotate((-6.66666, -6.66666), p=1), A.Rotate((6.66666, 6.66666), p=1)], p=0.7),
                RandomWarp(affine, p=0.3, draw=either, x=(-0.453172, 0.453172)),
            ], p=0.04),
            A.Sequential([
                RandomValue(sharpness, p=0.8, draw=either, factor=(0.9, 1.1)),
                RandomValue(sharpness, p=0.9, draw=either, factor=(0.7, 1.3)),
            ], p=0.04),
            A.Sequential([
                RandomWarp(affine, p=0.5, draw=either, shear_y=(-0.266667, 0.266667)),
                RandomWarp(affine, p=0.7, draw=either, y=(-0.453172, 0.453172)),
            ], p=0.04),
            A.Sequential([RandomValue(autocontrast, p=0.5), RandomValue(equalize, p=0.9)], p=0.04),
            A.Sequential([
                RandomWarp(affine, p=0.2, draw=either, shear_y=(-0.233333, 0.233333)),
                A.Posterize(5, p=0.3),
            ], p=0.04),
            A.Sequential([
                A.OneOf([
                    A.ColorJitter(brightness=0, contrast=0, saturation=(0.7, 0.7), hue=0, p=1),
                    A.ColorJitter(brightness=0, contrast=0, saturation=(1.3, 1.3), hue=0, p=1),
                ], p=0.4),
                A.OneOf([
                    A.ColorJitter(brightness=(0.3, 0.3), contrast=0, saturation=0, hue=0, p=1),
                    A.ColorJitter(brightness=(1.7, 1.7), contrast=0, saturation=0, hue=0, p=1),
                ], p=0.6),
            ], p=0.04),
            A.Sequential([
                RandomValue(sharpness, p=0.3, draw=either, factor=(0.1, 1.9)),
                A.OneOf([
                    A.ColorJitter(brightness=(0.1, 0.1), contrast=0, saturation=0, hue=0, p=1),
                    A.ColorJitter(brightness=(1.9, 1.9), contrast=0, saturation=0, hue=0, p=1),
                ], p=0.7),
            ], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.6), RandomValue(equalize, p=0.5)], p=0.04),
            A.Sequential([
                A.OneOf([
                    A.ColorJitter(brightness=0, contrast=(0.3, 0.3), saturation=0, hue=0, p=1),
                    A.ColorJitter(brightness=0, contrast=(1.7, 1.7), saturation=0, hue=0, p=1),
                ], p=0.6),
                RandomValue(sharpness, p=0.6, draw=either, factor=(0.5, 1.5)),
            ], p=0.04),
            A.Sequential([
                A.OneOf([
                    A.ColorJitter(brightness=0, contrast=0, saturation=(0.3, 0.3), hue=0, p=1),
                    A.ColorJitter(brightness=0, contrast=0, saturation=(1.7, 1.7), hue=0, p=1),
                ], p=0.7),
                RandomWarp(affine, p=0.5, draw=either, x=(-0.40282, 0.40282)),
            ], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.3), RandomValue(autocontrast, p=0.4)], p=0.04),
            A.Sequential([
                RandomWarp(affine, p=0.4, draw=either, y=(-0.151057, 0.151057)),
                RandomValue(sharpness, p=0.2, draw=either, factor=(0.4, 1.6)),
            ], p=0.04),
            A.Sequential([
                A.OneOf([
                    A.ColorJitter(brightness=(0.4, 0.4), contrast=0, saturation=0, hue=0, p=1),
                    A.ColorJitter(brightness=(1.6, 1.6), contrast=0, saturation=0, hue=0, p=1),
                ], p=0.9),
                A.OneOf([
                    A.ColorJitter(brightness=0, contrast=0, saturation=(0.2, 0.2), hue=0, p=1),
                    A.ColorJitter(brightness=0, contrast=0, saturation=(1.8, 1.8), hue=0, p=1),
                ], p=0.2),
            ], p=0.04),
            A.Sequential([A.Solarize((0.777778, 0.777778), p=0.5)], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.2), RandomValue(autocontrast, p=0.6)], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.2), RandomValue(equalize, p=0.6)], p=0.04),
            A.Sequential([
                A.OneOf([
                    A.ColorJitter(brightness=0, contrast=0, saturation=(0.1, 0.1), hue=0, p=1),
                    A.ColorJitter(brightness=0, contrast=0, saturation=(1.9, 1.9), hue=0, p=1),
                ], p=0.9),
                RandomValue(equalize, p=0.6),
            ], p=0.04),
            A.Sequential([RandomValue(autocontrast, p=0.8), A.Solarize((0.111111, 0.111111), p=0.2)], p=0.04),
            A.Sequential([A.OneOf([
                A.ColorJitter(brightness=(0.7, 0.7), contrast=0, saturation=0, hue=0, p=1),
                A.ColorJitter(brightness=(1.3, 1.3), contrast=0, saturation=0, hue=0, p=1),
            ], p=0.1)], p=0.04),
            A.Sequential([A.Solarize((0.444444, 0.444444), p=0.4), RandomValue(autocontrast, p=0.9)], p=0.04),
            A.Sequential([
                RandomWarp(affine, p=0.9, draw=either, y=(-0.453172, 0.453172)),
                RandomWarp(affine, p=0.7, draw=either, y=(-0.453172, 0.453172)),
            ], p=0.04),
            A.Sequential([RandomValue(autocontrast, p=0.9), A.Solarize((0.666667, 0.666667), p=0.8)], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.8), A.InvertImg(p=0.1)], p=0.04),
            A.Sequential([
                RandomWarp(affine, p=0.7, draw=either, y=(-0.453172, 0.453172)),
                RandomValue(autocontrast, p=0.9),
            ], p=0.04),
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
