# Augmentation policy 'flip-crop' (324c80e51768), with only NumPy and Pillow.
# Exported by autoaug 0.1.0; runs without it: image = Augment(seed=0)(image)

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image


class InTurn:
    """Apply several steps, one after another."""

    def __init__(self, steps: Sequence[Any]) -> None:
        self.steps = steps

    def __call__(self, image: Any, draw: np.random.Generator) -> Any:
        for step in self.steps:
            image = step(image, draw)
        return image


class Random:
    """Apply a function of an image, with a probability and arguments drawn evenly between their ends."""

    def __init__(self, function: Any, p: float = 1.0, **ends: tuple[float, float]) -> None:
        self.function, self.p, self.ends = function, p, ends

    def __call__(self, image: Any, draw: np.random.Generator) -> Any:
        if self.p < 1 and draw.random() >= self.p:
            return image
        drawn = {name: low + (high - low) * self.share(draw) for name, (low, high) in self.ends.items()}
        return self.function(image, **drawn)

    def share(self, draw: np.random.Generator) -> float:
        return draw.random()


def check(images: Any) -> None:
    """Raise ValueError for images whose values would be misread."""
    found, good = getattr(images, "mode", type(images).__name__), False
    if isinstance(images, np.ndarray):
        found, good = f"{images.dtype} {list(images.shape)}", images.dtype == np.uint8 or images.dtype.kind == "f"
        if images.dtype.kind == "f" and images.size:
            found += f" from {images.min():g} to {images.max():g}"
            good = bool(-1e-3 <= images.min() <= images.max() <= 1.001)
        good = good and images.ndim in (2, 3, 4) and 0 not in images.shape[-3:]
    if not good:
        raise ValueError(
            "images must be L or RGB pictures, or arrays [H, W, C], [H, W] or [B, H, W, C] in uint8 or floats in "
            f"[0, 1], not {found}: convert them"
        )


def horizontal_flip(image: Any) -> Any:
    return np.ascontiguousarray(image[:, ::-1])


def shift(image: Any, right: int, down: int) -> Any:
    """Move by whole pixels; black comes in."""
    height, width = image.shape[:2]
    moved = np.zeros_like(image)
    moved[max(down, 0) : height + down, max(right, 0) : width + right] = image[
        max(-down, 0) : height - down, max(-right, 0) : width - right
    ]
    return moved


def pad_crop(image: Any, padding: float, x: float, y: float) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = (round(padding * length) for length in image.shape[:2])
    return shift(image, across - int(x * (2 * across + 1)), down - int(y * (2 * down + 1)))


class Augment:
    """The policy for a ``PIL.Image`` or an array ``[H, W, C]`` or ``[H, W]``, uint8 or floats in [0, 1], which it
    rounds to 256 levels; images ``[B, H, W, C]`` are augmented one by one. It is quickest with OpenCV.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed, self.worker = np.random.SeedSequence(seed).entropy, None
        self.draw = np.random.default_rng(self.seed)
        self.policy = InTurn([
            Random(horizontal_flip, p=0.5),
            Random(pad_crop, padding=(0.125, 0.125), x=(0, 1), y=(0, 1)),
        ])

    def __call__(self, images: Any) -> Any:
        if isinstance(images, Image.Image) and images.mode in ("L", "RGB"):
            return Image.fromarray(self(np.asarray(images)))
        check(images)
        if images.ndim == 4:
            return np.stack([*map(self, images)]) if len(images) else images
        loading = sys.modules.get("torch.utils.data")
        worker = loading and loading.get_worker_info()
        if worker and worker.seed != self.worker:  # a worker process draws for itself, anew in each epoch
            self.draw, self.worker = np.random.default_rng([self.seed, worker.seed]), worker.seed
        if images.dtype == np.uint8:
            return self.policy(images, self.draw)
        levels = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
        return (self.policy(levels, self.draw) / 255).astype(images.dtype)
