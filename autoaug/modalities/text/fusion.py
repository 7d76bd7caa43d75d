"""How operators on texts run together: edits of a step are gathered at once.

Which words may be moved or removed depends on the words. So edits are joined within a step, rather than carried from
one step to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from autoaug.modalities.base import Batch, Fusion
from autoaug.modalities.text.bits import lengths_of
from autoaug.modalities.text.edits import edited


class _Alone(Fusion):
    """The new tokens."""

    role = "alone"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(batch.values, value, uniforms)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(maps, lengths_of(maps))


class _Edits(Fusion):
    """For each place, the place in the given text that its token comes from, or a sign; see `edited`."""

    role = "joined"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(batch.values, value, uniforms)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(edited(batch.values, maps), torch.sum(maps < batch.values.shape[1], 1))


FUSIONS: Mapping[str, Fusion] = {"tokens": _Alone(), "edits": _Edits()}
