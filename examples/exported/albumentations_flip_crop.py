# Augmentation policy 'flip-crop' (324c80e51768), as an albumentations transform.
# Exported by autoaug 0.1.0; runs without it: image = A.Compose([Augment()], seed=0)(image=image)['image']

import os
from random import Random, getrandbits
from typing import Any

import albumentations as A
import cv2
import numpy as np


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


def pad_crop(height: int, width: int, padding: float, x: float, y: float) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = round(padding * height), round(padding * width)
    return (1.0, 0.0, across - int(x * (2 * across + 1))), (0.0, 1.0, down - int(y * (2 * down + 1)))


class Augment(A.Sequential):
    """The policy for one image, with its boxes, masks and keypoints, in an ``A.Compose`` whose seed it follows."""

    def __init__(self, p: float = 1.0) -> None:
        super().__init__([
            A.HorizontalFlip(p=0.5),
            RandomWarp(pad_crop, padding=(0.125, 0.125), x=(0, 1), y=(0, 1)),
        ], p=p)

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
