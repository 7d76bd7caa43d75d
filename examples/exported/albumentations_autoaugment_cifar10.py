# Augmentation policy 'autoaugment-cifar10' (9e092111df13), as an albumentations transform.
# Exported by autoaug 0.1.0; runs without it: image = A.Compose([Augment()], seed=0)(image=image)['image']
# Movements in a row are sampled one by one, as usual in albumentations; --exact composes them.

import sys
from random import Random
from typing import Any

import albumentations as A
import cv2
import numpy as np


class RandomValue(A.ImageOnlyTransform):
    """Apply a function of an image, in uint8, with arguments drawn between their ends."""

    def __init__(self, function: Any, p: float = 1.0, draw: Any = Random.uniform, **ends: Any) -> None:
        super().__init__(p=p)
        self.function, self.draw, self.ends = function, draw, ends

    def get_params(self) -> dict[str, Any]:
        return {"drawn": {name: self.draw(self.py_random, *ends) for name, ends in self.ends.items()}}

    def apply(self, img: Any, drawn: dict[str, float], **params: Any) -> Any:
        if img.dtype == np.uint8:
            return self.function(img, **drawn).reshape(img.shape)
        levels = np.rint(np.clip(img, 0, 1) * 255).astype(np.uint8)
        return (self.function(levels, **drawn).reshape(img.shape) / 255).astype(img.dtype)


class RandomWarp(A.Affine):
    """Warp by a function with arguments that are drawn; it gives a matrix from points (x, y, 1) to their new places."""

    def __init__(self, function: Any, p: float = 1.0, draw: Any = Random.uniform, **ends: Any) -> None:
        super().__init__(p=p)
        self.function, self.draw, self.ends = function, draw, ends

    def apply(self, img: Any, matrix: Any, output_shape: tuple[int, int], **params: Any) -> Any:
        return cv2.warpAffine(img, matrix[:2], output_shape[::-1]).reshape(img.shape)

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        shape, (height, width) = params["shape"], params["shape"][:2]
        drawn = {name: self.draw(self.py_random, *ends) for name, ends in self.ends.items()}
        edges = np.array([*self.function(height, width, **drawn), (0.0, 0.0, 1.0)])
        pixels = edges.copy()  # positions are those of pixels' centers there
        pixels[:2, 2] += edges[:2, :2].sum(1) / 2 - 0.5
        scale = {"x": 1.0, "y": 1.0}
        return {"matrix": pixels, "bbox_matrix": edges, "rotate": 0.0, "scale": scale, "output_shape": shape[:2]}


def affine(height: int, width: int, shear_x: float = 0, shear_y: float = 0, x: float = 0, y: float = 0) -> Any:
    """Shear by slopes about the upper left corner, and move by fractions of the size, in whole pixels."""
    return (1.0, -shear_x, int(round(x * width, 3))), (-shear_y, 1.0, int(round(y * height, 3)))


def by_histogram(image: Any, share: float, curve: Any) -> Any:
    """Blend with the image whose channels are mapped by a curve of their histograms."""
    counts = [cv2.calcHist([image], [c], None, [256], [0, 256]).ravel() for c in range(image[0, 0].size)]
    levels = np.arange(256)
    tables = np.stack([levels + share * (curve(levels, own) - levels) for own in counts], -1)
    return cv2.LUT(image, np.clip(np.rint(tables), 0, 255).astype(np.uint8).reshape(1, 256, -1))


def stretched(levels: Any, counts: Any) -> Any:
    low, high = np.flatnonzero(counts)[[0, -1]]
    return (levels - low) * (255 / (high - low)) if high > low else levels


def autocontrast(image: Any, share: float = 1.0) -> Any:
    return by_histogram(image, share, stretched)


def brightness(image: Any, factor: float) -> Any:
    return cv2.convertScaleAbs(image, alpha=factor)


def check(image: Any) -> None:
    """Raise ValueError for an image whose values would be misread."""
    found = f"{image.dtype} {list(image.shape)}"
    good = image.ndim in (2, 3) and image.dtype == np.uint8
    if image.dtype.kind == "f" and image.size:
        found += f" from {image.min():g} to {image.max():g}"
        good = image.ndim in (2, 3) and bool(-1e-3 <= image.min() <= image.max() <= 1.001)
    if not good:
        raise ValueError(f"images must be [H, W, C] or [H, W], uint8 or floats in [0, 1], not {found}: convert them")


def contrast(image: Any, factor: float) -> Any:
    is_rgb = image[0, 0].size == 3
    mean = np.dot(cv2.mean(image), (0.299, 0.587, 0.114, 0)) if is_rgb else cv2.mean(image.reshape(len(image), -1))[0]
    return cv2.LUT(image, np.clip(np.rint(np.arange(256) * factor + mean * (1 - factor)), 0, 255).astype(np.uint8))


def either(random: Random, low: float, high: float) -> float:
    return random.choice((low, high))


def flat(levels: Any, counts: Any) -> Any:
    step = (counts.sum() - counts[np.flatnonzero(counts)[-1]]) // 255
    return np.minimum((counts.cumsum() - counts + step // 2) // step, 255) if step else levels


def equalize(image: Any, share: float = 1.0) -> Any:
    return by_histogram(image, share, flat)


def posterize(image: Any, bits: float) -> Any:
    return image & (256 - 2 ** (8 - round(bits)))


def saturation(image: Any, factor: float) -> Any:
    channels = image[0, 0].size
    gray = np.array([(0.299, 0.587, 0.114) if channels == 3 else (1 / channels,) * channels] * channels)
    return cv2.transform(image, np.eye(channels) * factor + gray * (1 - factor))


def sharpness(image: Any, factor: float) -> Any:
    """A blend with a smoothed image, beyond it above 1; the border stays."""
    kernel = np.full((3, 3), (1 - factor) / 13, np.float32)
    kernel[1, 1] = (5 + 8 * factor) / 13
    sharp = image.copy()
    sharp[1:-1, 1:-1] = cv2.filter2D(image, -1, kernel)[1:-1, 1:-1].reshape(sharp[1:-1, 1:-1].shape)
    return sharp


def solarize(image: Any, threshold: float) -> Any:
    levels = np.arange(256)
    return cv2.LUT(image, np.where(levels < 255 * threshold - 0.01, levels, 255 - levels).astype(np.uint8))


class Augment(A.Sequential):
    """The policy for one image, with its boxes, masks and keypoints, in an ``A.Compose`` whose seed it follows."""

    worker: Any = None

    def __init__(self, p: float = 1.0) -> None:
        super().__init__([A.OneOf([
            A.Sequential([A.InvertImg(p=0.1), RandomValue(contrast, p=0.2, draw=either, factor=(0.4, 1.6))], p=0.04),
            A.Sequential([
                A.OneOf([
                    A.Sequential([
                        A.Rotate((-6.66666, -6.66666), interpolation=cv2.INTER_LINEAR, border_mode=cv2.BORDER_CONSTANT,
                            p=0.7),
                    ], p=0.5),
                    A.Sequential([
                        A.Rotate((6.66666, 6.66666), interpolation=cv2.INTER_LINEAR, border_mode=cv2.BORDER_CONSTANT,
                            p=0.7),
                    ], p=0.5),
                ], p=1),
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
                RandomValue(posterize, p=0.3, bits=(5, 5)),
            ], p=0.04),
            A.Sequential([
                RandomValue(saturation, p=0.4, draw=either, factor=(0.7, 1.3)),
                RandomValue(brightness, p=0.6, draw=either, factor=(0.3, 1.7)),
            ], p=0.04),
            A.Sequential([
                RandomValue(sharpness, p=0.3, draw=either, factor=(0.1, 1.9)),
                RandomValue(brightness, p=0.7, draw=either, factor=(0.1, 1.9)),
            ], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.6), RandomValue(equalize, p=0.5)], p=0.04),
            A.Sequential([
                RandomValue(contrast, p=0.6, draw=either, factor=(0.3, 1.7)),
                RandomValue(sharpness, p=0.6, draw=either, factor=(0.5, 1.5)),
            ], p=0.04),
            A.Sequential([
                RandomValue(saturation, p=0.7, draw=either, factor=(0.3, 1.7)),
                RandomWarp(affine, p=0.5, draw=either, x=(-0.40282, 0.40282)),
            ], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.3), RandomValue(autocontrast, p=0.4)], p=0.04),
            A.Sequential([
                RandomWarp(affine, p=0.4, draw=either, y=(-0.151057, 0.151057)),
                RandomValue(sharpness, p=0.2, draw=either, factor=(0.4, 1.6)),
            ], p=0.04),
            A.Sequential([
                RandomValue(brightness, p=0.9, draw=either, factor=(0.4, 1.6)),
                RandomValue(saturation, p=0.2, draw=either, factor=(0.2, 1.8)),
            ], p=0.04),
            A.Sequential([RandomValue(solarize, p=0.5, threshold=(0.777778, 0.777778))], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.2), RandomValue(autocontrast, p=0.6)], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.2), RandomValue(equalize, p=0.6)], p=0.04),
            A.Sequential([
                RandomValue(saturation, p=0.9, draw=either, factor=(0.1, 1.9)),
                RandomValue(equalize, p=0.6),
            ], p=0.04),
            A.Sequential([
                RandomValue(autocontrast, p=0.8),
                RandomValue(solarize, p=0.2, threshold=(0.111111, 0.111111)),
            ], p=0.04),
            A.Sequential([RandomValue(brightness, p=0.1, draw=either, factor=(0.7, 1.3))], p=0.04),
            A.Sequential([
                RandomValue(solarize, p=0.4, threshold=(0.444444, 0.444444)),
                RandomValue(autocontrast, p=0.9),
            ], p=0.04),
            A.Sequential([
                RandomWarp(affine, p=0.9, draw=either, y=(-0.453172, 0.453172)),
                RandomWarp(affine, p=0.7, draw=either, y=(-0.453172, 0.453172)),
            ], p=0.04),
            A.Sequential([
                RandomValue(autocontrast, p=0.9),
                RandomValue(solarize, p=0.8, threshold=(0.666667, 0.666667)),
            ], p=0.04),
            A.Sequential([RandomValue(equalize, p=0.8), A.InvertImg(p=0.1)], p=0.04),
            A.Sequential([
                RandomWarp(affine, p=0.7, draw=either, y=(-0.453172, 0.453172)),
                RandomValue(autocontrast, p=0.9),
            ], p=0.04),
        ], p=1)], p=p)

    def set_random_seed(self, seed: int | None) -> None:
        """All transforms draw from one stream; albumentations would give each the same numbers."""
        self.seed = seed
        self.set_random_state(np.random.default_rng(seed), Random(seed))

    def __call__(self, *args: Any, image: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        check(image)
        loading = sys.modules.get("torch.utils.data")
        worker = loading and loading.get_worker_info()
        if worker and worker.seed != self.worker:  # a worker process draws for itself, anew in each epoch
            self.worker = worker.seed
            self.set_random_seed(self.py_random.getrandbits(32) + worker.seed)
        return super().__call__(*args, image=image, force_apply=force_apply, **data)
