"""Carry out a plan: the engine, and the same as one operator of PyTorch for ``torch.compile``.

What the engine does depends on what was drawn, which a compiler cannot see; as an operator, it need not, and the graph
stays whole. Its gradients are computed by running the plan again.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

import torch
from torch import Tensor

from autoaug.engine.execute import run_plan
from autoaug.engine.plan import Plan
from autoaug.errors import OptionError

_TENSORS = ("choice", "magnitude", "uniforms", "gate", "blend", "mode", "partner", "weight", "place")


def apply_plan(
    plan: Plan, images: Tensor, *, fuse: bool = True, out: Tensor | None = None, check: bool = True
) -> Tensor:
    """Carry out `plan` on ``images [n, C, H, W]``, floating point in [0, 1] or uint8; the same shape and dtype back.

    Gradients reach the images and the plan's magnitudes, gates and blending weights.

    Args:
        plan: what to do to each image.
        images: what to do it to; left as they are.
        fuse: False applies one operator after another, each with its own sampling: slower, the reference.
        out: where to write the result, of the images' shape, dtype and device; reusing one saves the system from
            mapping fresh memory for each batch. Takes no gradient.
        check: whether to look at the values of the images: finite, and in [0, 1].

    Raises:
        OptionError: images or `out` are not as above, or the plan is for another number of images.
    """
    if not torch.compiler.is_compiling():
        return run_plan(plan, images, fuse, out, check)
    if out is not None:
        raise OptionError("out cannot be used in compiled code; leave it out, the compiler plans the memory")
    tensors = (getattr(plan, name) for name in _TENSORS)
    result: Tensor = _apply(images, *tensors, ",".join(plan.operators), fuse, check)
    return result


@torch.library.custom_op("autoaug::apply_plan", mutates_args=())
def _apply(
    images: Tensor,
    choice: Tensor,
    magnitude: Tensor,
    uniforms: Tensor,
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
    tensors = (choice, magnitude, uniforms, gate, blend, mode, partner, weight, place)
    return _run(images, tensors, operators, fuse, check)


def _run(images: Tensor, tensors: Sequence[Tensor | None], operators: str, fuse: bool, check: bool) -> Tensor:
    names = tuple(operators.split(",")) if operators else ()
    # The first three of the tensors are never None.
    return run_plan(Plan(names, *tensors), images, fuse, None, check)  # type: ignore[arg-type]


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
    uniforms: Tensor,
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
    inputs = [images, choice, magnitude, uniforms, gate, blend, mode, partner, weight, place]

    def run() -> list[Tensor]:  # what is wanted of, and the images, is never None
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
