"""What a generator of samples does, whatever the modality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from autoaug.data.splits import Samples


class Collapsed(ArithmeticError):
    """A fit failed: its loss is not finite, or the samples of a class are all alike."""


class GeneratorFit(Protocol):
    """A running fit of a generator. Its results and its state are tensors by name."""

    #: The number of steps taken.
    steps: int

    def run(self, steps: int, device: str, every: int) -> Iterator[int]:
        """Take steps up to a total of `steps`; yield the number taken after `every` that many steps, and at the end.
        The random numbers of a step follow from the seed and the step. Raises `Collapsed` if the fit fails.
        """

    def tensors(self) -> Mapping[str, Tensor]:
        """The learned tensors."""

    def state(self) -> Mapping[str, Tensor]:
        """The state from which the fit can be resumed."""

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Resume from a state; raises RuntimeError or KeyError if it does not fit."""


class Generator(Protocol):
    """A kind of generator of samples."""

    #: The fewest samples per class: with fewer, it would only memorize them.
    fewest: int
    #: Whether a fit can start from another generator.
    adapts: bool

    def usual_steps(self, samples: int) -> int:
        """The default number of steps for a number of samples; 0 if a fit takes no steps."""

    def begin(
        self, train: Samples, classes: int, seed: int, source: Mapping[str, Tensor] | None = None
    ) -> GeneratorFit:
        """Begin a fit to training samples; with `source`, the tensors of another generator, adapt that one."""

    def check(self, tensors: Mapping[str, Tensor], shape: tuple[int, ...], classes: int) -> None:
        """Raise RuntimeError if the tensors do not fit samples of that `shape` and number of classes."""

    def sample(self, tensors: Mapping[str, Tensor], labels: np.ndarray, seed: int, device: str) -> np.ndarray:
        """Generate a sample in storage format for each of ``labels [n]``; the same seed gives the same samples."""
