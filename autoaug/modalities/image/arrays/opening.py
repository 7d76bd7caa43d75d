"""Convert the user's images to uint8 arrays ``[H, W, C]``, or ``[H, W]`` for one channel, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from autoaug.modalities.arrays import Opened
from autoaug.modalities.image.values import is_tv_tensor, wrapped

#: OpenCV's warps take at most so many channels, and sides below this length.
_CHANNELS, _SIDE = 4, 2**15 - 1


def opened(given: Any) -> Opened | None:
    """A picture (``L`` or ``RGB``), or a uint8 array or tensor on the CPU as arrays; see `Opened`."""
    if isinstance(given, Image.Image):
        return _picture(given)
    if isinstance(given, np.ndarray):
        return _array(given)
    return _tensor(given) if isinstance(given, Tensor) else None


def _picture(picture: Image.Image) -> Opened | None:
    if picture.mode not in ("L", "RGB") or not _fits(*picture.size, len(picture.mode)):
        return None
    mode, size, channels = picture.mode, picture.size, len(picture.mode)
    own = size[::-1] if channels == 1 else (*size[::-1], channels)
    # np.asarray and Image.fromarray do the same, and take up to half as long again.
    levels = np.frombuffer(picture.tobytes(), np.uint8).reshape(own)
    return Opened([levels], (1, channels, *size[::-1]), True, lambda made: Image.frombytes(mode, size, made[0]))


def _array(array: np.ndarray) -> Opened | None:
    shape = array.shape
    if array.dtype != np.uint8 or array.ndim not in (2, 3, 4):
        return None
    height, width, channels = shape[-3:] if array.ndim > 2 else (*shape, 1)
    if not array.size or not _fits(height, width, channels):
        return None
    own = (height, width) if channels == 1 else (height, width, channels)
    if array.ndim < 4:
        sample = array if array.flags.c_contiguous else np.ascontiguousarray(array)
        return Opened(
            [sample if channels > 1 else sample.reshape(own)],
            (1, channels, height, width),
            True,
            lambda made: made[0].reshape(shape),
        )
    samples = np.ascontiguousarray(array).reshape(-1, *own)
    of_batch = (len(samples), channels, height, width)
    return Opened([*samples], of_batch, False, lambda made: np.stack(made).reshape(shape))


def _tensor(tensor: Tensor) -> Opened | None:
    if tensor.dtype != torch.uint8 or tensor.ndim not in (3, 4) or tensor.layout != torch.strided or not tensor.is_cpu:
        return None
    channels, height, width = tensor.shape[-3:]
    if not tensor.numel() or not _fits(height, width, channels) or not _is_ordinary(tensor):
        return None
    planes = (tensor if type(tensor) is Tensor else tensor.as_subclass(Tensor)).numpy()
    alone = tensor.ndim == 3
    samples = [_channels_last(planes)] if alone else [_channels_last(sample) for sample in planes]

    def back(made: Sequence[np.ndarray]) -> Any:
        out = np.empty((len(made), channels, height, width), np.uint8)
        for sample, image in zip(out, made, strict=True):
            for channel in range(channels):
                cv2.extractChannel(image, channel, sample[channel])
        result = torch.from_numpy(out[0] if alone else out)
        return result if type(tensor) is Tensor else wrapped(result, tensor)

    return Opened(samples, (len(samples), channels, height, width), alone, back)


def _channels_last(planes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(planes[0]) if len(planes) == 1 else cv2.merge([*planes])


def _fits(height: int, width: int, channels: int) -> bool:
    return 0 < height < _SIDE and 0 < width < _SIDE and channels <= _CHANNELS


def _is_ordinary(tensor: Tensor) -> bool:
    """Whether it is a plain tensor or an image of torchvision's; fake and wrapped tensors are not."""
    return type(tensor) is Tensor or is_tv_tensor(tensor, "Image")
