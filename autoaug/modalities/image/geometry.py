"""Warps: each gives the map from output to input positions, in pixels from the image's centre.

Where the papers and libraries disagree, torchvision is followed: shears are slopes (Kornia's augmentations take
degrees) and keep the top-left corner in place, translations are a fraction of the size (TrivialAugment's 32 pixels,
whatever the size, are told of in the policy) and whole pixels, positive rotations turn counter-clockwise. Pixels from
outside the image are 0.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from autoaug.gradients import round_through, truncate_through
from autoaug.operators import operator

warp = partial(operator, modality="image", family="geometry", kind="warp")


def affine(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor, f: Tensor) -> Tensor:
    """Stack ``x = a x' + b y' + c``, ``y = d x' + e y' + f`` (each ``[n]``) into maps ``[n, 3, 3]``."""
    zero = torch.zeros_like(a)
    return torch.stack([a, b, c, d, e, f, zero, zero, zero + 1], dim=-1).view(-1, 3, 3)


@warp("HorizontalFlip", unit="switch")
def horizontal_flip(on: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Mirror left and right."""
    one, zero = torch.ones_like(on), torch.zeros_like(on)
    return affine(1 - 2 * round_through(on), zero, zero, zero, one, zero)


@warp("VerticalFlip", unit="switch")
def vertical_flip(on: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Mirror top and bottom."""
    one, zero = torch.ones_like(on), torch.zeros_like(on)
    return affine(one, zero, zero, zero, 1 - 2 * round_through(on), zero)


@warp("Rotate", unit="degrees", limit=180.0, signed=True)
def rotate(degrees: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Rotate about the centre."""
    angle = torch.deg2rad(degrees)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return affine(cos, -sin, zero, sin, cos, zero)


@warp("ShearX", unit="slope", limit=1.0, signed=True)
def shear_x(slope: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Move rows sideways in proportion to their distance from the top."""
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    return affine(one, slope, slope * size[0] / 2, zero, one, zero)


@warp("ShearY", unit="slope", limit=1.0, signed=True)
def shear_y(slope: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Move columns up or down in proportion to their distance from the left."""
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    return affine(one, zero, zero, slope, one, slope * size[1] / 2)


@warp("TranslateX", unit="fraction of the width", limit=1.0, signed=True)
def translate_x(fraction: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Move sideways by whole pixels."""
    one, zero = torch.ones_like(fraction), torch.zeros_like(fraction)
    return affine(one, zero, -truncate_through(fraction * size[1]), zero, one, zero)


@warp("TranslateY", unit="fraction of the height", limit=1.0, signed=True)
def translate_y(fraction: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Move up or down by whole pixels."""
    one, zero = torch.ones_like(fraction), torch.zeros_like(fraction)
    return affine(one, zero, zero, zero, one, -truncate_through(fraction * size[0]))


@warp("Scale", unit="octaves", limit=1.0, signed=True)
def scale(octaves: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Zoom in (up to twice) or out (down to half) about the centre."""
    factor, zero = torch.exp2(-octaves), torch.zeros_like(octaves)
    return affine(factor, zero, zero, zero, factor, zero)


@warp("PadCrop", unit="fraction of the size", limit=0.5)
def pad_crop(fraction: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Pad with zeros on every side, then crop the original size at a random place, in whole pixels."""
    one, zero = torch.ones_like(fraction), torch.zeros_like(fraction)

    def offset(draw: Tensor, length: int) -> Tensor:
        padding = fraction * length
        whole = padding.detach().round()
        place = (draw * (2 * whole + 1)).floor() - whole
        return place + (2 * draw - 1) * (padding - padding.detach())

    return affine(one, zero, offset(draws[:, 0], size[1]), zero, one, offset(draws[:, 1], size[0]))


@warp("AnisotropicScale", unit="octaves", limit=1.0, signed=True)
def anisotropic_scale(octaves: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Stretch the width and squeeze the height (or the other way round), keeping the area."""
    factor, zero = torch.exp2(octaves / 2), torch.zeros_like(octaves)
    return affine(1 / factor, zero, zero, zero, factor, zero)


@warp("RandomResizedCrop", unit="share of the area left out at most", limit=0.92)
def random_resized_crop(share: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale a random part to the full size (Szegedy et al., 2015).

    Its area is uniform, its aspect ratio log-uniform in 3/4 to 4/3 where 0.92 of the area may be left out, and
    nearer to 1 where less may be.
    """
    area = 1 - share * draws[:, 0]
    aspect = torch.exp(share / 0.92 * math.log(4 / 3) * (2 * draws[:, 1] - 1))
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    x, y = (1 - width) * size[1] * (draws[:, 2] - 0.5), (1 - height) * size[0] * (draws[:, 3] - 0.5)
    zero = torch.zeros_like(share)
    return affine(width, zero, x, zero, height, y)


@warp("Perspective", kind="projection", unit="depth from the middle to a corner", limit=0.6)
def perspective(depth: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Tilt the image out of its plane, about a random axis through its centre."""
    angle = 2 * math.pi * draws[:, 0]
    cos, sin = depth * angle.cos() * math.sqrt(2) / size[1], depth * angle.sin() * math.sqrt(2) / size[0]
    zero, one = torch.zeros_like(depth), torch.ones_like(depth)
    return torch.stack([one, zero, zero, zero, one, zero, cos, sin, one], -1).view(-1, 3, 3)
