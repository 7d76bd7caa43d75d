"""Apply a plan with few batched kernels, forward and backward.

Large batches are processed in chunks that fit in the cache. Mixing needs samples from other chunks, so it comes last.
All numbers are worked out on the host and sent to the samples' device at once, before the first kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from autoaug.engine.batches import joined, joined_lengths, per_sample, repeated, rows_of, split, taken
from autoaug.engine.plan import Mix, Plan, check_plan, mixing_of
from autoaug.engine.program import Program, make_program
from autoaug.engine.run_program import run_program
from autoaug.engine.sending import sent_record, sent_together
from autoaug.errors import OptionError, as_option_error
from autoaug.modalities.base import Batch
from autoaug.modalities.registry import get_modality

#: Bytes of a chunk in floating point, by kind of device. On a CPU, a chunk and its copies fit in the cache of a core.
_CHUNK_BYTES = {"cpu": 4 * 2**20, "cuda": 512 * 2**20}


class _Mixing(NamedTuple):
    """How n samples are mixed: by one kind after another.

    Attributes:
        partner: int64 ``[n]``, among the whole batch.
        kinds: the modes ``[n]`` of samples that are mixed by a kind, on the host, and the weights ``[n]`` of all.
        place: ``[n, 2]``.
    """

    partner: Tensor
    kinds: list[tuple[np.ndarray, Tensor]]
    place: Tensor


class _Chunk(NamedTuple):
    """What happens to n samples.

    Attributes:
        program: of their K chains, as of ``K * n`` samples; where they are not blended, of the samples.
        blend: the weights ``[n, 1 + K]`` of the original and the chains; None where they are not blended.
        mixing: None where they are not mixed.
    """

    program: Program
    blend: Tensor | None
    mixing: _Mixing | None


def run_plan(plan: Plan, batch: Batch, fuse: bool, out: Tensor | None, check: bool) -> Batch:
    """The implementation of `autoaug.engine.apply.apply_plan`."""
    modality = get_modality(plan.modality)
    with as_option_error():
        batch = batch._replace(values=modality.values.check(batch.values, look=check))
    if batch.lengths is None:
        batch = batch._replace(lengths=modality.lengths(batch.values))
    given, lengths = batch.values, batch.lengths
    check_plan(plan, len(given))
    if lengths is not None and lengths.shape != (len(given),):
        raise OptionError(f"lengths have shape {list(lengths.shape)}; pass one for each of {len(given)} samples")
    if out is not None and (out.shape != given.shape or out.dtype != given.dtype or out.device != given.device):
        raise OptionError(f"out is {_kind(out)}, but the samples are {_kind(given)}; they must match")
    needs_gradient = torch.is_grad_enabled() and any(t.requires_grad for t in [given, *plan.tensors().values()])
    # Autocast would affect operators, and 16-bit coordinates are too coarse.
    with (
        torch.autocast(given.device.type, enabled=False),
        torch.autocast("cpu", enabled=False),
        torch.set_grad_enabled(needs_gradient),
    ):
        rows = _rows(given, plan.chains)
        chunks = sent_record(_chunks(plan, batch, rows, fuse), given.device)
        if needs_gradient:
            return _with_gradient(chunks, rows, batch, plan.modality)
        return _without_gradient(chunks, rows, batch, plan.modality, out)


def _kind(tensor: Tensor) -> str:
    return f"{list(tensor.shape)} {tensor.dtype} on {tensor.device}"


def _rows(values: Tensor, chains: int) -> list[slice]:
    """The samples of each chunk."""
    kind = "cpu" if values.device.type == "cpu" else "cuda"
    size = max(1, _CHUNK_BYTES[kind] // max(4 * values[:1].numel() * chains, 1))
    return [slice(start, min(start + size, len(values))) for start in range(0, max(len(values), 1), size)]


def _chunks(plan: Plan, batch: Batch, rows: list[slice], fuse: bool) -> list[_Chunk]:
    """What happens in each chunk, on the host."""
    work = get_modality(plan.modality).values.as_work(batch.values[:0])
    dtype = work.dtype if work.is_floating_point() else torch.float32
    values = torch.zeros((), dtype=dtype, device="cpu").expand(batch.values.shape)
    like = Batch(values, None if batch.lengths is None else batch.lengths.cpu())
    chunks = []
    for some in rows:
        own = replace(plan, mix=None)
        own = own if len(rows) == 1 else own[some]
        program = make_program(own.side_by_side(), repeated(rows_of(like, some), own.chains), fuse)
        chunks.append(_Chunk(program, own.blend, None if plan.mix is None else _mixing_of(plan.mix, some)))
    return chunks


def _mixing_of(mix: Mix, rows: slice) -> _Mixing:
    """How some samples are mixed, on the host. A weight of 1 leaves a sample as it is."""
    mode, weight = mix.mode[rows], mix.weight[rows]
    kinds = [
        (torch.where(mode == kind, kind, 0).numpy(), torch.where(mode == kind, weight, 1.0))
        for kind in np.unique(mode.numpy()).tolist()
        if kind
    ]
    return _Mixing(mix.partner[rows], kinds, mix.place[rows])


def _with_gradient(chunks: list[_Chunk], rows: list[slice], batch: Batch, modality: str) -> Batch:
    """Apply the chunks to checked samples, with gradients."""
    # The backward pass of each slice would fill a gradient of the whole batch; that of one split fills it once.
    sizes = [some.stop - some.start for some in rows]
    pieces = zip(chunks, split(batch, sizes), strict=True)
    whole = joined([_changed(chunk, _at_work(piece, modality), modality) for chunk, piece in pieces])
    if chunks[0].mixing is not None:
        pieces = zip(chunks, split(whole, sizes), strict=True)
        whole = joined([_mixed(chunk, piece, whole, modality) for chunk, piece in pieces])
    return whole._replace(values=get_modality(modality).values.as_stored(whole.values, batch.values.dtype))


def _without_gradient(
    chunks: list[_Chunk], rows: list[slice], batch: Batch, modality: str, given_out: Tensor | None
) -> Batch:
    """Apply the chunks to checked samples, without gradients, into `given_out` if it is given."""
    out = torch.empty_like(batch.values) if given_out is None else given_out
    lengths = []
    for chunk, some in zip(chunks, rows, strict=True):
        given, into = _at_work(rows_of(batch, some), modality), out[some]
        same = into if given.values.dtype == out.dtype else None
        lengths.append(_store(_changed(chunk, given, modality, same), into, modality))
    whole = Batch(out, joined_lengths(lengths))
    if chunks[0].mixing is None:
        return whole
    mixed, lengths = torch.empty_like(out), []
    for chunk, some in zip(chunks, rows, strict=True):
        lengths.append(_store(_mixed(chunk, rows_of(whole, some), whole, modality), mixed[some], modality))
    return Batch(mixed if given_out is None else out.copy_(mixed), joined_lengths(lengths))


def _store(piece: Batch, into: Tensor, modality: str) -> Tensor | None:
    """Write the values of a chunk in storage format to `into`, and return the chunk's lengths."""
    if piece.values is not into:
        into.copy_(get_modality(modality).values.as_stored(piece.values, into.dtype))
    return piece.lengths


def _at_work(batch: Batch, modality: str) -> Batch:
    """The batch in the engine's format."""
    return batch._replace(values=get_modality(modality).values.as_work(batch.values))


def _changed(chunk: _Chunk, batch: Batch, modality: str, into: Tensor | None = None) -> Batch:
    """Samples in the engine's format after all that happens but mixing. The values may be written to `into`, which
    saves a copy; only without gradients.
    """
    if chunk.blend is None or not chunk.program.stages:
        return run_program(chunk.program, batch, into)
    values, lengths = batch
    weights = [per_sample(column, values) for column in chunk.blend.to(values.dtype).unbind(1)]
    ends = run_program(chunk.program, repeated(batch, len(weights) - 1))
    blended = weights[0] * values
    for weight, end in zip(weights[1:], split(ends, [len(values)] * (len(weights) - 1)), strict=True):
        blended = torch.addcmul(blended, weight, end.values)
        # Each sample is as long as its longest result.
        lengths = None if lengths is None or end.lengths is None else torch.maximum(lengths, end.lengths)
    return Batch(blended.clamp(*get_modality(modality).values.bounds), lengths)


def _mixed(chunk: _Chunk, batch: Batch, whole: Batch, modality: str) -> Batch:
    """Samples mixed with their partners among the whole batch, in the engine's format."""
    mixing, mixer = chunk.mixing, mixing_of(modality)
    assert mixing is not None
    own, partners = _at_work(batch, modality), _at_work(taken(whole, mixing.partner), modality)
    for mode, weight in mixing.kinds:
        own = mixer.mix(own, partners, torch.from_numpy(mode), weight, mixing.place)
    return own


def weighted(own: Tensor, others: Tensor, weight: Tensor) -> Tensor:
    """Soft labels ``[n, classes]`` mixed with others by the ``weight [n]`` of the own ones."""
    return torch.lerp(others, own, weight[:, None])


def mix_labels(
    plan: Plan,
    labels: Tensor,
    inputs: Tensor | Batch,
    mixed: Callable[[Tensor, Tensor, Tensor], Tensor] = weighted,
) -> Tensor:
    """Mix soft labels ``[n, classes]`` as the plan mixes the samples `inputs`; or other targets ``[n, …]``, by
    a function `mixed` of the own ones, those of the partners, and the weight ``[n]`` of the own ones.
    """
    mix = plan.mix
    if mix is None:
        return labels
    batch = inputs if isinstance(inputs, Batch) else Batch(inputs)
    own = mixing_of(plan.modality).label_weights(batch, mix.partner, mix.mode, mix.weight, mix.place)
    partner, weight = sent_together([mix.partner, own.to("cpu", labels.dtype)], labels.device)
    return mixed(labels, labels[partner], weight)
