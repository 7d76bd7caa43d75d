"""Run the steps of a plan on one chunk of samples: one operator after another, or fused into few kernels.

Samples are independent: each goes through its own operations in its own order, and only the grouping is shared. The
modality defines how operators of one kind run together (`autoaug.modalities.base.Fusion`); the schedule defines which
ones do in each step (`autoaug.engine.fusion`).

Samples are sorted by group once per step, so that groups are views, and restored to their order at the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from autoaug.engine.batches import joined, per_sample, permuted, replaced, split, taken
from autoaug.engine.fusion import OperatorRows, make_schedule
from autoaug.engine.plan import Plan
from autoaug.modalities.base import Batch, Fusion
from autoaug.modalities.operators import Operator

Fusions = Mapping[str, Fusion]
Operators = Mapping[int, Operator]


class _Call(NamedTuple):
    """An operator, the indices of the samples that drew it, and the value and uniforms of each sample."""

    operator: Operator
    samples: np.ndarray
    value: Tensor
    uniforms: Tensor


class _Carried(NamedTuple):
    """The maps of one carrier, ``[n, ...]`` by sample index, and which samples have one."""

    fusion: Fusion
    maps: Tensor
    has: np.ndarray


class _State(NamedTuple):
    """The state between steps: the current batch, whose row i is sample ``samples[i]``, and the maps that samples
    carry, by carrier.
    """

    batch: Batch
    samples: np.ndarray
    carried: Mapping[str, _Carried]


def run_one_by_one(plan: Plan, operators: Operators, fusions: Fusions, batch: Batch) -> Batch:
    """All steps of the plan, each operator applied for itself."""
    for choice, magnitude, uniforms in zip(plan.choice, plan.magnitude, plan.uniforms, strict=True):
        for index, operator in operators.items():
            rows = (choice == index).nonzero().squeeze(1)
            if not len(rows):
                continue
            here = rows.to(batch.values.device)
            before, fusion = taken(batch, here), fusions[operator.kind]
            value = _as_numbers(magnitude[rows] * operator.limit, batch.values)
            call = _Call(operator, rows.numpy(), value, uniforms[rows].to(batch.values.device))
            batch = replaced(batch, here, _applied(call, fusion, before))
    return batch


#: How far on both sides of a magnitude an operator that jumps is looked at for its gradient; a switch goes on and off.
_REACH = 0.1


def _applied(call: _Call, fusion: Fusion, before: Batch) -> Batch:
    """The batch after one operator. The magnitude's gradient of one that jumps is the central difference of its outputs
    with the same uniforms. For losses that are quadratic in a value this is what its jumps change on average, half of
    it seen from either side.
    """
    operator, _, value, uniforms = call

    def at(given: Tensor) -> Batch:
        return fusion.apply(before, fusion.maps(operator.function, before, given, uniforms))

    if not (operator.jumps and value.requires_grad):
        return at(value)
    after, sign = at(value.detach()), torch.where(value < 0, -1.0, 1.0).to(value)
    reach = (1 if operator.is_switch else _REACH) * operator.limit
    with torch.no_grad():
        size = value.abs()
        less, more = (size - reach).clamp(min=0), (size + reach).clamp(max=operator.limit)
        slope = (at(sign * more).values - at(sign * less).values) / per_sample(more - less, before.values)
    farther = per_sample(sign * (value - value.detach()), before.values)
    return after._replace(values=after.values + farther * slope)


def run_fused(plan: Plan, operators: Operators, fusions: Fusions, batch: Batch, into: Tensor | None = None) -> Batch:
    """Run all steps of the plan, by groups; the values of the result may be written to `into`."""
    state = _State(batch, np.arange(len(batch.values)), {})
    kinds = {index: operator.kind for index, operator in operators.items()}
    schedule = make_schedule(plan.choice.numpy(), kinds, fusions)
    for step, magnitudes, chances in zip(schedule, plan.magnitude, plan.uniforms, strict=True):
        drawn = step.drawn()
        if not drawn:
            continue
        calls = iter(_calls(drawn, operators, magnitudes, chances, batch.values))
        carried, groups = (
            [(fusions[group.kind], list(itertools.islice(calls, len(group.drawn)))) for group in some]
            for some in (step.carried, step.groups)
        )
        for fusion, called in carried:
            state = _carry(state, fusion, called, fusions)
        if groups:
            order = np.concatenate([*(call.samples for _, called in groups for call in called), step.resting])
            state = _State(permuted(state.batch, _places(state, order)), order, state.carried)  # frees the old order
            state = _run_groups(state, groups, fusions)
    back = _places(state, np.arange(len(state.samples)))
    if into is None:
        return permuted(state.batch, back)
    lengths = state.batch.lengths
    values = torch.index_select(state.batch.values, 0, back, out=into)
    return Batch(values, None if lengths is None else lengths[back])


def _calls(
    drawn: Sequence[OperatorRows], operators: Operators, magnitudes: Tensor, chances: Tensor, values: Tensor
) -> list[_Call]:
    """The arguments of each drawn operator, in order; gathered for all at once."""
    counts = [len(d.samples) for d in drawn]
    rows = torch.from_numpy(np.concatenate([d.samples for d in drawn]))
    limits = np.repeat(np.array([operators[d.operator].limit for d in drawn]), counts)
    scaled = magnitudes.index_select(0, rows) * torch.from_numpy(limits).to(magnitudes.dtype)
    value = torch.split(_as_numbers(scaled, values), counts)
    uniforms = torch.split(chances.index_select(0, rows).to(values.device), counts)
    return [
        _Call(operators[d.operator], d.samples, *given)
        for d, given in zip(drawn, zip(value, uniforms, strict=True), strict=True)
    ]


def _run_groups(state: _State, groups: list[tuple[Fusion, list[_Call]]], fusions: Fusions) -> _State:
    """The state after the groups of a step. The samples are sorted by group; resting ones come last."""
    samples = [_samples(calls) for _, calls in groups]
    sizes = [*map(len, samples)]
    parts = split(state.batch, [*sizes, len(state.samples) - sum(sizes)])
    left = dict(state.carried)
    for i, (fusion, calls) in enumerate(groups):
        maps = _maps(calls, parts[i], fusions)
        before = left.get(fusion.carrier)
        if before is not None:
            maps = _composed(before, fusion, samples[i], maps, parts[i])
            left[fusion.carrier] = before._replace(has=_marked(before.has, samples[i], False))
        parts[i] = fusion.apply(parts[i], maps)
    return _State(joined(parts), state.samples, left)


def _carry(state: _State, fusion: Fusion, calls: list[_Call], fusions: Fusions) -> _State:
    """The state after the maps of `calls` are composed with those that their samples carry."""
    samples = _samples(calls)
    batch, before = _like(state, samples), state.carried.get(fusion.carrier)
    maps, rows = _maps(calls, batch, fusions), _index(samples, batch.values)
    if before is None:
        none = np.zeros(len(state.samples), bool)
        before = _Carried(fusion, maps.new_zeros(len(none), *maps.shape[1:]), none)
    maps = _composed(before, fusion, samples, maps, batch)
    now = _Carried(fusion, before.maps.index_copy(0, rows, maps), _marked(before.has, samples, True))
    return state._replace(carried={**state.carried, fusion.carrier: now})


def _composed(before: _Carried, fusion: Fusion, samples: np.ndarray, maps: Tensor, batch: Batch) -> Tensor:
    """The new maps of the samples composed with those that they carry, which apply first."""
    has = before.has[samples]
    count = np.count_nonzero(has)
    if not count:
        return maps
    first = before.maps.index_select(0, _index(samples, batch.values))
    if count < len(has):
        mask = per_sample(torch.from_numpy(has).to(first.device), first)
        first = torch.where(mask, first, before.fusion.identity(batch))
    return fusion.compose(first, maps)


def _maps(calls: list[_Call], batch: Batch, fusions: Fusions) -> Tensor:
    """The operators' maps for the samples of the batch, which are in the order of the calls."""
    pieces = split(batch, [len(call.samples) for call in calls]) if len(calls) > 1 else [batch]
    maps = [
        fusions[call.operator.kind].maps(call.operator.function, piece, call.value, call.uniforms)
        for call, piece in zip(calls, pieces, strict=True)
    ]
    return maps[0] if len(maps) == 1 else torch.cat(maps)


def _like(state: _State, samples: np.ndarray) -> Batch:
    """A batch with the shape and lengths of `samples` and arbitrary values."""
    lengths = state.batch.lengths
    own = None if lengths is None else lengths.index_select(0, _places(state, samples))
    return Batch(state.batch.values[: len(samples)], own)


def _samples(calls: list[_Call]) -> np.ndarray:
    return np.concatenate([call.samples for call in calls])


def _marked(has: np.ndarray, samples: np.ndarray, mark: bool) -> np.ndarray:
    """A copy with the entries of `samples` set."""
    marked = has.copy()
    marked[samples] = mark
    return marked


def _places(state: _State, samples: np.ndarray) -> Tensor:
    """The rows of `samples` in the current batch."""
    place = np.empty(len(state.samples), np.int64)
    place[state.samples] = np.arange(len(state.samples))
    return _index(place[samples], state.batch.values)


def _index(rows: np.ndarray, values: Tensor) -> Tensor:
    """`rows` as an index on the values' device."""
    return torch.from_numpy(rows).to(values.device)


def _as_numbers(numbers: Tensor, values: Tensor) -> Tensor:
    """`numbers` on the device of the values, with their dtype if it is floating point, or else float32."""
    return numbers.to(values.device, values.dtype if values.is_floating_point() else torch.float32)
