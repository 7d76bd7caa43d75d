"""Load stored samples as batches in the training format on the device."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from autoaug.data.inputs import Inputs, MemoryInputs, take_ahead
from autoaug.functional.tensors import sent
from autoaug.modalities.registry import get_modality
from autoaug.training.device import resident

#: Bytes that are augmented at once, in floating point: operators are grouped over several batches, but fit in a cache.
_CHUNK_BYTES = 32 * 2**20
_CHUNK_INPUTS = 1024


def float_batches(inputs: Inputs, batches: Iterator[np.ndarray], device: str, modality: str) -> Iterator[Tensor]:
    """Yield the samples of each batch of indices in the training format, ``[n, …]`` on `device`. Samples on
    disk are read ahead.
    """
    as_work = get_modality(modality).values.as_work
    if isinstance(inputs, MemoryInputs):
        stored = resident(inputs, device)
        for indices in batches:
            yield as_work(stored[sent(torch.from_numpy(indices), stored.device)])
    else:
        for block in take_ahead(inputs, batches):
            yield as_work(sent(torch.from_numpy(block), torch.device(device)))


def inputs_at_once(shape: Sequence[int]) -> int:
    """How many samples of `shape` to process at once in floating point."""
    return max(1, min(_CHUNK_INPUTS, _CHUNK_BYTES // (4 * math.prod(shape))))


def in_order(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """`rows` in batches of `size`."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def shuffled(
    rows: np.ndarray, sizes: Iterable[int], generator: torch.Generator, strata: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Batches of the given sizes from an endless sequence of shuffled passes over `rows`. With the stratum ``[rows]``
    of each, a pass has equally many of all strata: it repeats the rows of smaller ones.
    """
    waiting = np.empty(0, np.int64)
    for size in sizes:
        while len(waiting) < size:
            coming = rows if strata is None else _evened(rows, strata, generator)
            waiting = np.concatenate([waiting, _permuted(coming, generator)])
        yield waiting[:size]
        waiting = waiting[size:]


def _evened(rows: np.ndarray, strata: np.ndarray, generator: torch.Generator) -> np.ndarray:
    """As many rows of each stratum as the largest has: all of its rows, as often as they fit in, and some once more."""
    of_stratum = [rows[strata == stratum] for stratum in np.unique(strata)]
    most = max(map(len, of_stratum))
    return np.concatenate([np.resize(_permuted(own, generator), most) for own in of_stratum])


def _permuted(rows: np.ndarray, generator: torch.Generator) -> np.ndarray:
    permuted: np.ndarray = rows[torch.randperm(len(rows), generator=generator).numpy()]
    return permuted
