"""Run a program on a batch: one operator after another, or fused into few kernels.

Samples are independent: each goes through its own operations in its own order, and only the grouping is shared. The
modality defines how operators of one kind run together (`autoaug.modalities.base.Fusion`); the program defines which
ones do in each stage (`autoaug.engine.program`).

Samples are sorted by part once per stage, so that parts are views, and restored to their order at the end. Where all
samples do the same, none is copied.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from autoaug.engine.batches import joined, per_sample, permuted, split
from autoaug.engine.program import Program, StagePart
from autoaug.modalities.base import Batch, Fusion
from autoaug.modalities.operators import Operator

_Numbers = tuple[Tensor, Tensor]


def run_program(program: Program, batch: Batch, into: Tensor | None = None) -> Batch:
    """The batch, whose device the program is on, after all stages. Its values may be written to `into`, which saves a
    copy; only without gradients.
    """
    if not program.stages:
        return batch
    (*orders, back), (*moves, moves_back) = program.orders.unbind(), program.moves
    numbers = _numbers(program)
    for parts, order, is_moved in zip(program.stages, orders, moves, strict=True):
        batch = permuted(batch, order) if is_moved else batch
        sizes = [part.size for part in parts]
        *samples, resting = split(batch, [*sizes, len(batch.values) - sum(sizes)])
        done = [_run(part, own, numbers, program.differences) for part, own in zip(parts, samples, strict=True)]
        batch = done[0] if sizes == [len(batch.values)] else joined([*done, resting])
    if not moves_back:
        return batch if into is None else batch._replace(values=into.copy_(batch.values))
    if into is None:
        return permuted(batch, back)
    values = torch.index_select(batch.values, 0, back, out=into)
    return Batch(values, None if batch.lengths is None else batch.lengths[back])


def _numbers(program: Program) -> Iterator[_Numbers]:
    """The value ``[m]`` and the uniforms ``[m, UNIFORMS]`` of each call, one after another."""
    sizes = [call.size for parts in program.stages for part in parts for call in part.calls]
    return zip(torch.split(program.value, sizes), torch.split(program.uniforms, sizes), strict=True)


def _run(part: StagePart, batch: Batch, numbers: Iterator[_Numbers], differences: bool) -> Batch:
    """The samples of a part after it, which takes the next numbers."""
    if not part.calls:
        assert part.maps is not None
        return part.fusion.apply_in(part.way, batch, part.maps)
    if differences:
        (call,) = part.calls
        return _with_difference(call.operator, part.fusion, batch, next(numbers))
    pieces = split(batch, [call.size for call in part.calls]) if len(part.calls) > 1 else [batch]
    made = [
        part.fusion.maps(call.operator.function, piece, *next(numbers))
        for call, piece in zip(part.calls, pieces, strict=True)
    ]
    maps = made[0] if len(made) == 1 else torch.cat(made)
    return part.fusion.apply(batch, maps if part.maps is None else part.fusion.compose(part.maps, maps))


#: How far on both sides of a magnitude an operator that jumps is looked at for its gradient; a switch goes on and off.
_REACH = 0.1


def _with_difference(operator: Operator, fusion: Fusion, before: Batch, numbers: _Numbers) -> Batch:
    """The batch after one operator. The magnitude's gradient of one that jumps is the central difference of its outputs
    with the same uniforms. For losses that are quadratic in a value this is what its jumps change on average, half of
    it seen from either side. Values that are not continuous have no gradient.
    """
    value, uniforms = numbers

    def at(given: Tensor) -> Batch:
        return fusion.apply(before, fusion.maps(operator.function, before, given, uniforms))

    if not (operator.jumps and value.requires_grad and before.values.is_floating_point()):
        return at(value)
    after, sign = at(value.detach()), _sign(value)
    with torch.no_grad():
        less, more = _beside(operator, value)
        slope = (at(sign * more).values - at(sign * less).values) / per_sample(more - less, before.values)
    farther = per_sample(sign * (value - value.detach()), before.values)
    return after._replace(values=after.values + farther * slope)


def _sign(value: Tensor) -> Tensor:
    return torch.where(value < 0, -1.0, 1.0).to(value)


def _beside(operator: Operator, value: Tensor) -> tuple[Tensor, Tensor]:
    """Sizes on both sides of the values', between which a difference is taken."""
    reach, size = (1 if operator.is_switch else _REACH) * operator.limit, value.abs()
    return (size - reach).clamp(min=0), (size + reach).clamp(max=operator.limit)
