"""Checks of tensors, constants, and copies to a device: plain functions, which exported modules contain verbatim."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

#: Constants by their values, dtype and device.
MADE: dict[Any, Tensor] = {}


def check_dense(given: Tensor, what: str = "samples") -> None:
    """Raise ValueError if a tensor is not dense or is on the meta device; `what` names it in the message."""
    if given.layout is not torch.strided or given.is_meta:
        kind = "on the meta device" if given.is_meta else given.layout
        raise ValueError(f"{what} must be dense tensors with values, not {kind}")


def constant(values: tuple[Any, ...], like: Tensor) -> Tensor:
    """A tensor of `values`, numbers in nested tuples of equal lengths, with the dtype and device of `like`. It is made
    once, and on its device: nothing is copied there, which the host would wait for. Do not modify it.
    """
    key = (values, like.dtype, like.device)
    known = MADE.get(key)
    if known is None:
        with torch.inference_mode(False):  # outside of which its tensors cannot be used
            known = filled(values, like)
        if len(MADE) >= 1000:  # some depend on the size of the samples
            MADE.clear()
        if type(known) is Tensor:  # a tensor without values, as of a tracer, is of no use later
            MADE[key] = known
    return known


def filled(values: tuple[Any, ...], like: Tensor) -> Tensor:
    """See `constant`."""
    parts = [filled(v, like) if isinstance(v, tuple) else like.new_full((), v) for v in values]
    return torch.stack(parts)


def sent(given: Tensor, device: torch.device) -> Tensor:
    """A tensor on `device`; from the host to a GPU by a copy that the host does not wait for."""
    can_pin = device.type == "cuda" and given.device.type == "cpu" and torch.cuda.is_available()
    return (given.pin_memory() if can_pin else given).to(device, non_blocking=True)


def nan_unless(valid: Tensor, values: Tensor) -> Tensor:
    """``values [n, ...]`` with NaN in all samples that are not ``valid [n]``. On a GPU this takes the place of an
    error: to raise one, the host would have to wait until the values are there.
    """
    return torch.where(valid.view(-1, *[1] * (values.ndim - 1)), values, torch.nan)
