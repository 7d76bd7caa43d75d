"""A GPU that is not there: its tensors have shapes and no values, and what is done with them is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode


class FakeGPU(FakeTensorMode):
    """In this mode tensors on ``cuda`` are fake, and those on the CPU are real, so that the host can compute with them.
    To read a value of a fake tensor raises an error: a host would have to wait for it.

    Attributes:
        copies: from the host to the device, by operator.
        waits: operators for which a host would wait: blocking copies, and any copy back.
        kernels: operators on the device but views, by name.
    """

    def __init__(self) -> None:
        super().__init__(allow_non_fake_inputs=True)
        self._within = False
        self.copies, self.waits, self.kernels = Counter[str](), Counter[str](), Counter[str]()

    def dispatch(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See `FakeTensorMode`."""
        given = kwargs or {}
        tensors = list(_tensors([*args, *given.values()]))
        on_device = [tensor for tensor in tensors if isinstance(tensor, FakeTensor)]
        target = None if given.get("device") is None else torch.device(given["device"]).type
        if not on_device and target != "cuda":
            return func(*args, **given)
        if not self._within:
            self._count(func, given, tensors, on_device, target)
        before, self._within = self._within, True  # some operators are made of others here, which a device has whole
        try:
            return super().dispatch(func, types, args, given)
        finally:
            self._within = before

    def _count(self, func: Any, given: Any, tensors: list[Tensor], on_device: list[Tensor], target: str | None) -> None:
        if any(not isinstance(tensor, FakeTensor) and (tensor.ndim or not on_device) for tensor in tensors):
            self.copies[str(func)] += 1
            if not given.get("non_blocking"):
                self.waits[str(func)] += 1
        elif on_device and target == "cpu":
            self.waits[f"{func} back"] += 1
        if not func.is_view and func.namespace == "aten":
            self.kernels[str(func)] += 1


def _tensors(parts: Any) -> Iterator[Tensor]:
    for part in parts:
        if isinstance(part, Tensor):
            yield part
        elif isinstance(part, list | tuple):
            yield from _tensors(part)
