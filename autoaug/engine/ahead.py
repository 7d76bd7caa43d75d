"""Uniform numbers for one sample after another, drawn from a generator for many at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import uniform

#: How many rows are drawn at a time: a call of torch takes longer than all the rest of a draw.
_ROWS = 256


class Ahead:
    """Rows of eight uniform numbers, the same as if each were drawn for itself. The generator is ahead of what was
    taken, until `settle` brings it back.
    """

    def __init__(self) -> None:
        self._rows: list[list[float]] = []
        self._taken = 0
        self._before: Tensor | None = None

    def take(self, count: int, generator: torch.Generator) -> list[list[float]]:
        """The next `count` rows."""
        end = self._taken + count
        if end > len(self._rows):
            self.settle(generator)
            self._before, end = generator.get_state(), count
            self._rows = uniform(max(count, _ROWS), 8, generator).tolist()
        start, self._taken = self._taken, end
        return self._rows[start:end]

    def settle(self, generator: torch.Generator) -> None:
        """Bring the generator to where it were if only the rows that were taken had been drawn."""
        if self._before is not None and self._taken < len(self._rows):
            generator.set_state(self._before)
            uniform(self._taken, 8, generator)
        self.forget()

    def forget(self) -> None:
        """Drop the rows that were not taken: the generator has a new state."""
        self._rows, self._taken, self._before = [], 0, None
