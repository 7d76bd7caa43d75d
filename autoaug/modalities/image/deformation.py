"""Deformation fields: each gives, for every output pixel, its source position in the input."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from autoaug.functional.noise import normal_noise, uniform_noise
from autoaug.modalities.image.warping import pixel_positions
from autoaug.modalities.operators import operator

field = partial(operator, modality="image", family="deformation", kind="field")


def own_positions(like: Tensor, size: tuple[int, int]) -> Tensor:
    """The position ``(x, y)`` of each pixel, ``[H, W, 2]``, in pixels from the center."""
    x, y = pixel_positions(like, *size)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)


@field("Elastic", unit="standard deviation of the shifts, fraction of the shorter side", limit=0.1)
def elastic(fraction: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Shift each pixel by a smooth random field (Simard et al., 2003): a cubic spline over 5 x 5 random vectors."""
    control = normal_noise(uniforms, (2, 5, 5)).to(fraction)
    shifts = interpolate(control, size, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    return own_positions(fraction, size) + fraction[:, None, None, None] * min(size) * shifts


@field("PatchShuffle", unit="distance of the exchanges, fraction of all patches", jumps=True)
def patch_shuffle(distance: Tensor, uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut the image into 4 x 4 patches and reorder them; a small distance exchanges neighbors."""
    rows, columns = min(4, size[0]), min(4, size[1])
    count, (height, width) = rows * columns, (size[0] // rows, size[1] // columns)
    keys = torch.arange(count, device=distance.device) + distance[:, None] * count * uniform_noise(uniforms, (count,))
    source = keys.argsort(1)
    y = torch.arange(size[0], device=distance.device)
    x = torch.arange(size[1], device=distance.device)
    patch = (y // height).clamp(max=rows - 1)[:, None] * columns + (x // width).clamp(max=columns - 1)
    shown = source[:, patch.flatten()].view(-1, *size)
    inside = (y < rows * height)[:, None] & (x < columns * width)  # the remainder that fills no patch stays
    shown = torch.where(inside, shown, patch)
    move = torch.stack(
        [(shown % columns - patch % columns) * width, (shown // columns - patch // columns) * height], -1
    )
    return own_positions(distance, size) + move
