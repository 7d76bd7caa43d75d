"""The global random state of a process: a piece of work has its own, and its caller's stays as it was."""

from __future__ import annotations

import random
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


class _State(NamedTuple):
    """The states of the generators: Python's, NumPy's, PyTorch's on the CPU, and that of the CUDA device, if any."""

    python: tuple[Any, ...]
    numpy: dict[str, Any]
    cpu: Tensor
    cuda: Tensor | None


def seed_all(seed: int, device: str) -> None:
    """Seed, with a number in [0, 2**32), every global generator that a network on `device` may draw from. Unlike
    `torch.manual_seed` it leaves the other devices alone.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    if device.startswith("cuda"):
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


class RandomState:
    """Global random state of its own for some work: in a ``with`` block it is what `seed` says, or what the last block
    left, and after the block the caller's is as it was.

    Args:
        seed: of the first block, in [0, 2**32).
        device: of the work; ``cpu``, ``cuda`` or ``cuda:N``.
    """

    def __init__(self, seed: int, device: str) -> None:
        self._seed, self._device = seed, device
        self._own: _State | None = None

    def __enter__(self) -> None:
        self._callers = _state(self._device)
        if self._own is None:
            seed_all(self._seed, self._device)
        else:
            _restore(self._own, self._device)

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._own = _state(self._device)
        _restore(self._callers, self._device)


def _state(device: str) -> _State:
    cuda = torch.cuda.get_rng_state(device) if device.startswith("cuda") else None
    numpy = np.random.get_state(legacy=False)
    return _State(random.getstate(), dict(numpy), torch.default_generator.get_state(), cuda)


def _restore(state: _State, device: str) -> None:
    random.setstate(state.python)
    np.random.set_state(state.numpy)
    torch.default_generator.set_state(state.cpu)
    if state.cuda is not None:
        torch.cuda.set_rng_state(state.cuda, device)
