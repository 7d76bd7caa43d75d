"""Devices, precision, threads and memory layout of tensors."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from autoaug.data.inputs import MemoryInputs
from autoaug.errors import DeviceError, OptionError
from autoaug.training.recipe import Precision


def resolve_device(name: str) -> str:
    """Resolve ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` to an available device; `DeviceError` if there is none."""
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
                f"device {name!r} was requested, but torch sees {torch.cuda.device_count()} GPUs here; use cpu"
            )
    return name


@cache
def computes_in_bf16(device: str) -> bool:
    """Whether bf16 is native on the device and faster than float32: on GPUs from compute capability 8, on CPUs with
    AMX, and on AMD CPUs with AVX-512 BF16 (on Intel's, it is as slow as float32).
    """
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8", errors="replace") if cpuinfo.exists() else ""
    return "amx_bf16" in text or ("avx512_bf16" in text and "AuthenticAMD" in text)


def precision(device: str, wanted: Precision = "auto") -> contextlib.AbstractContextManager[object]:
    """The autocast context for training and evaluation; ``auto`` is bfloat16 where `computes_in_bf16`."""
    kind = torch.device(device).type
    in_bf16 = computes_in_bf16(device) if wanted == "auto" else wanted == "bfloat16"
    return torch.autocast(kind, torch.bfloat16) if in_bf16 else contextlib.nullcontext()


@contextlib.contextmanager
def one_thread(device: str) -> Iterator[None]:
    """On the CPU, use one thread in the block; restore the number afterward."""
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def deterministic_algorithms(wanted: bool) -> Iterator[None]:
    """In the block, if `wanted`, use deterministic algorithms where PyTorch has them, and warn where it has none."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it, cuBLAS may not repeat its sums
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def finish(device: str) -> None:
    """Wait until the device has done all that it was given, so that a clock can be read; a CPU always has."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def with_layout(values: Tensor) -> Tensor:
    """Values in the memory layout that is fastest for networks: channels last for ``[n, C, H, W]``."""
    return values.contiguous(memory_format=torch.channels_last) if values.ndim == 4 else values


_resident: WeakKeyDictionary[MemoryInputs, dict[str, Tensor]] = WeakKeyDictionary()


def resident(inputs: MemoryInputs, device: str) -> Tensor:
    """The samples in storage format on `device`; they are moved there once in the lifetime of `inputs`."""
    places = _resident.setdefault(inputs, {})
    if device not in places:
        array = inputs.array if inputs.array.flags.writeable else inputs.array.copy()
        places[device] = torch.from_numpy(array).to(device)
    return places[device]
