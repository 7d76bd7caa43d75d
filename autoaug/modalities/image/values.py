"""Convert images between the user's types, the storage format (uint8) and the engine's format (in [0, 1])."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from autoaug.modalities.base import Batch
from autoaug.modalities.image.pixels import as_batch, as_float, as_type, check_inputs

bounds = (0.0, 1.0)
as_work = as_float
as_stored = as_type


def opened(given: Any) -> tuple[Batch, bool, Callable[[Batch], Any]]:
    """A ``PIL.Image`` (``L`` or ``RGB``), a NumPy array ``[H, W]``, ``[H, W, C]`` or ``[B, H, W, C]``, or a tensor
    ``[C, H, W]`` or ``[B, C, H, W]`` as a batch; see `Values`.
    """
    tensor, back = _as_tensor(given)
    alone = isinstance(tensor, Tensor) and tensor.ndim == 3
    return (
        Batch(as_batch(tensor)),
        alone,
        lambda augmented: back(augmented.values[0] if alone else augmented.values),
    )


def is_sample(given: Any) -> bool:
    """A picture, an image of `tv_tensors`, or a plain tensor or array with the shape and type of images."""
    if isinstance(given, Image.Image) or is_tv_tensor(given, "Image"):
        return True
    if type(given) is Tensor:
        return given.ndim in (3, 4) and (given.dtype == torch.uint8 or given.is_floating_point())
    if isinstance(given, np.ndarray):
        return given.ndim in (2, 3, 4) and (given.dtype == np.uint8 or (given.ndim > 2 and given.dtype.kind == "f"))
    return False


def check(values: Tensor, look: bool = True) -> Tensor:
    """See `autoaug.modalities.image.pixels.check_inputs`."""
    return check_inputs(values, values=look)


def _as_tensor(inputs: Any) -> tuple[Any, Callable[[Tensor], Any]]:
    """A picture or an array as a tensor (other inputs are kept), and a function that converts such a tensor back."""
    if isinstance(inputs, Image.Image):
        if inputs.mode not in ("L", "RGB"):
            is_deep = inputs.mode[:1] in ("I", "F")  # Pillow would cut off what is above 255
            cure = "scale its values to 0 … 255 first" if is_deep else "convert it: sample.convert('RGB')"
            raise ValueError(f"pictures must have the mode L or RGB, not {inputs.mode}; {cure}")
        tensor, as_array = _from_array(np.asarray(inputs))
        return tensor, lambda augmented: Image.fromarray(as_array(augmented))
    if isinstance(inputs, np.ndarray):
        return _from_array(inputs)
    return inputs, lambda augmented: _like(inputs, augmented)


def _from_array(array: np.ndarray) -> tuple[Tensor, Callable[[Tensor], np.ndarray]]:
    """A channels-last array as a channels-first tensor, and a function that converts such a tensor back."""
    shape = array.shape
    if len(shape) not in {2, 3, 4}:
        raise ValueError(f"arrays must be [H, W], [H, W, C] or [B, H, W, C], not of shape {list(shape)}")
    if len(shape) > 2 and shape[-1] > 4 >= shape[-3]:
        cure = "for channels first, pass torch.from_numpy(samples)"
        raise ValueError(
            f"arrays must have channels last, [H, W, C] or [B, H, W, C], not the shape {list(shape)}; {cure}"
        )
    first = np.moveaxis(array if len(shape) > 2 else array[..., None], -1, -3)
    try:
        tensor = torch.from_numpy(np.array(first, dtype=array.dtype.newbyteorder("="), order="C", copy=True))
    except TypeError:
        raise ValueError(f"samples must be floating point in [0, 1] or uint8, not {array.dtype}") from None
    return tensor, lambda augmented: np.ascontiguousarray(np.moveaxis(augmented.numpy(), -3, -1)).reshape(shape)


def _like(inputs: Tensor, augmented: Tensor) -> Tensor:
    """`augmented` as a ``tv_tensors.Image`` if `inputs` is one."""
    return wrapped(augmented, inputs) if is_tv_tensor(inputs) else augmented


def is_tv_tensor(given: Any, kind: str = "TVTensor") -> bool:
    """Whether it is of that class of `tv_tensors`. torchvision, which takes seconds to import, is imported only for
    subclasses of tensors.
    """
    if not isinstance(given, Tensor) or type(given) is Tensor:
        return False
    from torchvision import tv_tensors

    return isinstance(given, getattr(tv_tensors, kind))


def wrapped(tensor: Tensor, like: Tensor) -> Tensor:
    """The tensor as another of the class of `tv_tensors` that `like` has."""
    from torchvision import tv_tensors

    of_class: Tensor = tv_tensors.wrap(tensor, like=like)
    return of_class
