"""Convert waveforms between the user's types, the storage format (int16) and the engine's format (in [-1, 1])."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.audio.signals import as_float, as_type, as_waves, check_waves
from autoaug.modalities.base import Batch

bounds = (-1.0, 1.0)
check = check_waves
as_work = as_float
as_stored = as_type


def opened(given: Any) -> tuple[Batch, bool, Callable[[Batch], Any]]:
    """A tensor or NumPy array ``[T]``, ``[C, T]`` or ``[n, C, T]`` as a batch; see `Values`."""
    tensor = given
    if isinstance(given, np.ndarray):
        try:
            tensor = torch.from_numpy(given.astype(given.dtype.newbyteorder("="), copy=True))
        except TypeError:
            raise ValueError(f"waveforms must be int16, or floating point in [-1, 1], not {given.dtype}") from None
    batch = as_waves(tensor)

    def back(augmented: Batch) -> Any:
        whole = augmented.values.reshape(given.shape)
        return whole.numpy() if isinstance(given, np.ndarray) else whole

    return Batch(batch), given.ndim < 3, back


def is_sample(given: Any) -> bool:
    """A plain tensor or array with the shape and type of waveforms; a vector may be labels."""
    if type(given) is Tensor:
        return given.ndim in (2, 3) and (given.dtype == torch.int16 or given.is_floating_point())
    return (
        isinstance(given, np.ndarray) and given.ndim in (2, 3) and (given.dtype == np.int16 or given.dtype.kind == "f")
    )
