"""Convert clips between the user's types, the storage format (uint8) and the engine's format (in [0, 1])."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.base import Batch
from autoaug.modalities.image.pixels import as_float, as_type
from autoaug.modalities.image.values import bounds as bounds
from autoaug.modalities.image.values import is_tv_tensor, wrapped
from autoaug.modalities.video.clips import as_clips, check_clips

check = check_clips
as_work = as_float
as_stored = as_type


def opened(given: Any) -> tuple[Batch, bool, Callable[[Batch], Any]]:
    """A tensor ``[T, C, H, W]`` or ``[B, T, C, H, W]``, such as a ``tv_tensors.Video``, or a NumPy array
    ``[T, H, W, C]`` or ``[B, T, H, W, C]`` as a batch; see `Values`.
    """
    if isinstance(given, np.ndarray):
        return _opened_array(given)
    batch = as_clips(given)

    def back(augmented: Batch) -> Any:
        whole = augmented.values.reshape(given.shape)
        return wrapped(whole, given) if is_tv_tensor(given) else whole

    return Batch(batch), given.ndim == 4, back


def _opened_array(given: np.ndarray) -> tuple[Batch, bool, Callable[[Batch], Any]]:
    if given.ndim not in (4, 5) or given.shape[-1] > 4:
        raise ValueError(f"arrays of clips must be [T, H, W, C] or [B, T, H, W, C], not of shape {list(given.shape)}")
    try:
        tensor = torch.from_numpy(np.array(np.moveaxis(given, -1, -3), given.dtype.newbyteorder("="), order="C"))
    except TypeError:
        raise ValueError(f"clips must be floating point in [0, 1] or uint8, not {given.dtype}") from None

    def back(augmented: Batch) -> np.ndarray:
        return np.ascontiguousarray(np.moveaxis(augmented.values.numpy(), -3, -1)).reshape(given.shape)

    return Batch(as_clips(tensor)), given.ndim == 4, back


def is_sample(given: Any) -> bool:
    """A video of `tv_tensors`, or a plain tensor or array with the shape and type of clips."""
    if is_tv_tensor(given, "Video"):
        return True
    if type(given) is Tensor:
        return given.ndim in (4, 5) and (given.dtype == torch.uint8 or given.is_floating_point())
    return (
        isinstance(given, np.ndarray) and given.ndim in (4, 5) and (given.dtype == np.uint8 or given.dtype.kind == "f")
    )
