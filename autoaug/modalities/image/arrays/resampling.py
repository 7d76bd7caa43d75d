"""Warp images by OpenCV: bilinear, 0 outside. Maps that take pixels to pixels copy them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from autoaug.modalities.image.arrays.maps import Map, Size, in_whole_numbers, on_pixels

#: OpenCV warps four channels in half the time of three: of more values, conversions included, faster, and equally.
_MANY = 48 * 48 * 3


def warped(image: np.ndarray, map_: Map) -> np.ndarray:
    """The image ``[H, W, ...]`` whose pixels come from where the map, from the image center, points to; the given one
    if nothing moves.
    """
    height, width = size = image.shape[:2]
    direct = on_pixels(map_, size)
    if direct[6] == direct[7] == 0:
        affine = direct[:6]
        whole = in_whole_numbers(affine, size)
        if whole is not None:
            return _copied(image, *whole)
        return _resampled(cv2.warpAffine, image, np.array(affine).reshape(2, 3), cv2.INTER_LINEAR)
    corners = [(x, y) for x in (0, width - 1) for y in (0, height - 1)]
    if all(direct[6] * x + direct[7] * y + direct[8] > 1e-6 for x, y in corners):
        return _resampled(cv2.warpPerspective, image, np.array(direct).reshape(3, 3), cv2.INTER_LINEAR)
    return taken(image, through(own_positions(size), map_))


def _copied(image: np.ndarray, a: int, b: int, x: int, d: int, e: int, y: int) -> np.ndarray:
    """The image at ``(a i + b j + x, d i + e j + y)`` for each pixel ``(i, j)``, all whole numbers."""
    height, width = image.shape[:2]
    if b or d or abs(a) != 1 or abs(e) != 1:
        return _resampled(cv2.warpAffine, image, np.array([[a, b, x], [d, e, y]], np.float64), cv2.INTER_NEAREST)
    # Flips and shifts, in a fraction of a warp's time.
    if a < 0:
        image, x = cv2.flip(image, 1), width - 1 - x
    if e < 0:
        image, y = cv2.flip(image, 0), height - 1 - y
    if x == y == 0:
        return image
    made = np.zeros(image.shape, np.uint8)
    part = image[max(y, 0) : max(height + y, 0), max(x, 0) : max(width + x, 0)]
    made[max(-y, 0) : max(height - y, 0), max(-x, 0) : max(width - x, 0)] = part
    return made


def _resampled(warp: Callable[..., np.ndarray], image: np.ndarray, matrix: np.ndarray, how: int) -> np.ndarray:
    """The image warped by a function of OpenCV, and a matrix from pixels of the output to positions in the input."""
    three = image.ndim == 3 and image.shape[2] == 3 and image.size > _MANY
    given = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA) if three else image
    made = warp(given, matrix, image.shape[1::-1], flags=how | cv2.WARP_INVERSE_MAP)
    return cv2.cvtColor(made, cv2.COLOR_RGBA2RGB) if three else made


@lru_cache(maxsize=8)
def own_positions(size: Size) -> np.ndarray:
    """The position ``(x, y)`` of each pixel, float32 ``[H, W, 2]``, in pixels from the center."""
    x, y = (np.arange(length, dtype=np.float32) - np.float32((length - 1) / 2) for length in (size[1], size[0]))
    positions = np.stack(np.meshgrid(x, y), -1)
    positions.flags.writeable = False  # it is shared
    return positions


def through(positions: np.ndarray, map_: Map) -> np.ndarray:
    """Positions ``[H, W, 2]`` mapped; behind the horizon they fall outside the image."""
    mapped = cv2.transform(positions, np.array(map_, np.float32).reshape(3, 3))
    return mapped[..., :2] / np.maximum(mapped[..., 2:], np.float32(1e-6))


def taken(image: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The image at the ``positions [H, W, 2]``, in pixels from the center."""
    height, width = image.shape[:2]
    pixels = (positions + np.array([(width - 1) / 2, (height - 1) / 2], np.float32)).astype(np.float32)
    pixels = np.clip(pixels, -2, max(height, width) + 1)  # OpenCV's own conversion to integers wraps around
    return cv2.remap(image, pixels, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
