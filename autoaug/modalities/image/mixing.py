"""Mixing two images, as `Mixing` asks for it."""

from __future__ import annotations

from torch import Tensor

from autoaug.functional import mixing

kinds: tuple[str, ...] = mixing.MIXINGS
mix = mixing.mix_pairs


def label_share(values: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """The weight ``[n]`` of each image's own label: its mean share of the pixels of ``values [n, C, H, W]``."""
    return mixing.label_share(mode, mixing.own_share(mode, weight, place, *values.shape[-2:]))
