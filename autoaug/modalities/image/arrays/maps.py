"""Warps as maps from output to input positions, in pixels from the image center: nine plain numbers, row by row.

The same maps as in `autoaug.modalities.image.geometry`, which explains them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

Map = tuple[float, float, float, float, float, float, float, float, float]
#: Its first two rows.
Affine = tuple[float, float, float, float, float, float]
Size = tuple[int, int]

IDENTITY: Map = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def compose(first: Map, then: Map) -> Map:
    """The map of an image that is moved by `first` and `then`: the matrix product, as output positions are mapped."""
    a, b, c, d, e, f, g, h, i = first
    p, q, r, s, t, u, v, w, x = then
    return (
        *(a * p + b * s + c * v, a * q + b * t + c * w, a * r + b * u + c * x),
        *(d * p + e * s + f * v, d * q + e * t + f * w, d * r + e * u + f * x),
        *(g * p + h * s + i * v, g * q + h * t + i * w, g * r + h * u + i * x),
    )


def on_pixels(map_: Map, size: Size) -> Map:
    """The map between pixel indices, in which OpenCV counts."""
    x, y = (size[1] - 1) / 2, (size[0] - 1) / 2
    if map_[6] == map_[7] == 0:  # the same as below, in a third of the time
        a, b, c, d, e, f, *last = map_
        return (a, b, c + x - a * x - b * y, d, e, f + y - d * x - e * y, *last)  # type: ignore[return-value]
    return compose(compose(_shift(x, y), map_), _shift(-x, -y))


def in_whole_numbers(affine: Affine, size: Size) -> tuple[int, ...] | None:
    """An affine map between pixel indices in whole numbers, if each pixel is taken from one pixel, up to rounding; see
    `autoaug.modalities.image.warping`.
    """
    a, b, c, d, e, f = affine
    most = 1e-3 / max(size)
    if abs(a - round(a)) > most or abs(b - round(b)) > most or abs(d - round(d)) > most or abs(e - round(e)) > most:
        return None
    if abs(c - round(c)) >= 1e-3 or abs(f - round(f)) >= 1e-3:
        return None
    return round(a), round(b), round(c), round(d), round(e), round(f)


def _shift(x: float, y: float) -> Map:
    return (1.0, 0.0, x, 0.0, 1.0, y, 0.0, 0.0, 1.0)


def _turn(cos: float, sin: float) -> Map:
    return (cos, -sin, 0.0, sin, cos, 0.0, 0.0, 0.0, 1.0)


def _stretch(x: float, y: float) -> Map:
    return (x, 0.0, 0.0, 0.0, y, 0.0, 0.0, 0.0, 1.0)


def _whole(value: float) -> float:
    return float(math.trunc(value + math.copysign(1e-3, value)))


def _horizontal_flip(on: float, uniforms: Sequence[float], size: Size) -> Map:
    return _stretch(-1.0, 1.0) if on >= 0.5 else IDENTITY


def _vertical_flip(on: float, uniforms: Sequence[float], size: Size) -> Map:
    return _stretch(1.0, -1.0) if on >= 0.5 else IDENTITY


def _transpose(on: float, uniforms: Sequence[float], size: Size) -> Map:
    if on < 0.5:
        return IDENTITY
    return (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0) if size[0] == size[1] else _stretch(-1.0, 1.0)


def _quarter_turn(on: float, uniforms: Sequence[float], size: Size) -> Map:
    if on < 0.5:
        return IDENTITY
    case = math.floor(3 * uniforms[0])
    quarters = case + 1 if size[0] == size[1] else 2 * min(case, 1)
    return _turn(*((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[quarters])


def _rotate(degrees: float, uniforms: Sequence[float], size: Size) -> Map:
    angle = math.radians(degrees)
    return _turn(math.cos(angle), math.sin(angle))


def _shear_x(slope: float, uniforms: Sequence[float], size: Size) -> Map:
    return (1.0, slope, slope * size[0] / 2, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def _shear_y(slope: float, uniforms: Sequence[float], size: Size) -> Map:
    return (1.0, 0.0, 0.0, slope, 1.0, slope * size[1] / 2, 0.0, 0.0, 1.0)


def _translate_x(fraction: float, uniforms: Sequence[float], size: Size) -> Map:
    return _shift(-_whole(fraction * size[1]), 0.0)


def _translate_y(fraction: float, uniforms: Sequence[float], size: Size) -> Map:
    return _shift(0.0, -_whole(fraction * size[0]))


def _scale(octaves: float, uniforms: Sequence[float], size: Size) -> Map:
    return _stretch(2**-octaves, 2**-octaves)


def _anisotropic_scale(octaves: float, uniforms: Sequence[float], size: Size) -> Map:
    return _stretch(2 ** (-octaves / 2), 2 ** (octaves / 2))


def _pad_crop(fraction: float, uniforms: Sequence[float], size: Size) -> Map:
    return _shift(_within_pad(fraction * size[1], uniforms[0]), _within_pad(fraction * size[0], uniforms[1]))


def _within_pad(pad: float, uniform: float) -> int:
    """A place from -pad to pad."""
    whole = round(float(np.float32(pad)))  # 3.5, not 3.4999999
    return math.floor(uniform * (2 * whole + 1)) - whole


def _random_resized_crop(share: float, uniforms: Sequence[float], size: Size) -> Map:
    area = 1 - share * uniforms[0]
    aspect = math.exp(share / 0.92 * math.log(4 / 3) * (2 * uniforms[1] - 1))
    width, height = min(math.sqrt(area * aspect), 1.0), min(math.sqrt(area / aspect), 1.0)
    x, y = (1 - width) * (size[1] - 1) * (uniforms[2] - 0.5), (1 - height) * (size[0] - 1) * (uniforms[3] - 0.5)
    return (width, 0.0, x, 0.0, height, y, 0.0, 0.0, 1.0)


def _perspective(depth: float, uniforms: Sequence[float], size: Size) -> Map:
    angle = 2 * math.pi * uniforms[0]
    root = depth * math.sqrt(2)
    return (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, root * math.cos(angle) / size[1], root * math.sin(angle) / size[0], 1.0)


#: The map for a value in the operator's unit, four uniform numbers and the image's size, by the operator's name.
MAPS: Mapping[str, Callable[[float, Sequence[float], Size], Map]] = {
    "HorizontalFlip": _horizontal_flip,
    "VerticalFlip": _vertical_flip,
    "Transpose": _transpose,
    "QuarterTurn": _quarter_turn,
    "Rotate": _rotate,
    "ShearX": _shear_x,
    "ShearY": _shear_y,
    "TranslateX": _translate_x,
    "TranslateY": _translate_y,
    "Scale": _scale,
    "AnisotropicScale": _anisotropic_scale,
    "PadCrop": _pad_crop,
    "RandomResizedCrop": _random_resized_crop,
    "Perspective": _perspective,
}
