"""Boxes, masks and key-points follow their sample through a plan."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from autoaug.engine.plan import Plan
from autoaug.errors import OptionError, as_option_error
from autoaug.modalities.image.annotations import extend, follow
from autoaug.modalities.operators import get_operator


def move_targets(plan: Plan, index: int, targets: Any, size: tuple[int, int]) -> Any:
    """`targets` moved as the plan moves sample `index` of ``size`` (height, width): see `autoaug.modalities.image.annotations.follow`.

    Raises:
        OptionError: the plan blends or mixes samples, the targets are of a sample of another size, or boxes are rotated.
    """
    movement = movement_of(plan, index, size)
    with as_option_error():
        return follow(movement, targets, size)


def movement_of(plan: Plan, index: int, size: tuple[int, int]) -> list[Tensor]:
    """The maps and fields of one sample, see `autoaug.modalities.image.annotations`."""
    if plan.blend is not None or (plan.mode is not None and int(plan.mode[index]) > 0):
        raise OptionError("boxes, masks and key-points cannot follow a sample that is mixed or blended with another")
    movement: list[Tensor] = []
    steps = zip(plan.choice[:, index], plan.magnitude[:, index], plan.uniforms[:, index], strict=True)
    for choice, magnitude, uniforms in steps:
        operator = get_operator(plan.operators[int(choice)]) if choice >= 0 else None
        if operator is not None and operator.kind in {"warp", "projection", "field"}:
            value = (magnitude.detach().double() * operator.limit)[None]
            extend(movement, operator.function(value, uniforms[None].double(), size)[0])
    return movement
