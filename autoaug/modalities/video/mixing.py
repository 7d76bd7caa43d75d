"""Mixing of two clips; see `autoaug.modalities.base.Mixer`. All frames of a clip are mixed as images are, with the
partner's frame of the same time, by one weight and in one box (VideoMix; Yun et al., 2020).
"""

from __future__ import annotations

from torch import Tensor

from autoaug.modalities.base import Batch
from autoaug.modalities.image.mixing import draw, kinds, label_weights, mix_pairs, mixes_labels

__all__ = ["draw", "kinds", "label_weights", "mix", "mix_clips", "mixes_labels"]


def mix_clips(clips: Tensor, partners: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """Mix each of ``clips [n, T, C, H, W]`` with its partner in its own mode; `mode` is on the host."""
    return mix_pairs(clips.flatten(1, 2), partners.flatten(1, 2), mode, weight, place).view(clips.shape)


def mix(batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
    """See `autoaug.modalities.base.Mixer`."""
    return Batch(mix_clips(batch.values, partners.values, mode, weight, place))
