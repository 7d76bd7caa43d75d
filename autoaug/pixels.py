"""Pixels as bytes and as numbers: plain functions, which exported code carries along word for word."""

from __future__ import annotations

import torch
from torch import Tensor


def as_float(images: Tensor) -> Tensor:
    """Images in the precision that the engine works in: uint8 and half floats as float32 in [0, 1]."""
    if images.dtype == torch.uint8:
        return images.float() / 255
    return images if images.dtype == torch.float64 else images.float()


def as_type(images: Tensor, dtype: torch.dtype) -> Tensor:
    """Images in [0, 1] as `dtype`; uint8 rounds to 0 … 255."""
    return (images * 255).round().to(dtype) if dtype == torch.uint8 else images.to(dtype)
