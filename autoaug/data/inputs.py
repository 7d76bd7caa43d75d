"""Where samples lie: in memory, in one mapped file, or in many files. All hand out uint8 ``[n, C, H, W]``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from autoaug.modalities.image.decoding import Shape, decode

DECODERS = 4


class Inputs(Protocol):
    """A sequence of samples of one shape."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""

    def take(self, indices: np.ndarray) -> np.ndarray:
        """The samples at `indices` as uint8 ``[n, C, H, W]``."""


@dataclass(frozen=True, eq=False)
class MemoryInputs:
    """Samples in memory, uint8 ``[N, C, H, W]``."""

    array: np.ndarray

    def __len__(self) -> int:
        return len(self.array)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.array.shape[1:]

    def take(self, indices: np.ndarray) -> np.ndarray:
        taken: np.ndarray = self.array[indices]
        return taken


@dataclass(frozen=True, eq=False)
class MappedInputs:
    """Samples in a ``.npy`` file that is read as needed; `channel_axis` is None, 1 or 3 as the file has it.

    Floats are in [0, 1]. `rows` picks and orders samples of the file.
    """

    path: str
    channel_axis: int | None
    rows: np.ndarray

    @cached_property
    def _file(self) -> np.ndarray:
        mapped: np.ndarray = np.load(self.path, mmap_mode="r")
        return mapped

    def __getstate__(self) -> dict[str, object]:
        """Leave the mapping out, so that a worker opens its own instead of receiving every byte."""
        return {k: v for k, v in self.__dict__.items() if k != "_file"}

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        return channels_first(self._file[:1], self.channel_axis).shape[1:]

    def take(self, indices: np.ndarray) -> np.ndarray:
        return as_uint8(channels_first(self._file[self.rows[indices]], self.channel_axis))


@dataclass(frozen=True, eq=False)
class FileImages:
    """Samples in files of their own, decoded on demand by a few threads."""

    paths: tuple[str, ...]
    target: Shape

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.target.channels, self.target.height, self.target.width

    def take(self, indices: np.ndarray) -> np.ndarray:
        with ThreadPoolExecutor(DECODERS) as pool:
            return np.stack(list(pool.map(lambda i: decode(Path(self.paths[i]), self.target), indices.tolist())))


def take_ahead(inputs: Inputs, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The samples of each batch of indices, read one batch ahead in the background: memory for two batches."""
    with ThreadPoolExecutor(1) as reader:
        waiting = None
        for indices in batches:
            coming = reader.submit(inputs.take, indices)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()


def channels_first(array: np.ndarray, channel_axis: int | None) -> np.ndarray:
    """``[N, H, W]``, ``[N, H, W, C]`` or ``[N, C, H, W]`` as ``[N, C, H, W]``."""
    if channel_axis is None:
        return array[:, None]
    return np.moveaxis(array, channel_axis, 1)


def as_uint8(array: np.ndarray) -> np.ndarray:
    """uint8 as it is; floats in [0, 1] rounded to 256 levels."""
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    return np.ascontiguousarray((array * 255).round().clip(0, 255).astype(np.uint8))


def in_memory(inputs: Inputs, chunk: int = 1024) -> MemoryInputs:
    """All samples read into memory."""
    if isinstance(inputs, MemoryInputs):
        return inputs
    out = np.empty((len(inputs), *inputs.shape), np.uint8)
    order = np.arange(len(inputs))
    place = 0
    for block in take_ahead(inputs, np.array_split(order, max(1, -(-len(order) // chunk)))):
        out[place : place + len(block)] = block
        place += len(block)
    return MemoryInputs(out)


def pick(inputs: Inputs, indices: np.ndarray) -> Inputs:
    """The samples at `indices`, staying where they lie."""
    if isinstance(inputs, MappedInputs):
        return MappedInputs(inputs.path, inputs.channel_axis, inputs.rows[indices])
    if isinstance(inputs, FileImages):
        return FileImages(tuple(inputs.paths[i] for i in indices.tolist()), inputs.target)
    return MemoryInputs(inputs.take(indices))
