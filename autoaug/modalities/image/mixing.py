"""Mixing of two images; see `autoaug.modalities.base.Mixer`. Plain functions, which exported modules contain verbatim
if they need them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import draw_beta, uniform
from autoaug.functional.tensors import sent
from autoaug.modalities.base import Batch
from autoaug.modalities.image.warping import warp

#: The kinds of mixing; mode 1 of a plan is the first one.
kinds: tuple[str, ...] = ("mixup", "cutmix", "resizemix", "samplepairing")
#: Whether mixed samples have mixed labels.
mixes_labels = True


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


def is_boxed(mode: Tensor) -> Tensor:
    """Which samples ``[n]`` are mixed in a box; all others as a whole."""
    return (mode == 2) | (mode == 3)


def label_share(mode: Tensor, weight: Tensor, place: Tensor, height: int, width: int) -> Tensor:
    """The weight ``[n]`` of a sample's own label: its share of the pixels; SamplePairing keeps the label."""
    top, bottom, left, right = mixing_box(mode, weight, place, height, width).unbind(1)
    outside = 1 - (bottom - top) * (right - left) / (height * width)
    return torch.where(is_boxed(mode), outside, torch.where(mode == 4, 1.0, weight))


def mix_pairs(inputs: Tensor, partners: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """Mix each of ``inputs [n, C, H, W]`` with its partner, one kind after another: a weight of 1 leaves the others as
    they are. `mode` is on the host; weights on another device are those of a single kind.
    """
    for kind in sorted(set(mode.tolist()) - {0}):
        own = torch.where(mode == kind, weight, 1.0) if weight.device == mode.device else weight
        inputs = mix_kind(inputs, partners, kind, sent(own, inputs.device), sent(place, inputs.device))
    return inputs


def mix_kind(inputs: Tensor, partners: Tensor, kind: int, weight: Tensor, place: Tensor) -> Tensor:
    """Mix in one mode; ResizeMix scales the partner into the box."""
    if kind not in (2, 3):
        return torch.lerp(partners, inputs, weight.to(inputs)[:, None, None, None])
    height, width = inputs.shape[-2:]
    boxes = mixing_box(torch.full_like(weight, kind), weight, place, height, width)
    if kind == 3:
        partners = warp(partners, maps_into(boxes, height, width).to(inputs), projective=False)
    top, bottom, left, right = boxes[:, :, None].unbind(1)
    y, x = (torch.arange(length, device=inputs.device) for length in (height, width))
    inside = ((y >= top) & (y < bottom))[:, None, :, None] & ((x >= left) & (x < right))[:, None, None, :]
    return torch.where(inside, partners, inputs)


def maps_into(boxes: Tensor, height: int, width: int) -> Tensor:
    """The maps ``[n, 3, 3]`` that scale whole images into ``boxes [n, 4]``."""
    top, bottom, left, right = boxes.unbind(1)
    across, down = width / (right - left).clamp(min=1), height / (bottom - top).clamp(min=1)
    x, y = (left + right - width) / 2, (top + bottom - height) / 2
    none, one = torch.zeros_like(x), torch.ones_like(x)
    return torch.stack([across, none, -across * x, none, down, -down * y, none, none, one], 1).view(-1, 3, 3)


def mix(batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
    """See `autoaug.modalities.base.Mixer`."""
    return batch._replace(values=mix_pairs(batch.values, partners.values, mode, weight, place))


def label_weights(batch: Batch, partner: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """See `autoaug.modalities.base.Mixer`; the weight is the mean weight of the image's own pixels."""
    return label_share(mode, weight, place, *batch.values.shape[-2:])
