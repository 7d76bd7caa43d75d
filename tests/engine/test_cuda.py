"""What holds on the CPU holds on a GPU, where there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.execute import mix_labels
from autoaug.engine.plan import Plan, draw_plan
from autoaug.engine.transform import PolicyTransform
from autoaug.modalities.attacks import generator_on
from autoaug.policy.loading import load_policy
from tests.engine.test_gpu import OPERATORS, POLICIES, plan_of
from tests.samples import photographs

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def planned(name: str, n: int = 24) -> Plan:
    if name in OPERATORS:
        return plan_of(name, n)
    return draw_plan(POLICIES[name], n, torch.Generator().manual_seed(0), "image")


def gradient(plan: Plan, images: torch.Tensor) -> torch.Tensor:
    leaf = images.clone().requires_grad_()
    (found,) = torch.autograd.grad(apply_plan(plan, leaf).square().sum(), leaf)
    return found


@pytest.fixture
def no_waits() -> Iterator[None]:
    """An error where the host waits for the device."""
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", [*OPERATORS, *POLICIES])
def test_results_are_those_of_the_cpu(name: str) -> None:
    """But where a rounding error decides to which of two levels a value goes."""
    images, plan = photographs(), planned(name)
    away = (apply_plan(plan, images.cuda()).cpu() - apply_plan(plan, images)).abs()
    assert float((away > 1 / 255).float().mean()) < 0.01
    assert float(away.mean()) < 1e-3
    levels = (images * 255).byte()
    apart = apply_plan(plan, levels.cuda()).cpu().int() - apply_plan(plan, levels).int()
    assert float((apart.abs() > 1).float().mean()) < 0.01


@pytest.mark.parametrize("name", [*OPERATORS, *POLICIES])
@pytest.mark.usefixtures("no_waits")
def test_the_host_does_not_wait(name: str) -> None:
    plan, images, labels = planned(name), photographs().cuda(), torch.eye(24).cuda()
    for mode in ("default", "error"):  # constants are made the first time
        torch.cuda.set_sync_debug_mode(mode)
        apply_plan(plan, images)
        gradient(plan, images)
        mix_labels(plan, labels, images)


@pytest.mark.parametrize("name", ["randaugment", "augmix", "mixup-or-cutmix"])
def test_gradients_are_those_of_the_cpu(name: str) -> None:
    images, plan = photographs(), planned(name)
    ours, theirs = gradient(plan, images.cuda()).cpu(), gradient(plan, images)
    assert float((ours - theirs).norm() / theirs.norm()) < 1e-2


def test_gradients_of_magnitudes_come_back_to_the_host() -> None:
    plan, images = planned("randaugment"), photographs()
    found = []
    for given in (images, images.cuda()):
        learned = plan.magnitude.clone().requires_grad_()
        moved = apply_plan(Plan(plan.operators, plan.choice, learned, plan.uniforms), given)
        found.append(torch.autograd.grad(moved.square().mean(), learned)[0])
    torch.testing.assert_close(*found, atol=1e-4, rtol=1e-2)


def test_wrong_values_become_nan() -> None:
    images = photographs(4).cuda()
    images[1] *= 255
    made = PolicyTransform(load_policy("none"))(images)
    assert made[1].isnan().all()
    assert made[[0, 2, 3]].isfinite().all()


def test_autocast_changes_nothing() -> None:
    plan, images = planned("randaugment"), photographs().cuda()
    plain = apply_plan(plan, images)
    with torch.autocast("cuda", torch.bfloat16):
        assert torch.equal(apply_plan(plan, images), plain)


def test_an_attack_starts_from_numbers_of_the_device_that_follow_from_the_seed() -> None:
    images = photographs(4).cuda()

    def start(seed: int) -> torch.Tensor:
        generator = generator_on(images.device, torch.Generator().manual_seed(seed))
        assert generator.device.type == "cuda"
        return torch.rand(images.shape, generator=generator, device=images.device)

    assert torch.equal(start(1), start(1))
    assert not torch.equal(start(1), start(2))
