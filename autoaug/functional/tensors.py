"""What tensors may be: plain functions, which exported code carries along word for word."""

from __future__ import annotations

import torch
from torch import Tensor


def check_dense(given: Tensor, what: str = "samples") -> None:
    """Raise ValueError where samples, or `what` is given, have no values, or none in a grid."""
    if given.layout is not torch.strided or given.is_meta:
        kind = "on the meta device" if given.is_meta else given.layout
        raise ValueError(f"{what} must be dense tensors with values, not {kind}")
