"""A relaxed policy draws what the policy draws, and its parameters follow the gradient to a better one."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.engine.relaxation import RelaxedPolicy
from autoaug.errors import PolicyError
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Layer, Operation, Policy, SubPolicy
from tests.conformance.test_exporters import photographs


def layer(**operations: tuple[float, float, tuple[float, float]]) -> Layer:
    """Operator names to weight, probability and range."""
    return Layer(
        sub_policies=tuple(
            SubPolicy(weight=w, operations=(Operation(operator=name, probability=p, magnitude=m),))
            for name, (w, p, m) in operations.items()
        )
    )


def test_it_draws_as_the_policy_says() -> None:
    relaxed = RelaxedPolicy(Policy(layers=(layer(Rotate=(1, 0.5, (0.2, 0.6)), Invert=(3, 1.0, (1.0, 1.0))),)))
    plan = relaxed.draw(8000)
    assert plan.gate is not None
    assert set(plan.gate.unique().round(decimals=5).tolist()) == {0.0, 1.0}
    rotated = plan.choice[0] == 0
    assert stats.binomtest(int(rotated.sum()), 8000, 0.25).pvalue > 1e-3
    assert stats.binomtest(int(plan.gate[0][rotated].round().sum()), int(rotated.sum()), 0.5).pvalue > 1e-3
    magnitudes = plan.magnitude[0][rotated].detach()
    assert stats.kstest(magnitudes.abs().numpy(), stats.uniform(0.2, 0.4).cdf).pvalue > 1e-3
    assert stats.binomtest(int((magnitudes > 0).sum()), len(magnitudes)).pvalue > 1e-3


def test_frozen_gives_the_policy_back() -> None:
    policy = load_policy("trivialaugment")
    for ours, theirs in zip(RelaxedPolicy(policy).frozen().operations(), policy.operations(), strict=True):
        assert ours.operator == theirs.operator
        assert ours.magnitude == pytest.approx(theirs.magnitude, abs=2e-4)


def test_magnitudes_are_learned() -> None:
    """Images are half as bright; the way back is to double them, that is brightness +1 of ±1."""
    images = photographs(64)
    relaxed = RelaxedPolicy(Policy(layers=(layer(SolarizeAdd=(1.0, 1.0, (0.1, 0.2))),)))
    target = apply_plan(
        Plan(("SolarizeAdd",), torch.zeros(1, 64, dtype=torch.long), torch.full((1, 64), 0.8), torch.zeros(1, 64, 4)),
        images,
    )
    optimizer = torch.optim.Adam(relaxed.parameters(), lr=0.2)
    for _ in range(60):
        optimizer.zero_grad()
        (relaxed(images) - target).square().mean().backward()
        optimizer.step()
    low, high = next(relaxed.frozen().operations()).magnitude
    assert low == pytest.approx(0.8, abs=0.12)
    assert high == pytest.approx(0.8, abs=0.12)


def test_weights_and_probabilities_are_learned() -> None:
    """The target is the negative: of two operators the inverting one must win, and be applied always."""
    images = photographs(64)
    relaxed = RelaxedPolicy(Policy(layers=(layer(Invert=(1, 0.5, (1.0, 1.0)), Posterize=(1, 0.5, (0.5, 1.0))),)))
    optimizer = torch.optim.Adam(relaxed.parameters(), lr=0.1)
    for _ in range(80):
        optimizer.zero_grad()
        (relaxed(images) - (1 - images)).square().mean().backward()
        optimizer.step()
    invert, posterize = relaxed.frozen().layers[0].sub_policies
    assert invert.weight > 0.8
    assert invert.operations[0].probability > 0.8
    assert posterize.weight < 0.2


def test_the_same_seed_draws_the_same_and_chains_are_refused() -> None:
    policy, images = load_policy("randaugment"), photographs()
    assert torch.equal(RelaxedPolicy(policy, seed=4)(images), RelaxedPolicy(policy, seed=4)(images))
    assert RelaxedPolicy(load_policy("none"))(images).shape == images.shape
    for name in ("augmix", "autoaugment-svhn"):
        with pytest.raises(PolicyError, match="cannot be relaxed"):
            RelaxedPolicy(load_policy(name))
