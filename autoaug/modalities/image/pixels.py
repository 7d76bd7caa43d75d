"""Checks and conversions of pixel values: plain functions, which exported modules contain verbatim."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autoaug.functional.bounds import needs_clamp
from autoaug.functional.straight_through import straight_through
from autoaug.functional.tensors import check_dense, nan_unless


def as_batch(inputs: Any) -> Tensor:
    """Samples ``[B, C, H, W]``, or a single one ``[C, H, W]``, as a batch; raises ValueError for anything else."""
    if not isinstance(inputs, Tensor):
        many = isinstance(inputs, list | tuple)
        cure = "stack them with torch.stack" if many else "convert it, as torchvision.transforms.v2.ToImage() does"
        raise ValueError(f"samples must be a torch.Tensor [B, C, H, W], not a {type(inputs).__name__}; {cure}")
    if inputs.ndim not in (3, 4):
        raise ValueError(f"samples must be [B, C, H, W], or a single [C, H, W], not of shape {list(inputs.shape)}")
    check_dense(inputs)
    return inputs.as_subclass(Tensor)[None] if inputs.ndim == 3 else inputs.as_subclass(Tensor)


def check_inputs(inputs: Tensor, values: bool = True) -> Tensor:
    """Check ``inputs [n, C, H, W]``, uint8 or floating point in [0, 1]. Returns the same tensor, or a clamped copy,
    through which gradients pass, if values are outside only by rounding.

    Raises ValueError for anything else. With `values` False, the values are not checked. On a GPU no error is raised
    for values, for which the host would have to wait: samples with wrong ones become NaN.
    """
    if inputs.ndim != 4:
        raise ValueError(f"samples must be [B, C, H, W], not of shape {list(inputs.shape)}")
    if 0 in inputs.shape[1:]:
        raise ValueError(f"samples must have at least one channel and one pixel, not the shape {list(inputs.shape)}")
    if inputs.dtype not in (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise ValueError(f"samples must be floating point in [0, 1] or uint8, not {inputs.dtype}")
    check_dense(inputs)
    if not values or inputs.dtype == torch.uint8 or not inputs.numel():
        return inputs
    seen = inputs.detach()
    if inputs.device.type != "cpu":
        low, high = seen.amin((1, 2, 3)), seen.amax((1, 2, 3))
        return straight_through(nan_unless((low >= -1e-3) & (high <= 1 + 1e-3), seen.clamp(0, 1)), inputs)
    low, high = seen.aminmax()
    return straight_through(inputs.clamp(0, 1), inputs) if needs_clamp(float(low), float(high)) else inputs


def as_float(inputs: Tensor) -> Tensor:
    """Samples in the engine's precision: uint8 and half-precision floats become float32 in [0, 1].

    Half-precision floats that are one of 256 levels, rounded, become that level: step functions would take those that
    were rounded down for the level below.
    """
    if inputs.dtype == torch.uint8:
        return inputs.float() / 255
    if inputs.dtype in (torch.float32, torch.float64):
        return inputs
    floats = inputs.float()
    levels = (floats.detach() * 255).round() / 255
    return straight_through(torch.where(levels.to(inputs.dtype) == inputs, levels, floats), floats)


def as_type(inputs: Tensor, dtype: torch.dtype) -> Tensor:
    """Samples in [0, 1] as `dtype`; uint8 rounds to 0 … 255."""
    return (inputs * 255).round().to(dtype) if dtype == torch.uint8 else inputs.to(dtype)
