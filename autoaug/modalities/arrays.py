"""What a modality may have to augment single samples as arrays; see `autoaug.modalities.base.Modality.arrays`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np


class DrawnOperation(NamedTuple):
    """An operation that one sample drew, in plain numbers.

    Attributes:
        operator: its name.
        value: in the operator's unit, signed.
        uniforms: the four uniform numbers of `Operator.function`.
    """

    operator: str
    value: float
    uniforms: Sequence[float]


class Opened(NamedTuple):
    """The user's samples as arrays in storage format.

    Attributes:
        samples: one array per sample, which `ArrayEngine.run` takes.
        shape: of the same samples as the values of a batch, ``[n, ...]``.
        alone: whether the user gave a single sample.
        back: converts as many new arrays back to the user's type.
    """

    samples: Sequence[np.ndarray]
    shape: tuple[int, ...]
    alone: bool
    back: Callable[[Sequence[np.ndarray]], Any]


class ArrayEngine(Protocol):
    """Applies operations to one sample at a time, in storage format and without torch, which is many times faster for
    single samples. The results are those of the operators' functions up to rounding to the storage format.
    """

    #: The names of the operators that it has; samples that drew others take the way of batches.
    operators: Collection[str]

    def opened(self, given: Any) -> Opened | None:
        """The user's input to a transform as arrays; None for anything that must take the way of batches, or be
        refused there. Values are not checked: all values of the storage format must be valid.
        """

    def run(self, sample: np.ndarray, operations: Iterable[DrawnOperation]) -> np.ndarray:
        """A new array with the operations applied to the sample in order."""
