"""The engine: carries out a plan as few batched kernels, forwards and backwards.

Samples are independent, so each runs through its own operations in its own order; only the grouping is shared:

- consecutive warps of a sample become one map and one sampling, done at the last of them, together with all others
  that end at that step;
- all linear color operators of a step become one matrix product;
- every other operator runs once a step, on the samples that drew it.

Samples are put in the order of their groups once a step, so that groups are views, and put back once at the end.
Large batches go through in chunks that stay in the cache.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoaug.engine.fusion import Group, OperatorRows, Step, make_schedule
from autoaug.engine.plan import Plan, check_plan
from autoaug.errors import OptionError, as_option_error
from autoaug.functional.dtypes import as_float, as_type, check_inputs
from autoaug.functional.mixing import label_share, mix_pairs, own_share
from autoaug.functional.warping import field_grid, field_through, sample, transform_colors, warp
from autoaug.modalities.operators import Operator, get_operator

#: Float bytes of a chunk, by kind of device: on a CPU a chunk and its copies stay in a core's cache.
_CHUNK_BYTES = {"cpu": 4 * 2**20, "cuda": 256 * 2**20}


def run_plan(plan: Plan, inputs: Tensor, fuse: bool, out: Tensor | None, check: bool) -> Tensor:
    """`autoaug.engine.apply.apply_plan`, as it is carried out."""
    with as_option_error():
        inputs = check_inputs(inputs, values=check)
    check_plan(plan, len(inputs))
    if out is not None and (out.shape != inputs.shape or out.dtype != inputs.dtype or out.device != inputs.device):
        raise OptionError(f"out is {_kind(out)}, but the samples are {_kind(inputs)}; they must be alike")
    # Autocast would reach into operators, and coordinates in 16 bits move pixels.
    with torch.autocast(inputs.device.type, enabled=False):
        return _carry_out(plan, inputs, fuse, out)


def _carry_out(plan: Plan, inputs: Tensor, fuse: bool, out: Tensor | None) -> Tensor:
    """The plan carried out on samples that are known to be good."""
    chunks = _chunks(inputs)
    if torch.is_grad_enabled() and any(t.requires_grad for t in [inputs, *plan.tensors().values()]):
        # Slices would each fill the gradient of a whole batch; pieces of one split fill it once.
        sizes = [rows.stop - rows.start for rows in chunks]
        pieces = zip(chunks, torch.split(inputs, sizes), strict=True)
        whole = torch.cat([run_steps(_part(plan, rows), as_float(piece), fuse) for rows, piece in pieces])
        if plan.partner is not None:
            pairs = zip(
                chunks,
                torch.split(whole, sizes),
                torch.split(whole.index_select(0, plan.partner.to(whole.device)), sizes),
                strict=True,
            )
            whole = torch.cat([mix_rows(plan, *pair) for pair in pairs])
        return as_type(whole, inputs.dtype)
    with torch.no_grad():
        result = torch.empty_like(inputs) if out is None else out
        for rows in chunks:
            into = result[rows] if inputs.dtype in {torch.float32, torch.float64} else None
            piece = run_steps(_part(plan, rows), as_float(inputs[rows]), fuse, into)
            if piece is not into:
                result[rows] = as_type(piece, inputs.dtype)
        if plan.partner is None:
            return result
        mixed = torch.empty_like(inputs)
        for rows in chunks:
            partners = result.index_select(0, plan.partner[rows].to(result.device))
            mixed[rows] = as_type(mix_rows(plan, rows, result[rows], partners), inputs.dtype)
        return mixed if out is None else out.copy_(mixed)


def _kind(tensor: Tensor) -> str:
    return f"{list(tensor.shape)} {tensor.dtype} on {tensor.device}"


def _chunks(inputs: Tensor) -> list[slice]:
    kind = "cpu" if inputs.device.type == "cpu" else "cuda"
    size = max(1, _CHUNK_BYTES[kind] // max(4 * inputs[:1].numel(), 1))
    return [slice(start, min(start + size, len(inputs))) for start in range(0, max(len(inputs), 1), size)]


def _part(plan: Plan, rows: slice) -> Plan:
    """The plan of some rows, without mixing, which looks beyond them."""
    return replace(plan, mode=None, partner=None, weight=None, place=None)[rows]


def run_steps(plan: Plan, inputs: Tensor, fuse: bool, into: Tensor | None = None) -> Tensor:
    """All steps of the plan on floating-point samples; chains are blended, mixing is left out.

    The result may be `into`, where no gradient is wanted and that saves a copy.
    """
    chosen = {int(index) for index in np.unique(plan.choice.numpy())} - {-1}
    operators = {index: get_operator(plan.operators[index]) for index in chosen}
    if not operators:
        return inputs
    apply = _run_fused if fuse and plan.gate is None else _run_one_by_one
    if plan.blend is None:
        return apply(plan, operators, inputs, slice(None), into)
    weights = plan.blend.to(inputs.device, inputs.dtype)[:, :, None, None, None]
    width = plan.blend.shape[1] - 1
    steps = len(plan.choice) // width
    blended = weights[:, 0] * inputs
    for chain in range(width):
        part = slice(chain * steps, (chain + 1) * steps)
        blended = torch.addcmul(blended, weights[:, 1 + chain], apply(plan, operators, inputs, part, None))
    return blended.clamp(0, 1)


def apply_operator(operator: Operator, inputs: Tensor, value: Tensor, uniforms: Tensor) -> Tensor:
    """One operator on every sample, ``value [n]`` in its own unit."""
    if operator.kind == "samples":
        return operator.function(inputs, value, uniforms)
    if operator.kind == "colors":
        return transform_colors(inputs, operator.function(inputs, value, uniforms))
    positions = operator.function(value, uniforms, (inputs.shape[-2], inputs.shape[-1]))
    if operator.kind == "field":
        return sample(inputs, field_grid(inputs, positions)).clamp(0, 1)
    return warp(inputs, positions).clamp(0, 1)


def _run_one_by_one(
    plan: Plan, operators: dict[int, Operator], inputs: Tensor, steps: slice, _: Tensor | None
) -> Tensor:
    gates = [None] * len(plan.choice) if plan.gate is None else plan.gate
    for choice, magnitude, uniforms, gate in list(zip(plan.choice, plan.magnitude, plan.uniforms, gates, strict=True))[
        steps
    ]:
        for index, operator in operators.items():
            rows = (choice == index).nonzero().squeeze(1)
            if not len(rows):
                continue
            here = rows.to(inputs.device)
            value = (magnitude[rows] * operator.limit).to(inputs.device, inputs.dtype)
            before = inputs[here]
            after = apply_operator(operator, before, value, uniforms[rows].to(inputs.device))
            if gate is not None:
                after = torch.lerp(before, after, gate[rows].to(inputs.device, inputs.dtype)[:, None, None, None])
            inputs = inputs.index_copy(0, here, after)
    return inputs


def _run_fused(plan: Plan, operators: dict[int, Operator], inputs: Tensor, steps: slice, into: Tensor | None) -> Tensor:
    batch = _Batch(inputs, operators)
    choice, magnitude, uniforms = plan.choice[steps].numpy(), plan.magnitude[steps], plan.uniforms[steps]
    schedule = make_schedule(choice, {index: operator.kind for index, operator in operators.items()})
    for step, magnitudes, chances in zip(schedule, magnitude, uniforms, strict=True):
        batch.run(step, magnitudes, chances)
    return batch.in_order(into)


Arguments = dict[int, tuple[Tensor, Tensor]]


class _Batch:
    """Samples on their way through the steps: their present order, and the maps that each has gathered."""

    def __init__(self, inputs: Tensor, operators: dict[int, Operator]) -> None:
        self.inputs = inputs
        self.operators = operators
        self.samples = np.arange(len(inputs))  # samples[i] belongs to sample samples[i]
        self.projective = any(operator.kind == "projection" for operator in operators.values())
        self.maps: Tensor | None = None  # [n, 3, 3], by sample

    def run(self, step: Step, magnitudes: Tensor, chances: Tensor) -> None:
        """Carry out one step."""
        if not step.drawn():
            return
        arguments = self.arguments(step, magnitudes, chances)
        if step.carried:
            self.carry(step.carried, arguments)
        if not step.groups:
            return
        groups = [np.concatenate([d.samples for d in group.drawn]) for group in step.groups]
        self.arrange(np.concatenate([*groups, step.resting]))
        parts = list(torch.split(self.inputs, [*map(len, groups), len(step.resting)]))
        for i, group in enumerate(step.groups):
            parts[i] = self.run_group(group, parts[i], arguments)
        self.inputs = torch.cat(parts)

    def arguments(self, step: Step, magnitudes: Tensor, chances: Tensor) -> Arguments:
        """For each operator that was drawn the values, in its own unit, and the draws; one that both ends and is
        carried has them under two keys.
        """
        drawn = step.drawn()
        counts = [len(d.samples) for d in drawn]
        rows = torch.from_numpy(np.concatenate([d.samples for d in drawn]))
        limits = np.repeat(np.array([self.operators[d.operator].limit for d in drawn]), counts)
        scaled = magnitudes.index_select(0, rows) * torch.from_numpy(limits).to(magnitudes.dtype)
        values = torch.split(scaled.to(self.inputs.device, self.inputs.dtype), counts)
        own = torch.split(chances.index_select(0, rows).to(self.inputs.device), counts)
        return {id(d): pair for d, pair in zip(drawn, zip(values, own, strict=True), strict=True)}

    def carry(self, warps: list[OperatorRows], arguments: Arguments) -> None:
        """Put the maps of this step after those that the samples have."""
        rows, new = self.index(np.concatenate([d.samples for d in warps])), self.new_maps(warps, arguments)
        if self.maps is None:
            self.maps = (
                torch.eye(3, dtype=new.dtype, device=new.device)
                .expand(len(self.samples), 3, 3)
                .index_copy(0, rows, new)
            )
        else:
            self.maps = self.maps.index_copy(0, rows, self.maps.index_select(0, rows) @ new)

    def new_maps(self, warps: list[OperatorRows], arguments: Arguments) -> Tensor:
        """The maps of warps that were drawn in this step."""
        size = (self.inputs.shape[-2], self.inputs.shape[-1])
        return torch.cat([self.operators[d.operator].function(*arguments[id(d)], size) for d in warps])

    def take_maps(self, samples: np.ndarray) -> Tensor | None:
        """The maps that `samples` carry, which begin anew; None where no sample has any."""
        if self.maps is None:
            return None
        rows = self.index(samples)
        maps = self.maps.index_select(0, rows)
        self.maps = self.maps.index_copy(0, rows, torch.eye(3, dtype=maps.dtype, device=maps.device).expand_as(maps))
        return maps

    def run_group(self, group: Group, inputs: Tensor, arguments: Arguments) -> Tensor:
        """The `inputs` of one group, worked on."""
        if group.kind == "warp":
            maps = self.new_maps(group.drawn, arguments)
            before = self.take_maps(np.concatenate([d.samples for d in group.drawn]))
            maps = maps if before is None else before @ maps
            return warp(inputs, maps, self.projective).clamp_(0, 1)
        if group.kind == "colors":
            pieces = zip(group.drawn, torch.split(inputs, [len(d.samples) for d in group.drawn]), strict=True)
            found = [self.operators[d.operator].function(piece, *arguments[id(d)]) for d, piece in pieces]
            return transform_colors(inputs, torch.cat(found))
        (drawn,) = group.drawn
        function = self.operators[drawn.operator].function
        if group.kind == "samples":
            return function(inputs, *arguments[id(drawn)])
        positions = function(*arguments[id(drawn)], (inputs.shape[-2], inputs.shape[-1]))
        before = self.take_maps(drawn.samples)
        positions = positions if before is None else field_through(positions, before)
        return sample(inputs, field_grid(inputs, positions)).clamp_(0, 1)

    def arrange(self, samples: np.ndarray) -> None:
        """Bring the samples into the order of `samples`."""
        self.inputs = Permute.apply(self.inputs, self.places(samples))
        self.samples = samples

    def in_order(self, into: Tensor | None) -> Tensor:
        """The samples in the order they came in."""
        places = self.places(np.arange(len(self.samples)))
        if into is not None:
            return torch.index_select(self.inputs, 0, places, out=into)
        ordered: Tensor = Permute.apply(self.inputs, places)
        return ordered

    def places(self, samples: np.ndarray) -> Tensor:
        """Where the samples of `samples` are at present."""
        place = np.empty(len(samples), np.int64)
        place[self.samples] = np.arange(len(samples))
        return self.index(place[samples])

    def index(self, rows: np.ndarray) -> Tensor:
        """`rows` as an index on the samples' device."""
        return torch.from_numpy(rows).to(self.inputs.device)


class Permute(torch.autograd.Function):
    """Samples in another order. Going back gathers too, which is many times faster than what indexing does."""

    @staticmethod
    def forward(context: Any, inputs: Tensor, order: Tensor) -> Tensor:
        context.save_for_backward(order)
        return inputs.index_select(0, order)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (order,) = context.saved_tensors
        inverse = torch.empty_like(order)
        inverse[order] = torch.arange(len(order), device=order.device)
        return Permute.apply(gradient, inverse), None


def mix_rows(plan: Plan, rows: slice, inputs: Tensor, partners: Tensor) -> Tensor:
    """The samples of some rows of the plan, as floating point, mixed with their partners."""
    mode, weight, place = (plan.tensors()[name][rows] for name in ("mode", "weight", "place"))
    return mix_pairs(as_float(inputs), as_float(partners), mode, weight, place)


def mix_labels(plan: Plan, labels: Tensor, height: int, width: int) -> Tensor:
    """Soft labels ``[n, classes]`` mixed as the plan mixes samples of that size."""
    if plan.mode is None or plan.partner is None or plan.weight is None or plan.place is None:
        return labels
    own = own_share(plan.mode, plan.weight, plan.place, height, width)
    weight = label_share(plan.mode, own).to(labels)
    return torch.lerp(labels[plan.partner.to(labels.device)], labels, weight[:, None])
