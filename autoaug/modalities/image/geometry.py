"""Warps: each returns the map from output to input positions, in pixels from the image center.

If papers and libraries disagree, torchvision is followed: shears are slopes (Kornia's augmentations take degrees) and
keep the top-left corner in place; translations are fractions of the size (TrivialAugment's fixed 32 pixels are noted in
its policy), in whole pixels; positive rotations are counterclockwise. Pixels from outside the image are 0.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from autoaug.functional.straight_through import straight_through, truncate_through
from autoaug.functional.tensors import constant
from autoaug.modalities.operators import operator

warp = partial(operator, modality="image", family="geometry", kind="warp")


def moved(*terms: tuple[Tensor, tuple[float, float, float], tuple[float, float, float]]) -> Tensor:
    """Maps ``[n, 3, 3]``: the identity, plus values ``[n]`` times constant matrices, given by their first two rows."""
    maps = constant(((1, 0, 0), (0, 1, 0), (0, 0, 1)), terms[0][0])
    for value, first, second in terms:
        maps = torch.addcmul(maps, value.view(-1, 1, 1), constant((first, second, (0, 0, 0)), value))
    return maps


@warp("HorizontalFlip", unit="switch", jumps=True)
def horizontal_flip(on: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Mirror left and right."""
    return moved(((on >= 0.5).to(on), (-2, 0, 0), (0, 0, 0)))


@warp("VerticalFlip", unit="switch", jumps=True)
def vertical_flip(on: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Mirror top and bottom."""
    return moved(((on >= 0.5).to(on), (0, 0, 0), (0, -2, 0)))


@warp("Transpose", unit="switch", jumps=True)
def transposition(on: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Mirror along the main diagonal.

    All images of a batch have one shape, so one that is not square cannot be transposed: it is mirrored left and right
    instead, and a search runs on it as on others. Applied with probability 0.5, after `QuarterTurn` with 0.75, it makes
    all eight views of a square equally likely, or all four of a rectangle.
    """
    on = (on >= 0.5).to(on)
    return moved((on, (-1, 1, 0), (1, -1, 0))) if size[0] == size[1] else moved((on, (-2, 0, 0), (0, 0, 0)))


def turned(cos: Tensor, sin: Tensor) -> Tensor:
    """Maps ``[n, 3, 3]`` of a counterclockwise turn about the center."""
    return moved((cos - 1, (1, 0, 0), (0, 1, 0)), (sin, (0, -1, 0), (1, 0, 0)))


@warp("QuarterTurn", unit="switch", jumps=True)
def quarter_turn(on: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Turn by 90, 180 or 270 degrees, each equally likely.

    Applied with probability 0.75, it makes all four rotations equally likely. All images of a batch have one shape, so
    one that is not square is turned by 180 degrees, in two of three cases, or not at all: applied with probability
    0.75, it makes both equally likely.
    """
    case = (3 * uniforms[:, 0]).floor()
    quarters = case + 1 if size[0] == size[1] else 2 * case.clamp(max=1)
    angle = math.pi / 2 * quarters * (on >= 0.5).to(on)
    return turned(angle.cos().round(), angle.sin().round())


@warp("Rotate", unit="degrees", limit=180.0, signed=True)
def rotate(degrees: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Rotate about the center."""
    angle = torch.deg2rad(degrees)
    return turned(angle.cos(), angle.sin())


@warp("ShearX", unit="slope", limit=1.0, signed=True)
def shear_x(slope: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Move rows sideways in proportion to their distance from the top."""
    return moved((slope, (0, 1, size[0] / 2), (0, 0, 0)))


@warp("ShearY", unit="slope", limit=1.0, signed=True)
def shear_y(slope: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Move columns up or down in proportion to their distance from the left."""
    return moved((slope, (0, 0, 0), (1, 0, size[1] / 2)))


@warp("TranslateX", unit="fraction of the width", limit=1.0, signed=True)
def translate_x(fraction: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Move sideways by whole pixels."""
    return moved((truncate_through(fraction * size[1]), (0, 0, -1), (0, 0, 0)))


@warp("TranslateY", unit="fraction of the height", limit=1.0, signed=True)
def translate_y(fraction: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Move up or down by whole pixels."""
    return moved((truncate_through(fraction * size[0]), (0, 0, 0), (0, 0, -1)))


@warp("Scale", unit="octaves", limit=1.0, signed=True)
def scale(octaves: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Zoom in (up to twice) or out (down to half) about the center."""
    return moved((torch.exp2(-octaves) - 1, (1, 0, 0), (0, 1, 0)))


@warp("AnisotropicScale", unit="octaves", limit=1.0, signed=True)
def anisotropic_scale(octaves: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Stretch the width and squeeze the height (or vice versa), keeping the area."""
    return moved(
        (torch.exp2(-octaves / 2) - 1, (1, 0, 0), (0, 0, 0)), (torch.exp2(octaves / 2) - 1, (0, 0, 0), (0, 1, 0))
    )


@warp("PadCrop", unit="fraction of the size", limit=0.5)
def pad_crop(fraction: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Pad with zeros on every side, then crop the original size at a random place, in whole pixels."""

    def offset(draw: Tensor, length: int) -> Tensor:
        padding = fraction * length
        whole = padding.detach().round()
        place = (draw * (2 * whole + 1)).floor() - whole
        return straight_through(place, place + (2 * draw - 1) * (padding - padding.detach()))

    return moved(
        (offset(uniforms[:, 0], size[1]), (0, 0, 1), (0, 0, 0)), (offset(uniforms[:, 1], size[0]), (0, 0, 0), (0, 0, 1))
    )


@warp("RandomResizedCrop", unit="share of the area left out at most", limit=0.92)
def random_resized_crop(share: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale a random part to the full size (Szegedy et al., 2015).

    Its area is uniform, and its aspect ratio is log-uniform from 3/4 to 4/3 if up to 0.92 of the area may be left out,
    and closer to 1 if less may be; a side that would be longer than that of the image is cut to it. All sampled
    positions lie between the centers of the outermost pixels, so that nothing of the 0 beyond the border is mixed in,
    which would show in small images.
    """
    area = 1 - share * uniforms[:, 0]
    aspect = torch.exp(share / 0.92 * math.log(4 / 3) * (2 * uniforms[:, 1] - 1))
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    x, y = (1 - width) * (size[1] - 1) * (uniforms[:, 2] - 0.5), (1 - height) * (size[0] - 1) * (uniforms[:, 3] - 0.5)
    still = (0.0, 0.0, 0.0)
    return moved(
        (width - 1, (1, 0, 0), still), (x, (0, 0, 1), still), (height - 1, still, (0, 1, 0)), (y, still, (0, 0, 1))
    )


@warp("Perspective", kind="projection", unit="depth from the middle to a corner", limit=0.6)
def perspective(depth: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Tilt the image out of its plane, about a random axis through its center."""
    angle = 2 * math.pi * uniforms[:, 0]
    cos, sin = depth * angle.cos() * math.sqrt(2) / size[1], depth * angle.sin() * math.sqrt(2) / size[0]
    zero, one = torch.zeros_like(depth), torch.ones_like(depth)
    return torch.stack([one, zero, zero, zero, one, zero, cos, sin, one], -1).view(-1, 3, 3)
