"""Mixing of two images; see `autoaug.modalities.base.Mixer`. Plain functions, which exported modules contain verbatim
if they need them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import draw_beta, uniform
from autoaug.modalities.base import Batch
from autoaug.modalities.image.warping import warp

#: The kinds of mixing; mode 1 of a plan is the first one.
kinds: tuple[str, ...] = ("mixup", "cutmix", "resizemix", "samplepairing")


def draw_mixing(
    modes: tuple[int, int], probability: float, alpha: float, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw for n samples the mode (``[n]``: one of `modes` with equal probability, or 0 for no mixing), the partner
    (``[n]``), the own weight (``[n]``: 1 without mixing, otherwise from Beta(alpha, alpha); for ResizeMix, the
    partner's side is drawn from 0.1 to 0.8 of the sample's) and the center of the box (``[n, 2]``).
    """
    partner = torch.randperm(n, generator=generator, device="cpu")
    place = uniform(n, 2, generator)
    chance = uniform(n, 3, generator)
    weight = draw_beta(alpha, n, generator).float()
    mode = torch.where(chance[:, 1] < 0.5, *modes)
    side = 0.1 + 0.7 * chance[:, 2]
    weight = torch.where(mode == 3, 1 - side.square(), torch.where(mode == 4, 0.5, weight))
    mixed = chance[:, 0] < probability
    return torch.where(mixed, mode, 0), partner, torch.where(mixed, weight, 1.0), place


draw = draw_mixing


def mixing_box(mode: Tensor, weight: Tensor, place: Tensor, height: int, width: int) -> Tensor:
    """The box ``[n, 4]`` (top, bottom, left, right), in pixels, of the partner in CutMix and ResizeMix. It has a
    relative area of ``1 - weight`` around `place`; CutMix clips it at the border, ResizeMix moves it inside.
    """
    side = (1 - weight).sqrt()
    box = []
    for length, center in ((height, place[:, 0]), (width, place[:, 1])):
        whole = (side * length).round().clamp(max=length)
        inside = (center * (length - whole + 1)).floor().clamp(max=length - whole)
        low = torch.where(mode == 3, inside, ((center - side / 2) * length).round().clamp(0, length))
        high = torch.where(mode == 3, inside + whole, ((center + side / 2) * length).round().clamp(0, length))
        box += [low, high]
    return torch.stack(box, 1)


def own_share(mode: Tensor, weight: Tensor, place: Tensor, height: int, width: int) -> Tensor:
    """The weight ``[n, 1, H, W]`` of a sample's own pixels: `weight` if it is mixed as a whole; if it is mixed in a
    box, 0 inside the box and 1 outside.
    """
    top, bottom, left, right = mixing_box(mode, weight, place, height, width)[:, :, None].unbind(1)
    rows, columns = (torch.arange(length, device=top.device) for length in (height, width))
    down, across = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    inside = down[:, None, :, None] & across[:, None, None, :]
    in_box = ((mode == 2) | (mode == 3))[:, None, None, None]
    return torch.where(in_box, 1 - inside.float(), weight[:, None, None, None])


def label_share(mode: Tensor, own: Tensor) -> Tensor:
    """The weight ``[n]`` of a sample's own label: its mean share of the sample; SamplePairing keeps the label."""
    return torch.where(mode == 4, 1.0, own.mean((1, 2, 3)))


def mix_pairs(inputs: Tensor, partners: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """Mix each of ``inputs [n, C, H, W]`` with its partner; ResizeMix scales the partner into the box."""
    height, width = inputs.shape[-2:]
    own = own_share(mode, weight, place, height, width).to(inputs)
    scaled = (mode == 3).nonzero().squeeze(1)
    if len(scaled):
        top, bottom, left, right = mixing_box(mode, weight, place, height, width)[scaled].unbind(1)
        across, down = width / (right - left).clamp(min=1), height / (bottom - top).clamp(min=1)
        x, y = (left + right - width) / 2, (top + bottom - height) / 2
        none, one = torch.zeros_like(x), torch.ones_like(x)
        maps = torch.stack([across, none, -across * x, none, down, -down * y, none, none, one], 1).view(-1, 3, 3)
        rows = scaled.to(inputs.device)
        partners = partners.index_copy(0, rows, warp(partners[rows], maps.to(inputs), projective=False))
    return torch.lerp(partners, inputs, own)


def mix(batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
    """See `autoaug.modalities.base.Mixer`."""
    return batch._replace(values=mix_pairs(batch.values, partners.values, mode, weight, place))


def label_weights(batch: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """See `autoaug.modalities.base.Mixer`; the weight is the mean weight of the image's own pixels."""
    return label_share(mode, own_share(mode, weight, place, *batch.values.shape[-2:]))
