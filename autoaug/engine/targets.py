"""Transform boxes, masks and other annotations along with their samples."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from autoaug.engine.batches import rows_of
from autoaug.engine.plan import Plan
from autoaug.errors import OptionError, as_option_error
from autoaug.modalities.base import Annotations, Batch
from autoaug.modalities.operators import get_operator
from autoaug.modalities.registry import get_modality


def move_targets(plan: Plan, index: int, targets: Any, batch: Batch) -> Any:
    """Move `targets` as the plan moves sample `index` of the batch. Only the batch's shape and lengths are used.

    Targets of a modality without annotations are returned unchanged.

    Raises:
        OptionError: the plan blends or mixes the sample, or the annotations do not fit it.
    """
    annotations = get_modality(plan.modality).annotations
    if annotations is None:
        return targets
    movement = _movement_of(plan, index, batch, annotations)
    with as_option_error():
        return annotations.follow(movement, targets, tuple(batch.values.shape[2:]))


def _movement_of(plan: Plan, index: int, batch: Batch, annotations: Annotations) -> list[Tensor]:
    """The maps of one sample, in double precision."""
    if plan.blend is not None or (plan.mix is not None and int(plan.mix.mode[index]) > 0):
        raise OptionError(
            "boxes, masks and other annotations cannot follow a sample that is mixed or blended; use class labels"
        )
    fusions = get_modality(plan.modality).fusions
    own = rows_of(batch, slice(index, index + 1))
    movement: list[Tensor] = []
    steps = zip(plan.choice[:, index], plan.magnitude[:, index], plan.uniforms[:, index], strict=True)
    for choice, magnitude, uniforms in steps:
        operator = get_operator(plan.operators[int(choice)]) if choice >= 0 else None
        if operator is not None and operator.kind in annotations.moving:
            value = (magnitude.detach().double() * operator.limit)[None]
            maps = fusions[operator.kind].maps(operator.function, own, value, uniforms[None].double())
            annotations.extend(movement, maps[0])
    return movement
