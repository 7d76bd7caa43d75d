"""Send numbers from the host to a device by one copy that the host does not wait for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from autoaug.functional.tensors import sent

#: Each packed tensor begins at a multiple of so many bytes, as its dtype may require.
_ALIGNED = 16

Record = TypeVar("Record")


def sent_record(record: Record, device: torch.device) -> Record:
    """`record`, of nested tuples and lists, with all of its tensors on `device`; see `sent_together`."""
    if device.type == "cpu":
        return record
    return cast("Record", _with_tensors(record, iter(sent_together(_tensors(record), device))))


def sent_together(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Tensors of the host on `device`; differentiable. All go by one copy, or by two if some need a gradient, which
    comes back by a copy that the host does wait for.
    """
    if device.type == "cpu":
        return list(tensors)
    differentiable = iter(_differentiable([tensor for tensor in tensors if tensor.requires_grad], device))
    plain = iter(_packed([tensor for tensor in tensors if not tensor.requires_grad], device))
    return [next(differentiable if tensor.requires_grad else plain) for tensor in tensors]


def _tensors(record: Any) -> list[Tensor]:
    if isinstance(record, Tensor):
        return [record]
    return [tensor for part in record for tensor in _tensors(part)] if isinstance(record, tuple | list) else []


def _with_tensors(record: Any, tensors: Iterator[Tensor]) -> Any:
    """`record` with the next ones of `tensors` in place of its own."""
    if isinstance(record, Tensor):
        return next(tensors)
    if not isinstance(record, tuple | list):
        return record
    parts = [_with_tensors(part, tensors) for part in record]
    return type(record)(*parts) if hasattr(record, "_fields") else type(record)(parts)


def _packed(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """The tensors on `device`, as parts of one buffer of bytes."""
    sizes = [math.ceil(tensor.nbytes / _ALIGNED) * _ALIGNED for tensor in tensors]
    starts = list(accumulate(sizes, initial=0))
    # PyTorch keeps pinned memory for reuse, and does not reuse it before its copy is done.
    pinned = device.type == "cuda" and torch.cuda.is_available()
    buffer = torch.empty(starts[-1], dtype=torch.uint8, device="cpu", pin_memory=pinned)
    for tensor, start in zip(tensors, starts, strict=False):
        _part(buffer, start, tensor).copy_(tensor)
    there = buffer.to(device, non_blocking=True)
    return [_part(there, start, tensor) for tensor, start in zip(tensors, starts, strict=False)]


def _part(buffer: Tensor, start: int, like: Tensor) -> Tensor:
    """The part of the buffer from `start` as a tensor of the dtype and shape of another one."""
    return buffer[start : start + like.nbytes].view(like.dtype).view(like.shape)


def _differentiable(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """The tensors on `device`, differentiable."""
    if not tensors:
        return []
    there = _Sent.apply(torch.cat([tensor.flatten() for tensor in tensors]), device)
    parts = torch.split(there, [tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape).to(tensor.dtype) for part, tensor in zip(parts, tensors, strict=True)]


class _Sent(torch.autograd.Function):
    """`sent`, whose gradient comes back to the host."""

    @staticmethod
    def forward(_: Any, numbers: Tensor, device: torch.device) -> Tensor:
        return sent(numbers, device)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.cpu(), None
