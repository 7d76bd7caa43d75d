"""A relaxed policy draws what the policy draws, and its parameters follow the gradient to a better one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy import stats

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.engine.relaxation import RelaxedPolicy
from autoaug.errors import OptionError, PolicyError
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
    plan, log_probability = relaxed.draw(8000)
    drawn = plan.choice[0]
    for operator, chance in ((0, 0.125), (1, 0.75), (-1, 0.125)):
        assert stats.binomtest(int((drawn == operator).sum()), 8000, chance).pvalue > 1e-3
        assert log_probability[drawn == operator].exp().detach() == pytest.approx(chance, abs=1e-3)
    magnitudes = plan.magnitude[0][drawn == 0].detach()
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


def losses_of(plan: Plan, images: torch.Tensor, target: float) -> torch.Tensor:
    """A loss ``[n]`` that is far from linear in what an operator makes of the images."""
    return (apply_plan(plan, images) - target).square().flatten(1).mean(1)


#: Layers whose magnitudes are fixed, so that all that can be drawn can be listed.
LISTED = {
    "as in the issue": (layer(Invert=(9, 1.0, (1.0, 1.0)), Brightness=(1, 1.0, (0.0, 0.0))),),
    "probabilities": (layer(Invert=(2, 0.3, (1.0, 1.0)), Posterize=(1, 0.8, (1.0, 1.0)), Identity=(1, 0.5, (0, 0))),),
    "two layers": (
        layer(Invert=(1, 0.6, (1.0, 1.0)), Solarize=(2, 0.4, (0.5, 0.5))),
        layer(SolarizeAdd=(3, 0.9, (1.0, 1.0)), Invert=(1, 0.2, (1.0, 1.0))),
    ),
}


def exact(relaxed: RelaxedPolicy, image: torch.Tensor, target: float) -> torch.Tensor:
    """The expected loss, as the sum over all choices of a sub-policy and over applied or not, layer by layer."""
    ways = []
    for i, its_layer in enumerate(relaxed.policy.layers):
        weights, applied = relaxed.weights[i].softmax(0), torch.sigmoid(relaxed.probabilities[i])
        own = [sub_policy.operations[0] for sub_policy in its_layer.sub_policies]
        ways.append(
            [(weights[k] * applied[k], o.operator, o.magnitude[0]) for k, o in enumerate(own)]
            + [(weights[k] * (1 - applied[k]), "Identity", 0.0) for k in range(len(own))]
        )
    expected = torch.zeros(())
    for way in itertools.product(*ways):
        moved, chance = image, torch.ones(())
        for share, operator, magnitude in way:
            step = Plan((operator,), torch.zeros(1, 1, dtype=torch.long), torch.full((1, 1), magnitude), NO_UNIFORMS)
            moved, chance = apply_plan(step, moved), chance * share
        expected = expected + chance * (moved - target).square().mean()
    return expected


NO_UNIFORMS = torch.zeros(1, 1, 4)


def z_scores(estimates: list[torch.Tensor], truth: torch.Tensor) -> torch.Tensor:
    """How many standard errors the mean of the estimates is from the truth."""
    many = torch.stack(estimates).double()
    return (many.mean(0) - truth) / (many.std(0) / len(many) ** 0.5).clamp(min=1e-9)


@pytest.mark.parametrize("name", LISTED)
def test_the_gradient_of_choices_is_without_bias(name: str) -> None:
    image, target = torch.full((1, 1, 2, 2), 0.3), 0.7
    relaxed = RelaxedPolicy(Policy(layers=LISTED[name]), seed=3)
    numbers = [*relaxed.weights, *relaxed.probabilities]
    truth = torch.cat(torch.autograd.grad(exact(relaxed, image, target), numbers))
    if name == "as in the issue":
        assert truth[:2] == pytest.approx([-0.0144, 0.0144], abs=1e-4)
    estimates = []
    for _ in range(300):
        drawn = relaxed.draw(64)
        term = drawn.score(losses_of(drawn.plan, image.expand(64, 1, 2, 2), target).view(4, 16))
        estimates.append(torch.cat(torch.autograd.grad(term, numbers)))
    assert z_scores(estimates, truth).abs().max() < 4, "eleven numbers at most: once in a thousand such tests"
    mean, least = torch.stack(estimates).mean(0), truth.abs() > 0.01
    assert torch.equal(mean[least].sign(), truth[least].sign())


def test_the_gradient_of_ranges_is_without_bias() -> None:
    """Brightness multiplies by 1 ± m, m evenly in a range: the expected loss is an integral over m and both signs."""
    image, target = torch.full((1, 1, 2, 2), 0.3), 0.7
    relaxed = RelaxedPolicy(Policy(layers=(layer(Brightness=(1, 1.0, (0.2, 0.6))),)))
    nodes, weights = (torch.from_numpy(part).float() for part in np.polynomial.legendre.leggauss(8))
    low, high = torch.sigmoid(relaxed.ranges[0])[0]
    values = low + (nodes + 1) / 2 * (high - low)
    expected = sum((weights / 4 * (0.3 * (1 + sign * values) - target).square()).sum() for sign in (-1, 1))
    (truth,) = torch.autograd.grad(torch.as_tensor(expected), relaxed.ranges[0])
    estimates = []
    for _ in range(300):
        loss = losses_of(relaxed.draw(64).plan, image.expand(64, 1, 2, 2), target).mean()
        estimates.append(torch.autograd.grad(loss, relaxed.ranges[0])[0])
    assert z_scores(estimates, truth).abs().max() < 3.5


def test_what_all_draws_of_a_sample_share_is_taken_off_and_one_draw_is_refused() -> None:
    relaxed = RelaxedPolicy(Policy(layers=LISTED["two layers"]))
    drawn, losses, shared = relaxed.draw(12), torch.rand(3, 4), 100 * torch.rand(4)
    one, other = (
        torch.autograd.grad(drawn.score(x), relaxed.weights[0], retain_graph=True) for x in (losses, losses + shared)
    )
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    with pytest.raises(OptionError, match="losses of 1 draws; a baseline needs 2"):
        drawn.score(losses.view(1, 12))


def test_weights_and_probabilities_are_learned() -> None:
    """The target is the negative: of two operators the inverting one must win, and be applied always."""
    images = photographs(64)
    relaxed = RelaxedPolicy(Policy(layers=(layer(Invert=(1, 0.5, (1.0, 1.0)), Posterize=(1, 0.5, (0.5, 1.0))),)))
    optimizer = torch.optim.Adam(relaxed.parameters(), lr=0.1)
    for _ in range(80):
        optimizer.zero_grad()
        drawn = relaxed.draw(64)
        losses = (apply_plan(drawn.plan, images) - (1 - images)).square().flatten(1).mean(1)
        (losses.mean() + drawn.score(losses)).backward()
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
