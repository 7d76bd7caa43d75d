"""Pixels as bytes and as numbers: plain functions, which exported code carries along word for word."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autoaug.functional.bounds import needs_clamp
from autoaug.functional.straight_through import straight_through


def as_batch(images: Any) -> Tensor:
    """Images ``[B, C, H, W]``, or one ``[C, H, W]``, as a batch; raises ValueError where they are neither."""
    if not isinstance(images, Tensor):
        many = isinstance(images, list | tuple)
        cure = "stack them with torch.stack" if many else "convert it, as torchvision.transforms.v2.ToImage() does"
        raise ValueError(f"images must be a torch.Tensor [B, C, H, W], not a {type(images).__name__}; {cure}")
    if images.ndim not in (3, 4):
        raise ValueError(f"images must be [B, C, H, W], or [C, H, W] alone, not of shape {list(images.shape)}")
    check_dense(images)
    return images.as_subclass(Tensor)[None] if images.ndim == 3 else images.as_subclass(Tensor)


def check_dense(given: Tensor, what: str = "images") -> None:
    """Raise ValueError where images, or `what` is given, have no values, or none in a grid."""
    if given.layout is not torch.strided or given.is_meta:
        kind = "on the meta device" if given.is_meta else given.layout
        raise ValueError(f"{what} must be dense tensors with values, not {kind}")


def check_images(images: Tensor, values: bool = True) -> Tensor:
    """``images [n, C, H, W]``, uint8 or floating point in [0, 1]: the same tensor; where values lie outside by no more
    than rounding explains, a copy that is clamped, through which gradients pass.

    Raises ValueError where they are anything else; `values` False leaves the values unseen.
    """
    if images.ndim != 4:
        raise ValueError(f"images must be [B, C, H, W], not of shape {list(images.shape)}")
    if 0 in images.shape[1:]:
        raise ValueError(f"images must have a channel and a pixel at least, not the shape {list(images.shape)}")
    if images.dtype not in (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise ValueError(f"images must be floating point in [0, 1] or uint8, not {images.dtype}")
    check_dense(images)
    if not values or images.dtype == torch.uint8 or not images.numel():
        return images
    low, high = images.detach().aminmax()
    return straight_through(images.clamp(0, 1), images) if needs_clamp(float(low), float(high)) else images


def as_float(images: Tensor) -> Tensor:
    """Images in the precision that the engine works in: uint8 and half floats as float32 in [0, 1]."""
    if images.dtype == torch.uint8:
        return images.float() / 255
    return images if images.dtype == torch.float64 else images.float()


def as_type(images: Tensor, dtype: torch.dtype) -> Tensor:
    """Images in [0, 1] as `dtype`; uint8 rounds to 0 … 255."""
    return (images * 255).round().to(dtype) if dtype == torch.uint8 else images.to(dtype)
