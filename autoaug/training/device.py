"""Where tensors live and how they are computed with: devices, precision, threads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from autoaug.data.inputs import MemoryInputs
from autoaug.errors import DeviceError, OptionError


def resolve_device(name: str) -> str:
    """``auto``, ``cpu``, ``cuda`` or ``cuda:N`` as a device that is there; raises `DeviceError` where it is not."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not name.startswith("cuda"):
        raise OptionError(f"device {name!r} must be auto, cpu, cuda or cuda:N")
    if name.startswith("cuda"):
        index = name.partition(":")[2]
        if index and not index.isdigit():
            raise OptionError(f"device {name!r} must be auto, cpu, cuda or cuda:N")
        if not torch.cuda.is_available() or int(index or 0) >= torch.cuda.device_count():
            raise DeviceError(
                f"device {name!r} was asked for, but torch sees {torch.cuda.device_count()} GPUs here; use cpu"
            )
    return name


@cache
def computes_in_bf16(device: str) -> bool:
    """Whether bf16 is native there, and faster than float32: every GPU of compute capability 8 on, CPUs with AMX, and
    AMD's with AVX-512 BF16 (Intel's take as long over it as over float32).
    """
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8", errors="replace") if cpuinfo.exists() else ""
    return "amx_bf16" in text or ("avx512_bf16" in text and "AuthenticAMD" in text)


def precision(device: str) -> contextlib.AbstractContextManager[object]:
    """The autocast that training and evaluation run under."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16) if computes_in_bf16(device) else contextlib.nullcontext()


@contextlib.contextmanager
def one_thread(device: str) -> Iterator[None]:
    """One thread in the block where `device` is the CPU; after it, as many as before."""
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def with_layout(values: Tensor) -> Tensor:
    """Values as networks take them fastest: with the channels last in memory, where they are ``[n, C, H, W]``."""
    return values.contiguous(memory_format=torch.channels_last) if values.ndim == 4 else values


_resident: WeakKeyDictionary[MemoryInputs, dict[str, Tensor]] = WeakKeyDictionary()


def resident(inputs: MemoryInputs, device: str) -> Tensor:
    """The samples as they are stored, on `device`; moved there once in the life of `inputs`."""
    places = _resident.setdefault(inputs, {})
    if device not in places:
        array = inputs.array if inputs.array.flags.writeable else inputs.array.copy()
        places[device] = torch.from_numpy(array).to(device)
    return places[device]
