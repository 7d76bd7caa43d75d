"""Gradients of every registered operator, in its samples and its magnitude."""

from __future__ import annotations

import pytest
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.modalities.operators import get_operator
from tests.samples import distinct_operators, typical

#: Identity has no strength.
STRONG = [name for name in distinct_operators() if name != "Identity"]


@pytest.mark.parametrize("name", STRONG)
@pytest.mark.fault("properties", "gradients are finite")
def test_gradients_reach_images_and_magnitude(name: str) -> None:
    """Through the engine; noise of discrete places may have none in its magnitude, but never an infinite one."""
    images = (0.1 + 0.8 * typical(name, 4).double()).requires_grad_()
    magnitude = torch.full((1, 4), 0.45, dtype=torch.float64, requires_grad=True)
    uniforms = torch.rand(1, 4, 4, generator=torch.Generator().manual_seed(0))
    out = apply_plan(Plan((name,), torch.zeros(1, 4, dtype=torch.long), magnitude, uniforms), images)
    for gradient in torch.autograd.grad(out.square().sum(), [images, magnitude], allow_unused=True):
        assert gradient is not None
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0


#: Operators without steps; affine warps are smooth in their maps, and images are smooth between pixels' centers.
SMOOTH = [
    "Brightness",
    "Contrast",
    "Saturation",
    "Grayscale",
    "GaussianNoise",
    "GaussianBlur",
    "Sharpness",
    "AutoContrast",
    "Rotate",
    "ShearX",
    "ShearY",
    "Scale",
]


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_of_smooth_operators_match_finite_differences(name: str) -> None:
    images = (0.4 + 0.2 * torch.rand(2, 3, 5, 6, dtype=torch.float64)).requires_grad_()
    magnitude = torch.tensor([[0.2, 0.3]], dtype=torch.float64, requires_grad=True)
    uniforms = torch.rand(1, 2, 4, generator=torch.Generator().manual_seed(1))
    choice = torch.zeros(1, 2, dtype=torch.long)

    def augment(x: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
        return apply_plan(Plan((name,), choice, m, uniforms), x)

    torch.manual_seed(0)  # of the directions along which the two are compared: many times as fast as one by one
    assert torch.autograd.gradcheck(augment, (images, magnitude), eps=1e-6, atol=1e-4, fast_mode=True)


def slopes(name: str, sign: int, own: bool, n: int = 128) -> tuple[float, float, float]:
    """Of a smooth function of an operator's output, averaged over samples, uniforms and magnitudes from 0.1 to 0.9: the
    gradient in the magnitude, the central difference over 0.1 on both sides, and how far off the two are by chance.

    The function is the mean square distance from the samples themselves, or from others.
    """
    inside = 0.05 + 0.9 * typical(name, 2 * n).double()
    samples, others = inside.split(n)
    generator = torch.Generator().manual_seed(0)
    uniforms = torch.rand(1, n, 4, generator=generator)
    reach = 0.5 if get_operator(name).is_switch else 0.1
    at = torch.full((n,), 0.5) if reach == 0.5 else 0.2 + 0.6 * torch.rand(n, generator=generator)
    aside = reach * (2 * torch.rand(n, generator=generator) - 1)

    def distance(magnitude: torch.Tensor) -> torch.Tensor:
        plan = Plan((name,), torch.zeros(1, n, dtype=torch.long), sign * magnitude[None], uniforms)
        return (apply_plan(plan, samples) - (samples if own else others)).square().flatten(1).mean(1)

    magnitude = (at + aside).requires_grad_()
    (gradient,) = torch.autograd.grad(distance(magnitude).sum(), magnitude)
    with torch.no_grad():
        difference = (distance(at + reach) - distance(at - reach)) / (2 * reach)
    return float(gradient.mean()), float(difference.mean()), float((gradient - difference).std()) / n**0.5


#: What JPEG loses is taken to grow in proportion to its strength. That is so of how much it is, as the distance from
#: the samples tells; which frequencies are lost, and so the distance from others, depends on steps of the quality.
ON_DISTANCE_FROM_OWN_ALONE = {"JPEG"}


@pytest.mark.parametrize("name", STRONG)
def test_gradients_of_magnitudes_agree_with_finite_differences(name: str) -> None:
    """On average; of operators with steps both are estimates."""
    signs = (-1, 1) if get_operator(name).signed else (1,)
    functions = (True,) if name in ON_DISTANCE_FROM_OWN_ALONE else (True, False)
    measured = {(sign, own): slopes(name, sign, own) for sign in signs for own in functions}
    size = max(abs(difference) for _, difference, _ in measured.values())
    for case, (gradient, difference, error) in measured.items():
        assert abs(gradient - difference) < max(0.3 * size, 4 * error), (case, gradient, difference, error)
    assert all(
        gradient * difference > 0 for gradient, difference, _ in measured.values() if abs(difference) > 0.5 * size
    )
