"""Apply a plan with few batched kernels, forward and backward.

Large batches are processed in chunks that fit in the cache. Mixing needs samples from other chunks, so it comes last.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from autoaug.engine.batches import joined, joined_lengths, per_sample, rows_of, split, taken
from autoaug.engine.plan import Plan, check_plan, mixing_of
from autoaug.engine.steps import run_fused, run_one_by_one
from autoaug.errors import OptionError, as_option_error
from autoaug.modalities.base import Batch
from autoaug.modalities.operators import get_operator
from autoaug.modalities.registry import get_modality

#: Bytes of a chunk in floating point, by kind of device. On a CPU, a chunk and its copies fit in the cache of a core.
_CHUNK_BYTES = {"cpu": 4 * 2**20, "cuda": 256 * 2**20}


def run_plan(plan: Plan, batch: Batch, fuse: bool, out: Tensor | None, check: bool) -> Batch:
    """The implementation of `autoaug.engine.apply.apply_plan`."""
    with as_option_error():
        batch = batch._replace(values=get_modality(plan.modality).values.check(batch.values, look=check))
    given, lengths = batch.values, batch.lengths
    check_plan(plan, len(given))
    if lengths is not None and lengths.shape != (len(given),):
        raise OptionError(f"lengths have shape {list(lengths.shape)}; pass one for each of {len(given)} samples")
    if out is not None and (out.shape != given.shape or out.dtype != given.dtype or out.device != given.device):
        raise OptionError(f"out is {_kind(out)}, but the samples are {_kind(given)}; they must match")
    # Autocast would affect operators, and 16-bit coordinates are too coarse.
    with torch.autocast(given.device.type, enabled=False):
        if torch.is_grad_enabled() and any(t.requires_grad for t in [given, *plan.tensors().values()]):
            return _with_gradient(plan, batch, fuse)
        with torch.no_grad():
            return _without_gradient(plan, batch, fuse, out)


def _kind(tensor: Tensor) -> str:
    return f"{list(tensor.shape)} {tensor.dtype} on {tensor.device}"


def _with_gradient(plan: Plan, batch: Batch, fuse: bool) -> Batch:
    """Apply the plan to checked samples, with gradients."""
    values, chunks = get_modality(plan.modality).values, _chunks(batch.values)
    # The backward pass of each slice would fill a gradient of the whole batch; that of one split fills it once.
    sizes = [rows.stop - rows.start for rows in chunks]
    pieces = zip(chunks, split(batch, sizes), strict=True)
    whole = joined([run_steps(_part(plan, rows), _at_work(plan, piece), fuse) for rows, piece in pieces])
    if plan.mix is not None:
        partners = taken(whole, plan.mix.partner.to(whole.values.device))
        pairs = zip(chunks, split(whole, sizes), split(partners, sizes), strict=True)
        whole = joined([_mixed(plan, *pair) for pair in pairs])
    return whole._replace(values=values.as_stored(whole.values, batch.values.dtype))


def _without_gradient(plan: Plan, batch: Batch, fuse: bool, given_out: Tensor | None) -> Batch:
    """Apply the plan to checked samples, without gradients, into `given_out` if it is given."""
    out = torch.empty_like(batch.values) if given_out is None else given_out
    chunks, lengths = _chunks(batch.values), []
    for rows in chunks:
        given = _at_work(plan, rows_of(batch, rows))
        into = out[rows]
        same = into if given.values.dtype == out.dtype else None
        lengths.append(_store(plan, run_steps(_part(plan, rows), given, fuse, same), into))
    whole = Batch(out, joined_lengths(lengths))
    if plan.mix is None:
        return whole
    mixed, lengths = torch.empty_like(out), []
    for rows in chunks:
        partners = taken(whole, plan.mix.partner[rows].to(out.device))
        lengths.append(_store(plan, _mixed(plan, rows, rows_of(whole, rows), partners), mixed[rows]))
    return Batch(mixed if given_out is None else out.copy_(mixed), joined_lengths(lengths))


def _store(plan: Plan, piece: Batch, into: Tensor) -> Tensor | None:
    """Write the values of a chunk in storage format to `into`, and return the chunk's lengths."""
    if piece.values is not into:
        into.copy_(get_modality(plan.modality).values.as_stored(piece.values, into.dtype))
    return piece.lengths


def _chunks(values: Tensor) -> list[slice]:
    kind = "cpu" if values.device.type == "cpu" else "cuda"
    size = max(1, _CHUNK_BYTES[kind] // max(4 * values[:1].numel(), 1))
    return [slice(start, min(start + size, len(values))) for start in range(0, max(len(values), 1), size)]


def _part(plan: Plan, rows: slice) -> Plan:
    """The plan of some rows, without mixing, which needs other rows."""
    return replace(plan, mix=None)[rows]


def _at_work(plan: Plan, batch: Batch) -> Batch:
    """The batch in the engine's format."""
    return batch._replace(values=get_modality(plan.modality).values.as_work(batch.values))


def run_steps(plan: Plan, batch: Batch, fuse: bool, into: Tensor | None = None) -> Batch:
    """Apply all steps of the plan, but not its mixing, to samples in the engine's format; chains are blended.

    The values of the result may be written to `into`, which saves a copy; only without gradients.
    """
    chosen = {int(index) for index in np.unique(plan.choice.numpy())} - {-1}
    operators = {index: get_operator(plan.operators[index]) for index in chosen}
    fusions = get_modality(plan.modality).fusions
    if not operators:
        return batch
    if plan.blend is not None:
        return _blended(plan, batch, fuse)
    needs_differences = plan.magnitude.requires_grad and any(operator.jumps for operator in operators.values())
    if fuse and not needs_differences:
        return run_fused(plan, operators, fusions, batch, into)
    return run_one_by_one(plan, operators, fusions, batch)


def _blended(plan: Plan, batch: Batch, fuse: bool) -> Batch:
    """The weighted sum of the samples and the results of the chains; each sample is as long as its longest result."""
    assert plan.blend is not None
    values, lengths = batch
    weights = [per_sample(column, values) for column in plan.blend.to(values.device, values.dtype).unbind(1)]
    blended = weights[0] * values
    for weight, chain in zip(weights[1:], _chains(plan), strict=True):
        end = run_steps(chain, batch, fuse)
        blended = torch.addcmul(blended, weight, end.values)
        lengths = None if lengths is None or end.lengths is None else torch.maximum(lengths, end.lengths)
    return Batch(blended.clamp(*get_modality(plan.modality).values.bounds), lengths)


def _chains(plan: Plan) -> list[Plan]:
    """The chains of a plan, each as a plan."""
    assert plan.blend is not None
    width = plan.blend.shape[1] - 1
    by_step = {name: tensor.chunk(width) for name, tensor in plan.tensors().items() if name != "blend"}
    return [plan.with_tensors({name: parts[i] for name, parts in by_step.items()}) for i in range(width)]


def _mixed(plan: Plan, rows: slice, batch: Batch, partners: Batch) -> Batch:
    """The samples of some rows mixed with their partners, in the engine's format."""
    mix = plan.mix
    assert mix is not None
    own = _at_work(plan, batch), _at_work(plan, partners)
    return mixing_of(plan.modality).mix(*own, mix.mode[rows], mix.weight[rows], mix.place[rows])


def mix_labels(plan: Plan, labels: Tensor, inputs: Tensor | Batch) -> Tensor:
    """Mix soft labels ``[n, classes]`` as the plan mixes the samples `inputs`."""
    mix = plan.mix
    if mix is None:
        return labels
    batch = inputs if isinstance(inputs, Batch) else Batch(inputs)
    weight = mixing_of(plan.modality).label_weights(batch, mix.mode, mix.weight, mix.place).to(labels)
    return torch.lerp(labels[mix.partner.to(labels.device)], labels, weight[:, None])
