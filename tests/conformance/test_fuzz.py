"""Properties of every operator, on inputs that Hypothesis draws: thousands in CI, a million by ``scripts/fuzz``."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.modalities.operators import get_operator
from autoaug.modalities.registry import get_modality
from tests.samples import SHAPES, distinct_operators

#: Those on samples of real numbers, which have a range and gradients.
NAMES = [name for name in distinct_operators() if get_operator(name).modality in {"image", "audio", "video", "series"}]
#: Samples in a batch. A search augments far larger ones, whose samples do not see each other.
BATCH = 25
#: The first row of a plan is of magnitude 0.
SMALLEST, LARGEST = 1e-6, 1.0
#: How far values at magnitude 0 may be away, in float32, relative to the largest value of their range.
SLACK = 1e-5


def within(bounds: tuple[float, float]) -> tuple[float, float]:
    """The range to draw values from: the bounds, or up to 2 if there are none."""
    return bounds if max(map(abs, bounds)) < torch.inf else (-2.0, 2.0)


def contents(kind: str, shape: tuple[int, ...], bounds: tuple[float, float], draw: torch.Generator) -> Tensor:
    """Samples of one kind within the bounds."""
    low, high = within(bounds)
    noise = torch.rand(shape, generator=draw)
    unit = {
        "noise": noise,
        "two values": noise.round(),
        "the lowest": torch.zeros(shape),
        "the highest": torch.ones(shape),
        "the same everywhere": noise.flatten(1)[:, :1].reshape(-1, *(1,) * (len(shape) - 1)).expand(shape),
        "nearly nothing": 1e-30 * noise,
        "256 levels": (255 * noise).round() / 255,
    }[kind]
    return low + (high - low) * unit


KINDS = ("noise", "two values", "the lowest", "the highest", "the same everywhere", "nearly nothing", "256 levels")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.fault("properties", "finite values and gradients, range, shape, type, and the identity at 0")
def test_an_operator_keeps_its_contract(name: str, amount: Callable[..., int]) -> None:
    operator = get_operator(name)
    bounds = get_modality(operator.modality).values.bounds
    examples = -(-amount("inputs", 10_000, 1_000_000) // (BATCH * len(NAMES)))

    @settings(max_examples=examples, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(
        seed=st.integers(0, 2**63 - 1),
        shape=st.sampled_from([shape[1:] for shape in SHAPES[operator.modality]]),
        kind=st.sampled_from(KINDS),
        edge=st.sampled_from((0.0, 0.5, 1 - 2**-24, None)),
        dtype=st.sampled_from((torch.float32, torch.float64)),
    )
    def keeps(seed: int, shape: tuple[int, ...], kind: str, edge: float | None, dtype: torch.dtype) -> None:
        draw = torch.Generator().manual_seed(seed)
        given = contents(kind, (BATCH, *shape), bounds, draw).to(dtype).requires_grad_()
        sizes = torch.rand(1, BATCH, generator=draw)
        sizes[0, :4] = torch.tensor([0.0, SMALLEST, LARGEST, 0.0])
        signs = torch.randint(0, 2, (1, BATCH), generator=draw) * 2 - 1 if operator.signed else 1
        magnitude = (sizes * signs).to(dtype).requires_grad_()
        uniforms = torch.rand(1, BATCH, 4, generator=draw)
        if edge is not None:
            uniforms[:, ::3] = edge
        plan = Plan((name,), torch.zeros(1, BATCH, dtype=torch.long), magnitude, uniforms)
        out = apply_plan(plan, given)
        assert out.shape == given.shape
        assert out.dtype == dtype
        assert out.isfinite().all()
        assert bounds[0] <= float(out.detach().min())
        assert float(out.detach().max()) <= bounds[1]
        torch.testing.assert_close(out[[0, 3]], given[[0, 3]], atol=SLACK * max(within(bounds)), rtol=0)
        if out.requires_grad:
            for gradient in torch.autograd.grad(out.square().sum(), [given, magnitude], allow_unused=True):
                assert gradient is None or gradient.isfinite().all()

    keeps()
