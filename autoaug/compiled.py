"""The engine as one operator of PyTorch, so that ``torch.compile`` takes a plan without breaking its graph.

What the engine does depends on what was drawn, which a compiler cannot see; it need not see it. Gradients are computed
by running the plan again.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

import torch
from torch import Tensor

from autoaug.plan import Plan

_TENSORS = ("choice", "magnitude", "draws", "gate", "blend", "mode", "partner", "weight", "place")


def apply_compiled(plan: Plan, images: Tensor, fuse: bool, check: bool) -> Tensor:
    """`engine.apply_plan` as seen by a compiler."""
    tensors = (getattr(plan, name) for name in _TENSORS)
    result: Tensor = _apply(images, *tensors, ",".join(plan.operators), fuse, check)
    return result


@torch.library.custom_op("autoaug::apply_plan", mutates_args=())
def _apply(
    images: Tensor,
    choice: Tensor,
    magnitude: Tensor,
    draws: Tensor,
    gate: Optional[Tensor],  # noqa: UP045 (PyTorch reads the annotations, and older versions know this form alone)
    blend: Optional[Tensor],  # noqa: UP045
    mode: Optional[Tensor],  # noqa: UP045
    partner: Optional[Tensor],  # noqa: UP045
    weight: Optional[Tensor],  # noqa: UP045
    place: Optional[Tensor],  # noqa: UP045
    operators: str,
    fuse: bool,
    check: bool,
) -> Tensor:
    tensors = (choice, magnitude, draws, gate, blend, mode, partner, weight, place)
    return _run(images, tensors, operators, fuse, check)


def _run(images: Tensor, tensors: Sequence[Tensor | None], operators: str, fuse: bool, check: bool) -> Tensor:
    from autoaug.engine import apply_plan

    names = tuple(operators.split(",")) if operators else ()
    return apply_plan(Plan(names, *tensors), images, fuse=fuse, check=check)  # type: ignore[arg-type]


@_apply.register_fake
def _(images: Tensor, *_: Any) -> Tensor:
    return torch.empty_like(images)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001 (PyTorch passes them by name)
    tensors, (ctx.operators, ctx.fuse, _) = inputs[:-3], inputs[-3:]
    ctx.save_for_backward(*tensors)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    tensors = ctx.saved_tensors
    wanted = [i for i, needed in enumerate(ctx.needs_input_grad) if needed]
    found = _gradients(gradient, *tensors, ctx.operators, ctx.fuse, wanted)
    gradients: list[Tensor | None] = [None] * len(ctx.needs_input_grad)
    for i, value in zip(wanted, found, strict=True):
        gradients[i] = value
    return tuple(gradients)


@torch.library.custom_op("autoaug::apply_plan_gradients", mutates_args=())
def _gradients(
    gradient: Tensor,
    images: Tensor,
    choice: Tensor,
    magnitude: Tensor,
    draws: Tensor,
    gate: Optional[Tensor],  # noqa: UP045
    blend: Optional[Tensor],  # noqa: UP045
    mode: Optional[Tensor],  # noqa: UP045
    partner: Optional[Tensor],  # noqa: UP045
    weight: Optional[Tensor],  # noqa: UP045
    place: Optional[Tensor],  # noqa: UP045
    operators: str,
    fuse: bool,
    wanted: list[int],
) -> list[Tensor]:
    inputs = [images, choice, magnitude, draws, gate, blend, mode, partner, weight, place]

    def run() -> list[Tensor]:
        leaves = [inputs[i].detach().requires_grad_() for i in wanted]  # type: ignore[union-attr]
        for i, leaf in zip(wanted, leaves, strict=True):
            inputs[i] = leaf
        output = _run(inputs[0], inputs[1:], operators, fuse, check=False)  # type: ignore[arg-type]
        found = torch.autograd.grad(output, leaves, gradient, allow_unused=True)
        return [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, leaves, strict=True)]

    # Within an operator PyTorch records no gradients, in this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


@_gradients.register_fake
def _(*arguments: Any) -> list[Tensor]:
    return [torch.empty_like(arguments[1 + i]) for i in arguments[-1]]


_apply.register_autograd(_backward, setup_context=_keep)
