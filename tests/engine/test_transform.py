"""Plan, then apply: determinism, distributions, mixing, and errors."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError, PolicyError
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Layer, Mixing, Operation, Policy, SubPolicy
from tests.conformance.test_exporters import photographs


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_same_seed_gives_the_same_images_and_another_does_not() -> None:
    images, policy = photographs(), load_policy("trivialaugment")
    assert torch.equal(policy.transform(seed=1)(images), policy.transform(seed=1)(images))
    assert not torch.equal(policy.transform(seed=1)(images), policy.transform(seed=2)(images))


def test_two_calls_of_one_module_draw_anew() -> None:
    images, transform = photographs(), load_policy("trivialaugment").transform(seed=1)
    assert not torch.equal(transform(images), transform(images))


def test_none_changes_not_one_bit() -> None:
    images = torch.rand(5, 3, 9, 9)
    assert torch.equal(load_policy("none").transform()(images), images)


def test_operators_are_drawn_per_image() -> None:
    plan = draw_plan(load_policy("trivialaugment"), 500, generator())
    assert len(plan.choice.unique()) == 14


def test_branches_follow_their_weights_and_operations_their_probability() -> None:
    def sub_policy(name: str, weight: float, probability: float) -> SubPolicy:
        return SubPolicy(weight=weight, operations=(Operation(operator=name, probability=probability),))

    layer = Layer(
        sub_policies=(sub_policy("Rotate", 1, 1.0), sub_policy("Invert", 2, 0.5), sub_policy("ShearX", 5, 0.2))
    )
    n = 20_000
    plan = draw_plan(Policy(layers=(layer,)), n, generator())
    observed = [int((plan.choice[0] == k).sum()) for k in (-1, 0, 1, 2)]
    expected = [n * share for share in (2 / 8 * 0.5 + 5 / 8 * 0.8, 1 / 8, 2 / 8 * 0.5, 5 / 8 * 0.2)]
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_magnitudes_are_uniform_in_their_range() -> None:
    layer = Layer(sub_policies=(SubPolicy(operations=(Operation(operator="Rotate", magnitude=(0.2, 0.6)),)),))
    plan = draw_plan(Policy(layers=(layer,)), 5000, generator())
    assert stats.kstest(plan.magnitude[0].abs().numpy(), stats.uniform(0.2, 0.4).cdf).pvalue > 1e-3
    assert stats.binomtest(int((plan.magnitude > 0).sum()), 5000).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_mixing_weights_follow_the_beta_distribution(alpha: float) -> None:
    plan = draw_plan(Policy(mixing=Mixing(kind="mixup", alpha=alpha)), 5000, generator())
    assert plan.mix is not None
    assert stats.kstest(plan.mix.weight.double().numpy(), stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_mixup_is_the_weighted_sum_of_images_and_labels() -> None:
    images, labels = photographs(), torch.eye(24)
    policy = Policy(mixing=Mixing(kind="mixup"))
    plan = draw_plan(policy, 24, generator(5))
    mixed, soft = policy.transform(seed=5)(images, labels)
    assert plan.mix is not None
    weight, partner = plan.mix.weight, plan.mix.partner
    shared = weight[:, None, None, None]
    torch.testing.assert_close(mixed, shared * images + (1 - shared) * images[partner])
    torch.testing.assert_close(soft, weight[:, None] * labels + (1 - weight[:, None]) * labels[partner])


def test_cutmix_labels_are_the_shares_of_pixels() -> None:
    images = torch.arange(16.0).view(16, 1, 1, 1).expand(16, 1, 12, 10).contiguous() / 16
    mixed, soft = Policy(mixing=Mixing(kind="cutmix")).transform(seed=0)(images, torch.eye(16))
    for image, label in zip(mixed, soft, strict=True):
        shares = torch.stack([(image == k / 16).float().mean() for k in range(16)])
        torch.testing.assert_close(label, shares)


def test_labels_come_back_soft_also_without_mixing() -> None:
    images, soft = load_policy("flip-crop").transform(num_classes=5)(photographs(4), torch.tensor([0, 1, 1, 2]))
    assert images.shape == (4, 3, 20, 26)
    assert torch.equal(soft, torch.eye(5)[[0, 1, 1, 2]])


def test_uint8_comes_back_as_uint8() -> None:
    images = (photographs() * 255).byte()
    out = load_policy("randaugment").transform(seed=0, backend="torch")(images)
    expected = load_policy("randaugment").transform(seed=0)(images.float() / 255)
    assert out.dtype == torch.uint8
    assert (out.float() / 255 - expected).abs().max() <= 0.5 / 255 + 1e-6


def test_a_plan_for_another_number_of_images_is_refused() -> None:
    plan = draw_plan(load_policy("randaugment"), 3, generator())
    with pytest.raises(OptionError, match="3 samples, not 4"):
        apply_plan(plan, photographs(4))


def test_a_policy_that_mixes_needs_labels() -> None:
    with pytest.raises(PolicyError, match="pass labels"):
        Policy(mixing=Mixing(kind="mixup")).transform()(photographs(4))


def test_images_must_be_a_batch() -> None:
    with pytest.raises(OptionError, match=r"\[B, C, H, W\]"):
        load_policy("none").transform()(torch.rand(8, 8))


def test_a_plan_reads_as_text() -> None:
    plan = draw_plan(load_policy("flip-crop"), 50, generator())
    texts = {plan.describe(i) for i in range(50)}
    assert any(text.startswith("HorizontalFlip, PadCrop") for text in texts)


def test_gradients_pass_through_a_whole_policy() -> None:
    images = photographs().requires_grad_()
    (gradient,) = torch.autograd.grad(load_policy("randaugment").transform(seed=0)(images).sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


def test_numbers_are_mixed_as_they_are() -> None:
    """With the weights that the images are mixed with: constant images tell them."""
    values, numbers = torch.tensor([0.0, 0.25, 0.5, 1.0]), torch.tensor([[-40.0], [3.5], [700.0], [12.0]])
    images = values[:, None, None, None].expand(4, 3, 8, 8)
    transform = load_policy("mixup").transform(seed=0, num_classes=0)
    mixed, targets = transform(images, numbers)
    plan = load_policy("mixup").transform(seed=0).draw(4)
    assert plan.mix is not None
    partner, weight = plan.mix.partner, plan.mix.weight
    torch.testing.assert_close(mixed[:, 0, 0, 0], weight * values + (1 - weight) * values[partner])
    torch.testing.assert_close(targets[:, 0], weight * numbers[:, 0] + (1 - weight) * numbers[partner, 0])
    with pytest.raises(OptionError, match=r"pass labels\[:, None\]"):
        transform(images, numbers[:, 0])
    with pytest.raises(OptionError, match="0 as the number of classes"):
        load_policy("mixup").transform(seed=0)(images, numbers)


def test_a_name_in_place_of_a_policy_is_answered_with_how_to_load_it() -> None:
    with pytest.raises(OptionError, match="must be a Policy, not 'randaugment'; load_policy loads one"):
        PolicyTransform("randaugment")  # type: ignore[arg-type]
