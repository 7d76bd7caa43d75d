"""Storage of samples: in memory, in one mapped file, in separate files, or converted as they are read. All return
arrays ``[n, ...]``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autoaug.data.spill import SpillFolder

#: Files are decoded by so many threads: decoders run outside of Python's lock.
DECODERS = min(16, max(4, os.cpu_count() or 1))
#: The most samples, and bytes, that are read at a time.
_AT_ONCE, _BYTES_AT_ONCE = 1024, 2**26

#: Converts stored samples ``[n, ...]`` to those of another form.
Convert = Callable[[np.ndarray], np.ndarray]


class Inputs(Protocol):
    """A sequence of samples of one shape and type."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""

    def take(self, indices: np.ndarray) -> np.ndarray:
        """The samples at `indices`, ``[n, *shape]``."""


class Reader(Protocol):
    """Reads files as samples of one shape and type. It is pickled and sent to workers."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""

    def read(self, path: Path) -> np.ndarray:
        """Read the sample in a file."""

    def rewritten(self, path: Path) -> np.ndarray | None:
        """The sample to write instead of a file that other programs would read differently than `read` does; None if
        the file can be copied as it is.
        """


@dataclass(frozen=True, eq=False)
class MemoryInputs:
    """Samples in memory, ``[N, ...]``."""

    array: np.ndarray

    def __len__(self) -> int:
        return len(self.array)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def take(self, indices: np.ndarray) -> np.ndarray:
        taken: np.ndarray = self.array[indices]
        return taken


@dataclass(frozen=True, eq=False)
class MappedInputs:
    """Samples in a ``.npy`` file that is read as needed: `rows` selects and orders its rows. `spill` is the temporary
    folder that the file is in, if it is in one.
    """

    path: str
    rows: np.ndarray
    spill: SpillFolder | None = None

    @cached_property
    def _file(self) -> np.ndarray:
        mapped: np.ndarray = np.load(self.path, mmap_mode="r")
        return mapped

    def __getstate__(self) -> dict[str, object]:
        """Leave out the mapping, so that a worker opens its own instead of receiving all data."""
        return {k: v for k, v in self.__dict__.items() if k != "_file"}

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._file.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._file.dtype

    def take(self, indices: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self._file[self.rows[indices]])


@dataclass(frozen=True, eq=False)
class ConvertedInputs:
    """Samples that `convert` makes of stored ones, each time that they are read."""

    stored: Inputs
    convert: Convert

    @cached_property
    def _first(self) -> np.ndarray:
        return self.convert(np.zeros((1, *self.stored.shape), self.stored.dtype))

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._first.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._first.dtype

    def take(self, indices: np.ndarray) -> np.ndarray:
        return self.convert(self.stored.take(indices))


@dataclass(frozen=True, eq=False)
class FileInputs:
    """Samples in separate files, read on demand by a few threads. `spill` is the temporary folder that the files are
    in, if they are in one.
    """

    paths: tuple[str, ...]
    reader: Reader
    spill: SpillFolder | None = None

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.reader.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.reader.dtype

    def take(self, indices: np.ndarray) -> np.ndarray:
        with ThreadPoolExecutor(DECODERS) as pool:
            read = list(pool.map(lambda i: self.reader.read(Path(self.paths[i])), indices.tolist()))
        return np.stack(read) if read else np.empty((0, *self.shape), self.dtype)


def take_ahead(inputs: Inputs, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the samples of each batch of indices, reading one batch ahead in the background. Holds two batches in
    memory.
    """
    with ThreadPoolExecutor(1) as reader:
        waiting = None
        for indices in batches:
            coming = reader.submit(inputs.take, indices)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()


def spread_rows(count: int, at_most: int) -> np.ndarray:
    """`at_most` of the rows 0 to `count` - 1, spread evenly from the first to the last; int64, ascending."""
    return np.linspace(0, count - 1, min(at_most, count)).astype(np.int64)


def in_blocks(inputs: Inputs) -> Iterator[np.ndarray]:
    """All samples in order, in blocks that take little memory whatever the size of a sample."""
    each = max(1, math.prod(inputs.shape) * inputs.dtype.itemsize)
    count = max(1, min(_AT_ONCE, _BYTES_AT_ONCE // each))
    return take_ahead(inputs, np.array_split(np.arange(len(inputs)), max(1, -(-len(inputs) // count))))


def in_memory(inputs: Inputs) -> MemoryInputs:
    """Read all samples into memory."""
    if isinstance(inputs, MemoryInputs):
        return inputs
    out = np.empty((len(inputs), *inputs.shape), inputs.dtype)
    place = 0
    for block in in_blocks(inputs):
        out[place : place + len(block)] = block
        place += len(block)
    return MemoryInputs(out)


def join(first: Inputs, second: Inputs) -> Inputs:
    """The samples of both, in this order; both are of the same kind."""
    if isinstance(first, MappedInputs) and isinstance(second, MappedInputs):
        return replace(first, rows=np.concatenate([first.rows, second.rows]))
    if isinstance(first, FileInputs) and isinstance(second, FileInputs):
        return replace(first, paths=first.paths + second.paths)
    if isinstance(first, ConvertedInputs) and isinstance(second, ConvertedInputs):
        return ConvertedInputs(join(first.stored, second.stored), first.convert)
    return MemoryInputs(np.concatenate([in_memory(inputs).array for inputs in (first, second)]))


def pick(inputs: Inputs, indices: np.ndarray) -> Inputs:
    """The samples at `indices`, without moving them to other storage."""
    if isinstance(inputs, MappedInputs):
        return replace(inputs, rows=inputs.rows[indices])
    if isinstance(inputs, FileInputs):
        return replace(inputs, paths=tuple(inputs.paths[i] for i in indices.tolist()))
    if isinstance(inputs, ConvertedInputs):
        return ConvertedInputs(pick(inputs.stored, indices), inputs.convert)
    return MemoryInputs(inputs.take(indices))
