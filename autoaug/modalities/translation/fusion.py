"""How operators on pairs run together: those of texts, on the source, by the fusions of texts; and those that replace
the whole source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from autoaug.modalities.base import Batch, Fusion
from autoaug.modalities.text.bits import lengths_of
from autoaug.modalities.text.fusion import FUSIONS as OF_TEXTS
from autoaug.modalities.translation.pairs import SOURCE


def source_of(batch: Batch) -> Batch:
    """The sources as texts ``[n, L, 3]``."""
    tokens = batch.values[:, SOURCE]
    return Batch(tokens, lengths_of(tokens))


def with_source(values: Tensor, source: Tensor) -> Tensor:
    """The pairs with other sources ``[n, L, 3]``."""
    return torch.cat([source[:, None], values[:, 1:]], 1)


class _OfSource(Fusion):
    """Maps of texts, for the source."""

    def __init__(self, own: Fusion) -> None:
        self.own, self.role = own, own.role

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return self.own.maps(function, source_of(batch), value, uniforms)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(with_source(batch.values, self.own.apply(source_of(batch), maps).values))


class _Pairs(Fusion):
    """The new pairs."""

    role = "alone"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(batch.values, value, uniforms)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(maps)


FUSIONS: Mapping[str, Fusion] = {**{kind: _OfSource(own) for kind, own in OF_TEXTS.items()}, "pairs": _Pairs()}
