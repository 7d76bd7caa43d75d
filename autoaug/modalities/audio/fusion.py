"""How operators on waveforms run together: responses are multiplied and need one pair of Fourier transforms, and maps
of time are composed and interpolated once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from autoaug.modalities.audio.signals import (
    amplify,
    answer,
    compose_times,
    cut,
    frequencies,
    is_flat,
    keeps_rate,
    lengths_of,
    respond,
    retime,
    slide,
)
from autoaug.modalities.base import Batch, Fusion


def _lengths(batch: Batch) -> Tensor:
    return lengths_of(batch.values) if batch.lengths is None else batch.lengths


class _Alone(Fusion):
    """The new waveforms."""

    role = "alone"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(batch.values, value, uniforms.to(value), _lengths(batch))

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return batch._replace(values=cut(maps, _lengths(batch)))


class _Resized(_Alone):
    """The new waveforms, which have other lengths."""

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(maps.clamp(-1, 1), lengths_of(maps))


class _Responses(Fusion):
    """Real responses ``[n, F]``, by which the spectra are multiplied."""

    role = "carried"
    carrier = "response"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(value, uniforms.to(value), frequencies(batch.values.shape[-1], value))

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return batch._replace(values=answer(batch.values, maps, _lengths(batch)))

    def ways(self, batch: Batch, maps: Tensor) -> Tensor:
        return is_flat(maps).long()

    def apply_in(self, way: int, batch: Batch, maps: Tensor) -> Batch:
        values = (amplify if way == 1 else respond)(batch.values, maps)
        return batch._replace(values=cut(values, _lengths(batch)))

    def identity(self, batch: Batch) -> Tensor:
        return torch.ones_like(frequencies(batch.values.shape[-1], batch.values)).expand(len(batch.values), -1)

    def compose(self, first: Tensor, then: Tensor) -> Tensor:
        return first * then


class _Times(Fusion):
    """Scale, offset and ratio of lengths, ``[n, 3]``; see `retime`."""

    role = "carried"
    carrier = "time"
    interpolates = True

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(value, uniforms.to(value))

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(*retime(batch.values, maps, _lengths(batch)))

    def ways(self, batch: Batch, maps: Tensor) -> Tensor:
        return keeps_rate(maps).long()

    def apply_in(self, way: int, batch: Batch, maps: Tensor) -> Batch:
        return Batch(*(slide if way == 1 else retime)(batch.values, maps, _lengths(batch)))

    def identity(self, batch: Batch) -> Tensor:
        one = torch.tensor([1.0, 0.0, 1.0], dtype=batch.values.dtype, device=batch.values.device)
        return one.expand(len(batch.values), 3)

    def compose(self, first: Tensor, then: Tensor) -> Tensor:
        return compose_times(first, then)


FUSIONS: Mapping[str, Fusion] = {
    "samples": _Alone(),
    "resized": _Resized(),
    "response": _Responses(),
    "times": _Times(),
}
