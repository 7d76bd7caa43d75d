"""Shapes that differ from a shape in one thing."""

from __future__ import annotations

from collections.abc import Iterator

from autoaug.search.sampling import ShapeValues
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.portfolio import within

#: By how much a neighbor is stronger or weaker.
_FACTOR = 1.5


def neighbors(space: SearchSpace, shape: ShapeValues) -> Iterator[ShapeValues]:
    """Yield the values of `sample_shaped` that differ from those of `shape` in one thing: a base operation (symmetry
    and position), one more layer and of which family, the strength, the mixing, the attack, the number of layers, their
    family, or the copies.
    """
    changes = (
        *_base(space, shape),
        *_extra(space, shape),
        *_strength(shape),
        *_mixing(space, shape),
        *_attack(space, shape),
        *_layers(space, shape),
        {"copies": 2 * shape["copies"]},
    )
    for change in changes:
        changed = within(space, {**shape, **change})
        if changed != shape:
            yield changed


def stronger(space: SearchSpace, shape: ShapeValues) -> ShapeValues | None:
    """The shape with one more layer, or, where the space has no more, with larger magnitudes; None if it has none of
    either. Trials on part of the data have fewer steps, in which strong augmentation does not pay yet.
    """
    changes: list[ShapeValues] = [{"reach": shape["reach"] * _FACTOR}]
    if shape["layers of"] == "space":
        changes = [{"layers": shape["layers"] + 1}, {"strength": shape["strength"] * _FACTOR}]
    for change in changes:
        changed = within(space, {**shape, **change})
        if changed != shape:
            return changed
    return None


def _base(space: SearchSpace, shape: ShapeValues) -> Iterator[ShapeValues]:
    for base in space.base:
        yield {base.operator: "off" if shape[base.operator] == "on" else "on"}


def _extra(space: SearchSpace, shape: ShapeValues) -> Iterator[ShapeValues]:
    for family in ("none", *space.families):
        if family != shape["extra"]:
            yield {"extra": family}


def _strength(shape: ShapeValues) -> Iterator[ShapeValues]:
    if shape["layers of"] != "space":
        yield from ({"reach": shape["reach"] * factor} for factor in (1 / _FACTOR, _FACTOR))
    elif shape["layers"]:
        yield from ({"strength": shape["strength"] * factor} for factor in (1 / _FACTOR, _FACTOR))


def _mixing(space: SearchSpace, shape: ShapeValues) -> Iterator[ShapeValues]:
    for kind in space.mixing.kinds:
        if kind != shape["mixing"]:
            yield {"mixing": kind}


def _attack(space: SearchSpace, shape: ShapeValues) -> Iterator[ShapeValues]:
    if "adversarial" in shape:
        yield from ({"adversarial": kind} for kind in space.adversarial.shaped if kind != shape["adversarial"])


def _layers(space: SearchSpace, shape: ShapeValues) -> Iterator[ShapeValues]:
    if shape["layers of"] != "space":
        yield {"layers of": "space"}
        return
    yield {"layers": shape["layers"] + 1}
    if shape["layers"]:
        yield {"layers": shape["layers"] - 1}
        yield from ({"family": family} for family in space.families if family != shape["family"])
