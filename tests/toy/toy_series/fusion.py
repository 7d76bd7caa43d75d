"""How operators on series run together."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from toy_series.values import bounds

from autoaug.modalities.base import Batch, Fusion


class _Alone(Fusion):
    role = "alone"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(batch.values, value, uniforms)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(maps.clamp(*bounds), batch.lengths)


class _Levels(Fusion):
    """Scale and offset ``[n, 2]`` of the values."""

    role = "joined"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(value, uniforms)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch((batch.values * maps[:, :1, None] + maps[:, 1:, None]).clamp(*bounds), batch.lengths)


class _Times(Fusion):
    """Scale and offset ``[n, 2]`` of time: for each step of the output the place in the input, from -1 to 1."""

    role = "carried"
    carrier = "time"
    interpolates = True

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(value, uniforms)

    def identity(self, batch: Batch) -> Tensor:
        one = torch.tensor([1.0, 0.0], dtype=batch.values.dtype, device=batch.values.device)
        return one.expand(len(batch.values), 2)

    def compose(self, first: Tensor, then: Tensor) -> Tensor:
        return torch.stack([first[:, 0] * then[:, 0], first[:, 0] * then[:, 1] + first[:, 1]], 1)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        steps = batch.values.shape[-1]
        own = torch.linspace(-1, 1, steps, dtype=maps.dtype, device=maps.device)
        place = ((maps[:, :1] * own + maps[:, 1:]) + 1) / 2 * (steps - 1)
        place = place.clamp(0, steps - 1)
        low = place.floor().clamp(max=steps - 2)
        share = (place - low)[:, None]
        index = low.long()[:, None].expand(-1, batch.values.shape[1], -1)
        left, right = batch.values.gather(2, index), batch.values.gather(2, index + 1)
        return Batch(torch.lerp(left, right, share), batch.lengths)


FUSIONS = {"samples": _Alone(), "levels": _Levels(), "times": _Times()}
