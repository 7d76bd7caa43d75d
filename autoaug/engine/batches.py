"""Split, join, reorder and index batches: values and lengths together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from autoaug.modalities.base import Batch


def rows_of(batch: Batch, rows: slice) -> Batch:
    """The samples in a slice, as views."""
    return Batch(batch.values[rows], None if batch.lengths is None else batch.lengths[rows])


def split(batch: Batch, sizes: list[int]) -> list[Batch]:
    """The samples in parts of those sizes, as views."""
    values = torch.split(batch.values, sizes)
    lengths = [None] * len(sizes) if batch.lengths is None else torch.split(batch.lengths, sizes)
    return [Batch(*part) for part in zip(values, lengths, strict=True)]


def joined(parts: Sequence[Batch]) -> Batch:
    """One batch of all parts."""
    return Batch(torch.cat([part.values for part in parts]), joined_lengths([part.lengths for part in parts]))


def joined_lengths(parts: Sequence[Tensor | None]) -> Tensor | None:
    """The lengths of all parts; None if they have none."""
    given = [lengths for lengths in parts if lengths is not None]
    return torch.cat(given) if given else None


def permuted(batch: Batch, order: Tensor) -> Batch:
    """The samples in another order, each exactly once; differentiable."""
    values = batch.values
    moved = Permute.apply(values, order) if values.requires_grad else values.index_select(0, order)
    return Batch(moved, None if batch.lengths is None else batch.lengths[order])


def repeated(batch: Batch, times: int) -> Batch:
    """All samples several times, one round after another."""
    if times == 1:
        return batch
    values = batch.values.expand(times, *batch.values.shape).flatten(0, 1)
    return Batch(values, None if batch.lengths is None else batch.lengths.repeat(times))


def taken(batch: Batch, indices: Tensor) -> Batch:
    """The samples at ``indices [m]``."""
    lengths = None if batch.lengths is None else batch.lengths.index_select(0, indices)
    return Batch(batch.values.index_select(0, indices), lengths)


def replaced(batch: Batch, indices: Tensor, part: Batch) -> Batch:
    """The batch with other samples at ``indices [m]``."""
    lengths = batch.lengths
    if lengths is not None and part.lengths is not None:
        lengths = lengths.index_copy(0, indices, part.lengths)
    return Batch(batch.values.index_copy(0, indices, part.values), lengths)


def per_sample(numbers: Tensor, values: Tensor) -> Tensor:
    """``numbers [n]`` in a shape that multiplies ``values [n, ...]``."""
    return numbers.view(-1, *[1] * (values.ndim - 1))


class Permute(torch.autograd.Function):
    """Reorder samples. The backward pass gathers, too, which is many times faster than the scatter of indexing."""

    @staticmethod
    def forward(context: Any, inputs: Tensor, order: Tensor) -> Tensor:
        context.save_for_backward(order)
        return inputs.index_select(0, order)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (order,) = context.saved_tensors
        inverse = torch.empty_like(order)
        inverse.scatter_(0, order, torch.arange(len(order), device=order.device))
        return Permute.apply(gradient, inverse), None
