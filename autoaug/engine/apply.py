"""Apply a plan: directly, or as one custom PyTorch operator under ``torch.compile``.

The engine's control flow depends on what was drawn, which a compiler cannot trace. As an opaque operator, it does not
break the graph. Its gradients are computed by running the plan again.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from torch import Tensor

from autoaug.engine.execute import run_plan
from autoaug.engine.plan import Plan
from autoaug.errors import OptionError
from autoaug.modalities.base import Batch

Inputs = TypeVar("Inputs", Tensor, Batch)


def apply_plan(
    plan: Plan, inputs: Inputs, *, fuse: bool = True, out: Tensor | None = None, check: bool = True
) -> Inputs:
    """Apply `plan` to samples ``[n, ...]``. The result has the same shape and dtype, and is a `Batch` if `inputs` is.

    Gradients reach the samples and the plan's magnitudes and blending weights.

    Args:
        plan: what to do to each sample.
        inputs: the samples, in a form that the modality accepts (`autoaug.modalities.base.Values.check`); not modified.
        fuse: False applies one operator after another, which is slower and serves as the reference.
        out: a tensor for the values of the result, of the samples' shape, dtype and device; reusing one avoids mapping
            new memory for each batch. Does not support gradients.
        check: whether to check the values of the samples, for example that they are finite.

    Raises:
        OptionError: the samples or `out` are not as above, or the plan is for another number of samples.
    """
    batch = inputs if isinstance(inputs, Batch) else Batch(inputs)
    if not torch.compiler.is_compiling():
        done = run_plan(plan, batch, fuse, out, check)
        return done if isinstance(inputs, Batch) else done.values
    if out is not None or batch.lengths is not None or plan.learned:
        what = "out" if out is not None else "a batch with lengths" if batch.lengths is not None else "what is learned"
        raise OptionError(f"{what} cannot be used in compiled code; leave it out, or leave apply_plan uncompiled")
    tensors = plan.tensors()
    head = ";".join([plan.modality, ",".join(plan.operators), ",".join(tensors)])
    values: Tensor = _apply(batch.values, list(tensors.values()), head, fuse, check)
    return Batch(values) if isinstance(inputs, Batch) else values


def _run(values: Tensor, tensors: Sequence[Tensor], head: str, fuse: bool, check: bool) -> Tensor:
    """Apply the plan made of `tensors`; `head` names the modality, the operators and the tensors."""
    modality, operators, names = head.split(";")
    given = dict(zip(names.split(","), tensors, strict=True))
    plan = Plan.from_tensors(tuple(operators.split(",")) if operators else (), modality, given)
    return run_plan(plan, Batch(values), fuse, None, check).values


@torch.library.custom_op("autoaug::apply_plan", mutates_args=())
def _apply(values: Tensor, tensors: Sequence[Tensor], head: str, fuse: bool, check: bool) -> Tensor:
    return _run(values, tensors, head, fuse, check)


@_apply.register_fake
def _(values: Tensor, *_: Any) -> Tensor:
    return torch.empty_like(values)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001 (PyTorch passes them by name)
    values, tensors, ctx.head, ctx.fuse, _ = inputs
    ctx.save_for_backward(values, *tensors)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    of_values, of_tensors, *_ = ctx.needs_input_grad
    wanted = [i for i, needed in enumerate([of_values, *of_tensors]) if needed]
    values, *tensors = ctx.saved_tensors
    gradients = dict(zip(wanted, _gradients(gradient, values, tensors, ctx.head, ctx.fuse, wanted), strict=True))
    return gradients.get(0), [gradients.get(1 + i) for i in range(len(tensors))], None, None, None


#: PyTorch 2.5 cannot infer it from annotations that are text.
_SCHEMA = "(Tensor gradient, Tensor values, Tensor[] tensors, str head, bool fuse, SymInt[] wanted) -> Tensor[]"


@torch.library.custom_op("autoaug::apply_plan_gradients", mutates_args=(), schema=_SCHEMA)
def _gradients(
    gradient: Tensor, values: Tensor, tensors: Sequence[Tensor], head: str, fuse: bool, wanted: Sequence[int]
) -> list[Tensor]:
    inputs = [values, *tensors]

    def run() -> list[Tensor]:
        leaves = [inputs[i].detach().requires_grad_() for i in wanted]
        for i, leaf in zip(wanted, leaves, strict=True):
            inputs[i] = leaf
        output = _run(inputs[0], inputs[1:], head, fuse, check=False)
        gradients = torch.autograd.grad(output, leaves, gradient, allow_unused=True)
        return [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(gradients, leaves, strict=True)]

    # Within a custom operator, PyTorch records no gradients in the calling thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


@_gradients.register_fake
def _(gradient: Tensor, values: Tensor, tensors: Sequence[Tensor], head: str, fuse: bool, wanted: Any) -> list[Tensor]:  # noqa: ARG001
    return [torch.empty_like([values, *tensors][i]) for i in wanted]


_apply.register_autograd(_backward, setup_context=_keep)
