"""Series as tensors or arrays ``[C, T]``, or ``[n, C, T]``, of any floating-point numbers from -8 to 8."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.base import Batch

bounds = (-8.0, 8.0)


def opened(given: Any) -> tuple[Batch, bool, Callable[[Batch], Any]]:
    is_array = isinstance(given, np.ndarray)
    tensor = torch.from_numpy(given) if is_array else given
    if not isinstance(tensor, Tensor) or tensor.ndim not in (2, 3):
        raise ValueError("series must be [C, T] or [n, C, T]")
    alone = tensor.ndim == 2

    def back(augmented: Batch) -> Any:
        whole = augmented.values[0] if alone else augmented.values
        return whole.numpy() if is_array else whole

    return Batch(tensor[None] if alone else tensor), alone, back


def is_sample(given: Any) -> bool:
    return isinstance(given, np.ndarray | Tensor) and given.ndim in (2, 3)


def check(values: Tensor, look: bool = True) -> Tensor:
    if values.ndim != 3 or not values.is_floating_point():
        raise ValueError(f"series must be floating point [n, C, T], not {values.dtype} {list(values.shape)}")
    if look and values.numel() and not bool((values.detach().abs() <= bounds[1]).all()):
        raise ValueError("the series have values that are not finite, or outside -8 to 8")
    return values


def as_work(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()


def as_stored(values: Tensor, dtype: torch.dtype) -> Tensor:
    return values.to(dtype)
