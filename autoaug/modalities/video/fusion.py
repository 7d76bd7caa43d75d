"""How operators on clips run together: those of images by the fusions of images, with one map for all frames where it
does not depend on what they show; choices of frames are composed, and nothing is copied but once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from autoaug.modalities.base import Batch, Fusion
from autoaug.modalities.image.fusion import FUSIONS as OF_IMAGES
from autoaug.modalities.video.clips import compose_frames, of_clips, over_time, own_frames, per_frame, show, show_own


class _EachFrame(Fusion):
    """Maps ``[n, T, ...]`` that depend on what a frame shows."""

    def __init__(self, own: Fusion) -> None:
        self.own, self.role = own, own.role

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        frames = batch.values.shape[1]
        own = self.own.maps(function, _frames(batch), per_frame(value, frames), per_frame(uniforms, frames))
        return of_clips(own, frames)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(self.own.apply(_frames(batch), maps.flatten(0, 1)).values.view(batch.values.shape))


def _frames(batch: Batch) -> Batch:
    """The frames as images ``[n * T, C, H, W]``."""
    return Batch(batch.values.flatten(0, 1))


class _Varying(Fusion):
    """New clips, whose frames are changed by values that vary smoothly; see `over_time`."""

    role = "alone"

    def __init__(self, own: Fusion) -> None:
        self.own = own

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        images, frames = _frames(batch), batch.values.shape[1]
        varying = over_time(value, uniforms, frames)
        own = self.own.maps(function, images, varying, per_frame(uniforms, frames))
        return self.own.apply(images, own).values.view(batch.values.shape)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(maps)


class _AllFrames(Fusion):
    """Maps ``[n, ...]`` from positions to positions, by which frames are sampled together, as if they were channels."""

    def __init__(self, own: Fusion) -> None:
        self.own, self.role, self.carrier, self.interpolates = own, own.role, own.carrier, own.interpolates

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return self.own.maps(function, batch, value, uniforms)

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(self.own.apply(_stacked(batch), maps).values.view(batch.values.shape))

    def ways(self, batch: Batch, maps: Tensor) -> Tensor:
        return self.own.ways(batch, maps)

    def apply_in(self, way: int, batch: Batch, maps: Tensor) -> Batch:
        return Batch(self.own.apply_in(way, _stacked(batch), maps).values.view(batch.values.shape))

    def identity(self, batch: Batch) -> Tensor:
        return self.own.identity(batch)

    def compose(self, first: Tensor, then: Tensor) -> Tensor:
        return self.own.compose(first, then)


def _stacked(batch: Batch) -> Batch:
    """The clips as images ``[n, T * C, H, W]``."""
    return Batch(batch.values.flatten(1, 2))


class _Frames(Fusion):
    """The frames ``[n, T]`` that are shown; see `show`."""

    role = "carried"
    carrier = "frames"

    def maps(self, function: Callable[..., Tensor], batch: Batch, value: Tensor, uniforms: Tensor) -> Tensor:
        return function(value, uniforms.to(value), batch.values.shape[1])

    def apply(self, batch: Batch, maps: Tensor) -> Batch:
        return Batch(show(batch.values, maps))

    def ways(self, batch: Batch, maps: Tensor) -> Tensor:
        return (maps >= 0).all(1).long()

    def apply_in(self, way: int, batch: Batch, maps: Tensor) -> Batch:
        return Batch((show_own if way == 1 else show)(batch.values, maps))

    def identity(self, batch: Batch) -> Tensor:
        return own_frames(len(batch.values), batch.values.shape[1], batch.values.device)

    def compose(self, first: Tensor, then: Tensor) -> Tensor:
        return compose_frames(first, then)


FUSIONS: Mapping[str, Fusion] = {
    **{kind: (_AllFrames if own.carrier else _EachFrame)(own) for kind, own in OF_IMAGES.items()},
    **{f"varying {kind}": _Varying(OF_IMAGES[kind]) for kind in ("samples", "colors", "warp")},
    "frames": _Frames(),
}
