"""Questions about a shape: what if one thing about it were different? Each is answered by one trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from autoaug.search.space import SearchSpace
from autoaug.search.strategies.portfolio import within

#: A question about the strength of layers changes it by this factor, up or down.
_FACTOR = 1.5


def questions(space: SearchSpace, shape: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the values of `sample_shaped` that differ from those of `shape` in one answer. The kinds of question take
    turns: which base operations (symmetry and position), one more layer of which family (does color help?), how strong,
    which mixing, how many layers, of which family, how many copies.
    """
    kinds = (
        _about_base(space, shape),
        _about_extra(space, shape),
        _about_strength(shape),
        _about_mixing(space, shape),
        _about_layers(space, shape),
        [{"copies": 2 * shape["copies"]}],
    )
    for turn in zip_longest(*kinds):
        for answer in filter(None, turn):
            changed = within(space, {**shape, **answer})
            if changed != dict(shape):
                yield changed


def stronger(space: SearchSpace, shape: Mapping[str, Any]) -> dict[str, Any] | None:
    """The shape with one more layer, or, where the space has no more, with larger magnitudes; None if it has none of
    either. Trials on part of the data have fewer steps, in which strong augmentation does not pay yet.
    """
    changes: list[dict[str, Any]] = [{"reach": shape["reach"] * _FACTOR}]
    if shape["layers of"] == "space":
        changes = [{"layers": shape["layers"] + 1}, {"strength": shape["strength"] * _FACTOR}]
    for change in changes:
        changed = within(space, {**shape, **change})
        if changed != dict(shape):
            return changed
    return None


def _about_base(space: SearchSpace, shape: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for base in space.base:
        yield {base.operator: "off" if shape[base.operator] == "on" else "on"}


def _about_extra(space: SearchSpace, shape: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for family in ("none", *space.families):
        if family != shape["extra"]:
            yield {"extra": family}


def _about_strength(shape: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if shape["layers of"] != "space":
        yield from ({"reach": shape["reach"] * factor} for factor in (1 / _FACTOR, _FACTOR))
    elif shape["layers"]:
        yield from ({"strength": shape["strength"] * factor} for factor in (1 / _FACTOR, _FACTOR))


def _about_mixing(space: SearchSpace, shape: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in space.mixing.kinds:
        if kind != shape["mixing"]:
            yield {"mixing": kind}


def _about_layers(space: SearchSpace, shape: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if shape["layers of"] != "space":
        yield {"layers of": "space"}
        return
    yield {"layers": shape["layers"] + 1}
    if shape["layers"]:
        yield {"layers": shape["layers"] - 1}
        yield from ({"family": family} for family in space.families if family != shape["family"])
