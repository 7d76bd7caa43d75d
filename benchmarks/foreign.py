"""The work of ``scripts/bench_foreign``, which describes it."""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

import autoaug
from benchmarks import gap
from benchmarks.command import names
from benchmarks.planting import Arrays, planted
from benchmarks.results import Results

#: The shifted versions per training image that the oracle sees, and its passes in total: those of a default training.
TIMES, PASSES = 12, 40

#: From an image ``[H, W, C]`` in 0 to 255 and a random generator to the shifted image.
Shift = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def zoom(image: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Zoom by 0.6 to 1.4."""
    factor, center = draw.uniform(0.6, 1.4), (np.array(image.shape[:2]) - 1) / 2
    channels = np.moveaxis(image, -1, 0)
    moved = [ndimage.affine_transform(c, np.eye(2) / factor, center - center / factor, order=1) for c in channels]
    return np.stack(moved, -1)


def gamma(image: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Raise to the power of 0.35 to 2.8."""
    power = float(np.exp(draw.uniform(np.log(0.35), np.log(2.8))))
    return 255 * (image / 255) ** power


def salt(image: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Put salt and pepper on 2 to 20 % of the pixels."""
    drawn, share, salted = draw.random(image.shape[:2]), draw.uniform(0.02, 0.2), image.copy()
    salted[drawn < share / 2], salted[drawn > 1 - share / 2] = 0, 255
    return salted


def gray(image: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Put a gray box over 30 to 50 % of each side."""
    height, width = (int(draw.uniform(0.3, 0.5) * side) for side in image.shape[:2])
    top = draw.integers(0, image.shape[0] - height + 1)
    left = draw.integers(0, image.shape[1] - width + 1)
    hidden = image.copy()
    hidden[top : top + height, left : left + width] = 128
    return hidden


def jpeg(image: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Compress as JPEG at quality 5 to 30."""
    buffer = io.BytesIO()
    pixels = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8).squeeze())
    pixels.save(buffer, "JPEG", quality=int(draw.uniform(5, 30)))
    return np.asarray(Image.open(buffer)).reshape(image.shape)


def moved_and_blurred(image: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Move by up to 20 %, then blur."""
    down, right = (round(draw.uniform(-0.2, 0.2) * side) for side in image.shape[:2])
    moved = np.clip(ndimage.shift(image, (down, right, 0), order=0), 0, 255)
    sigma = draw.uniform(0.5, 1.8)
    blurred: np.ndarray = ndimage.gaussian_filter(moved, (sigma, sigma, 0))
    return blurred


PLANTS: dict[str, Shift] = {
    "zoom": zoom,
    "gamma": gamma,
    "salt": salt,
    "gray": gray,
    "jpeg": jpeg,
    "moved and blurred": moved_and_blurred,
}


def shifted(images: np.ndarray, shift: Shift, seed: int) -> np.ndarray:
    """Shift each of the images uint8 ``[n, H, W, C]`` with its own random draws."""
    moved = [shift(image.astype(float), np.random.default_rng([seed, i])) for i, image in enumerate(images)]
    return np.clip(np.round(np.stack(moved)), 0, 255).astype(np.uint8)


def recovery(data: Path, shift: Shift) -> dict[str, object]:
    """Search on shifted data, and measure how much of the gap to the oracle was closed."""
    arrays = planted(data, 5, lambda images, part: shifted(images, shift, 1 + part))
    train, labels = arrays["x_train"], arrays["y_train"]
    oracle: Arrays = {"x_train": np.concatenate([shifted(train, shift, 10 + k) for k in range(TIMES)])}
    oracle["y_train"] = np.tile(labels, TIMES)
    common: dict[str, Any] = {"seed": 0, "seeds": 3, "max_seeds": 3, "allow": ("leak", "conflict"), "workers": 1}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        np.savez(folder / "planted.npz", **arrays)
        np.savez(folder / "oracle.npz", **{**arrays, **oracle})
        taught = autoaug.compare(
            folder / "oracle.npz",
            ["none", "flip-crop"],
            out=folder / "taught",
            epochs=round(PASSES / TIMES),
            batch_size=64,
            **common,
        )
        result = autoaug.search(folder / "planted.npz", budget="10x", out=folder / "run", finalists=1, **common)
    return gap.closed(result, result.candidate("none").mean, taught.candidate("none").mean)


def main(options: argparse.Namespace) -> None:
    """Run the missing searches."""
    results = Results(options.out, vars(options))
    for plant in names(options.plants, PLANTS, "plant"):
        key = f"{options.data.stem}/{plant}"
        if results.once(results.items, key, partial(recovery, options.data, PLANTS[plant])):
            print(f"{key}: {gap.in_words(results.items[key])}", flush=True)
