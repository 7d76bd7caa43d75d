"""How operators on images run together: maps of warps are composed, and maps of colors are applied together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from autoaug.functional.tensors import constant
from autoaug.modalities.base import Batch, Fusion
from autoaug.modalities.image.warping import field_grid, field_through, keeps_pixels, map_grid, sample, transform_colors


class _Alone(Fusion):
    role = "alone"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(batch.values, value, uniforms)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return batch._replace(values=maps)


class _Colors(Fusion):
    """Affine maps ``[n, C, C + 1]`` of the channels of each pixel."""

    role = "joined"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(batch.values, value, uniforms)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return batch._replace(values=transform_colors(batch.values, maps))


class _Warps(Fusion):
    """Maps ``[n, 3, 3]`` from output to input positions; `projective` ones need a division per pixel."""

    role = "carried"
    carrier = "warp"
    interpolates = True

    def __init__(self, projective: bool) -> None:
        self.projective = projective

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(value, uniforms, tuple(batch.values.shape[-2:]))

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return self._applied(batch, maps, keeps_pixels(maps.detach(), *batch.values.shape[-2:]))

    def ways(self, batch: Batch, maps: Tensor) -> Tensor:
        return keeps_pixels(maps, *batch.values.shape[-2:]).long()

    def apply_in(self, way: int, batch: Batch, maps: Tensor) -> Batch:
        return self._applied(batch, maps, exact=way == 1)

    def _applied(self, batch: Batch, maps: Tensor, exact: Tensor | bool) -> Batch:
        return batch._replace(values=_sampled(batch.values, map_grid(batch.values, maps, self.projective), exact))

    def identity(self, batch: Batch) -> Tensor:
        one = torch.eye(3, dtype=batch.values.dtype, device=batch.values.device)
        return one.expand(len(batch.values), 3, 3)

    def compose(self, first: Tensor, then: Tensor) -> Tensor:
        return first @ then


class _Fields(Fusion):
    """The source position ``[n, H, W, 2]`` in the input for each output pixel."""

    role = "closing"
    carrier = "warp"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(value, uniforms, tuple(batch.values.shape[-2:]))

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return batch._replace(values=_sampled(batch.values, field_grid(batch.values, maps)))

    def compose(self, first: Tensor, then: Tensor) -> Tensor:
        return field_through(then, first)


def _sampled(inputs: Tensor, grid: Tensor, exact: Tensor | bool = False) -> Tensor:
    """``inputs [n, C, H, W]`` at ``grid [n, H, W, 2]``, within [0, 1]; for `exact` see `warping.sample`.

    Between pixels the gradient in the grid is the slope from one to the next. At a pixel, where moves by whole pixels
    land, it is the mean of the slopes on both sides; PyTorch has that of one side, with which losses seem to fall
    wherever an image moves to the other.
    """
    values = sample(inputs, grid.detach(), exact).clamp_(0, 1)
    if not grid.requires_grad:
        return values
    seen, aside = inputs.detach(), constant((2e-4 / inputs.shape[-1], 2e-4 / inputs.shape[-2]), inputs)
    moved = (sample(seen, grid + aside) + sample(seen, grid - aside)) / 2
    return values + (moved - moved.detach())


FUSIONS: Mapping[str, Fusion] = {
    "samples": _Alone(),
    "colors": _Colors(),
    "warp": _Warps(projective=False),
    "projection": _Warps(projective=True),
    "field": _Fields(),
}
