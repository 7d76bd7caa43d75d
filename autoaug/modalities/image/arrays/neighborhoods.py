"""Operators that are neither warps nor curves, on uint8 images ``[H, W]`` or ``[H, W, C]``: each returns a new image.

The same operators as in `autoaug.modalities.image.color`, `tone`, `filters`, `occlusion`, `weather` and `sensor`, which
explain them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import cv2
import numpy as np

from autoaug.modalities.image.arrays.values import as_levels, channels_of, gray_weights, random_order
from autoaug.modalities.image.exports import array_noise, arrays

Uniforms = Sequence[float]


@cache
def _toward(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """The identity of the channels, and the way from there to their gray value."""
    identity = np.eye(channels)
    return identity, np.array([gray_weights(channels)] * channels) - identity


def _toward_gray(image: np.ndarray, share: float) -> np.ndarray:
    if image.ndim == 2:
        return image.copy()
    identity, way = _toward(channels_of(image))
    return cv2.transform(image, identity + share * way)


def _saturation(image: np.ndarray, change: float, uniforms: Uniforms) -> np.ndarray:
    return _toward_gray(image, -change)


def _grayscale(image: np.ndarray, share: float, uniforms: Uniforms) -> np.ndarray:
    return _toward_gray(image, share)


def _channel_shuffle(image: np.ndarray, share: float, uniforms: Uniforms) -> np.ndarray:
    channels = channels_of(image)
    if channels == 1:
        return image.copy()
    identity = np.eye(channels)
    return cv2.transform(image, identity + share * (identity[random_order(uniforms, channels)] - identity))


def _hue(image: np.ndarray, turns: float, uniforms: Uniforms) -> np.ndarray:
    if channels_of(image) != 3 or turns == 0:
        return image.copy()
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + 360 * turns) % 360
    return as_levels(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


#: The kernel of the identity, and its difference from the smoothing kernel of Pillow.
_ITSELF = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32)
_EDGES = _ITSELF - np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


def _sharpness(image: np.ndarray, change: float, uniforms: Uniforms) -> np.ndarray:
    height, width = image.shape[:2]
    if min(height, width) < 3:
        return image.copy()
    sharp = cv2.filter2D(image, -1, _ITSELF + change * _EDGES)
    for border in (np.s_[:: height - 1], np.s_[:, :: width - 1]):
        sharp[border] = image[border]
    return sharp


def _gaussian_blur(image: np.ndarray, fraction: float, uniforms: Uniforms) -> np.ndarray:
    shorter = min(image.shape[:2])
    sigma = max(fraction * shorter, 0.05)
    radius = min(math.ceil(3 * 0.06 * shorter), shorter - 1, math.ceil(4 * sigma))  # beyond, weights are below 1e-3
    if radius < 1 or fraction <= 0:
        return image.copy()
    return cv2.GaussianBlur(image, (2 * radius + 1,) * 2, sigma, borderType=cv2.BORDER_REFLECT_101)


def _median_blur(image: np.ndarray, share: float, uniforms: Uniforms) -> np.ndarray:
    return cv2.addWeighted(image, 1 - share, cv2.medianBlur(image, 3), share, 0)


def _motion_blur(image: np.ndarray, fraction: float, uniforms: Uniforms) -> np.ndarray:
    shorter = min(image.shape[:2])
    length, angle = fraction * shorter, math.pi * uniforms[0]
    radius = min(math.ceil(0.25 * shorter / 2), math.ceil(length / 2 + 1))  # beyond, weights are 0
    offset = np.arange(-radius, radius + 1)
    along = offset * math.cos(angle) + offset[:, None] * math.sin(angle)
    across = offset * math.sin(angle) - offset[:, None] * math.cos(angle)
    kernel = np.maximum(1 - np.hypot(across, np.maximum(np.abs(along) - length / 2, 0)), 0)
    return cv2.filter2D(image, -1, (kernel / kernel.sum()).astype(np.float32), borderType=cv2.BORDER_REPLICATE)


def _emboss(image: np.ndarray, strength: float, uniforms: Uniforms) -> np.ndarray:
    kernel = np.array([[-strength, 0, 0], [0, 1, 0], [0, 0, strength]], np.float32)
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def _inside(center: float, half: float, length: int) -> slice:
    """The pixels whose centers are nearer than `half` to a position, along an axis of that `length`."""
    first, last = math.floor(center - half - 0.5) + 1, math.ceil(center + half - 0.5)
    return slice(min(max(first, 0), length), min(max(last, 0), length))


def _filled(image: np.ndarray, side: float, aspect: float, uniforms: Uniforms, color: object) -> np.ndarray:
    """A copy with a rectangle in one color; `side` is a fraction of the shorter side."""
    height, width = image.shape[:2]
    half, root = side * min(height, width) / 2, math.sqrt(aspect)
    rows, columns = (
        _inside(uniforms[0] * height, half * root, height),
        _inside(uniforms[1] * width, half / root, width),
    )
    made = image.copy()
    made[rows, columns] = color
    return made


def _stretched(uniforms: Uniforms) -> float:
    return math.exp(math.log(3.3) * (2 * uniforms[2] - 1))


def _cutout(image: np.ndarray, fraction: float, uniforms: Uniforms) -> np.ndarray:
    return _filled(image, fraction, 1.0, uniforms, 128)


def _erase(image: np.ndarray, area: float, uniforms: Uniforms) -> np.ndarray:
    return _filled(image, math.sqrt(area), _stretched(uniforms), uniforms, 0)


def _erase_mean(image: np.ndarray, area: float, uniforms: Uniforms) -> np.ndarray:
    mean = np.rint(cv2.mean(image)[: channels_of(image)])
    color = mean if image.ndim > 2 else mean[0]
    return _filled(image, math.sqrt(area), _stretched(uniforms), uniforms, color)


def _grid_mask(image: np.ndarray, share: float, uniforms: Uniforms) -> np.ndarray:
    height, width = image.shape[:2]
    period = (0.2 + 0.4 * uniforms[0]) * min(height, width)
    rows, columns = (
        (((np.arange(length) + 0.5) / period + place) % 1 < share).nonzero()[0]
        for length, place in ((height, uniforms[1]), (width, uniforms[2]))
    )
    made = image.copy()
    made[np.ix_(rows, columns)] = 0
    return made


def _in_floats(function: Callable[..., np.ndarray]) -> Callable[[np.ndarray, float, Uniforms], np.ndarray]:
    """An operator of the exported NumPy code, on one image."""

    def on_levels(image: np.ndarray, value: float, uniforms: Uniforms) -> np.ndarray:
        batch = (image if image.ndim > 2 else image[..., None])[None].astype(np.float32) / np.float32(255)
        made = function(batch, np.array([value], np.float32), np.array([uniforms], np.float32))
        return as_levels(made).reshape(image.shape)

    return on_levels


#: The new image for an image, a value in the operator's unit, and four uniform numbers, by the operator's name.
OPERATIONS: Mapping[str, Callable[[np.ndarray, float, Uniforms], np.ndarray]] = {
    "Saturation": _saturation,
    "Grayscale": _grayscale,
    "ChannelShuffle": _channel_shuffle,
    "Hue": _hue,
    "Sharpness": _sharpness,
    "GaussianBlur": _gaussian_blur,
    "MedianBlur": _median_blur,
    "MotionBlur": _motion_blur,
    "Emboss": _emboss,
    "Cutout": _cutout,
    "Erase": _erase,
    "EraseMean": _erase_mean,
    "GridMask": _grid_mask,
    "EraseNoise": _in_floats(array_noise.erase_noise),
    "GaussianNoise": _in_floats(array_noise.gaussian_noise),
    "PoissonNoise": _in_floats(array_noise.poisson_noise),
    "SaltAndPepper": _in_floats(array_noise.salt_and_pepper),
    "Vignette": _in_floats(arrays.vignette),
}
