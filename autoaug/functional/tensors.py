"""Checks of tensors: plain functions, which exported modules contain verbatim."""

from __future__ import annotations

import torch
from torch import Tensor


def check_dense(given: Tensor, what: str = "samples") -> None:
    """Raise ValueError if a tensor is not dense or is on the meta device; `what` names it in the message."""
    if given.layout is not torch.strided or given.is_meta:
        kind = "on the meta device" if given.is_meta else given.layout
        raise ValueError(f"{what} must be dense tensors with values, not {kind}")
