"""On a GPU the host never waits, and sends what it knows of a batch at once; told without a GPU, by counting."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from autoaug.engine import execute
from autoaug.engine.apply import apply_plan
from autoaug.engine.execute import mix_labels
from autoaug.engine.plan import Plan, draw_plan
from autoaug.engine.transform import PolicyTransform
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Mixing, Policy
from tests.fake_gpu import FakeGPU
from tests.samples import operators_of, photographs, policies_of

OPERATORS = sorted(operators_of())
KINDS = ("mixup", "cutmix", "resizemix", "samplepairing", "mixup-or-cutmix")
POLICIES = policies_of() | {kind: Policy(mixing=Mixing(kind=kind)) + load_policy("flip-crop") for kind in KINDS}


def plan_of(name: str, n: int) -> Plan:
    """An operator on n samples, at magnitudes of both signs where it is signed."""
    sign = torch.where(torch.arange(n) % 2 == 0, 1.0, -1.0 if operators_of()[name].signed else 1.0)
    return Plan((name,), torch.zeros(1, n).long(), (0.7 * sign)[None], torch.rand(1, n, 4))


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_an_operator_waits_for_nothing(name: str, dtype: torch.dtype) -> None:
    plan = plan_of(name, 8)
    with FakeGPU() as gpu:
        made = apply_plan(plan, torch.empty(8, 3, 20, 26, dtype=dtype, device="cuda"))
    assert (made.device.type, made.dtype, made.shape) == ("cuda", dtype, (8, 3, 20, 26))
    assert gpu.copies.total() == 1
    assert not gpu.waits


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_sends_all_its_numbers_at_once(name: str) -> None:
    plan = draw_plan(POLICIES[name], 32, torch.Generator().manual_seed(0), "image")
    with FakeGPU() as gpu:
        images, labels = torch.empty(32, 3, 20, 26, device="cuda"), torch.empty(32, 10, device="cuda")
        apply_plan(plan, images)
        assert gpu.copies.total() <= 1
        mix_labels(plan, labels, images)
    assert gpu.copies.total() <= 2
    assert not gpu.waits


def test_a_module_waits_for_nothing_either() -> None:
    """Checks of values included; labels are indices, of as many classes as there are."""
    transform = PolicyTransform(POLICIES["mixup-or-cutmix"], seed=0, num_classes=10)
    with FakeGPU() as gpu:
        images = torch.empty(32, 3, 20, 26, device="cuda")
        made, soft = transform(images, torch.empty(32, dtype=torch.int64, device="cuda"))
    assert made.shape == images.shape
    assert soft.shape == (32, 10)
    assert gpu.copies.total() <= 2
    assert not gpu.waits


@pytest.mark.parametrize("name", ["trivialaugment-wide", "augmix", "cutmix"])
def test_an_empty_batch_stays_on_its_device(name: str) -> None:
    transform = PolicyTransform(POLICIES[name], seed=0, num_classes=10)
    with FakeGPU() as gpu:
        images = torch.empty(0, 3, 20, 26, device="cuda")
        made = transform(images, torch.empty(0, 10, device="cuda")) if POLICIES[name].mixing else [transform(images)]
    assert [part.device.type for part in made] == ["cuda"] * len(made)
    assert not gpu.waits


def test_chunks_are_sent_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(execute._CHUNK_BYTES, "cuda", 8 * 4 * 3 * 20 * 26)
    plan = draw_plan(load_policy("flip-crop"), 24, torch.Generator().manual_seed(0))
    with FakeGPU() as gpu:
        apply_plan(plan, torch.empty(24, 3, 20, 26, device="cuda"))
    assert gpu.copies.total() == 1


def test_learned_magnitudes_go_by_a_second_copy() -> None:
    plan = draw_plan(load_policy("randaugment"), 32, torch.Generator().manual_seed(0))
    plan = Plan(plan.operators, plan.choice, plan.magnitude.requires_grad_(), plan.uniforms)
    with FakeGPU() as gpu:
        made = apply_plan(plan, torch.empty(32, 3, 20, 26, device="cuda"))
    assert made.requires_grad
    assert gpu.copies.total() == 2
    assert not gpu.waits


def test_the_count_sees_what_it_looks_for() -> None:
    with FakeGPU() as gpu:
        images = torch.empty(4, 3, 8, 8, device="cuda")
        images.new_tensor([0.5, 0.5])
        images[torch.tensor([0, 1])]
        assert gpu.copies.total() == gpu.waits.total() == 2
        images.cpu()
        assert gpu.waits.total() == 3
        with pytest.raises(Exception, match=r"aten\._local_scalar_dense"):
            float(images.sum())
        with pytest.raises(Exception, match=r"aten\.nonzero"):
            (images > 0).nonzero()


class Read(TorchDispatchMode):
    """Counts what a GPU would be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.read = Counter[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.__name__.partition(".")[0]
        masks = (
            any(getattr(t, "dtype", None) == torch.bool for t in args[1]) if name in ("index", "index_put") else False
        )
        if masks or name in ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "_unique2"):
            self.read[name] += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", [*OPERATORS, "randaugment", "augmix", "cutmix"])
def test_a_backward_pass_reads_no_values(name: str) -> None:
    """PyTorch runs no backward pass on a GPU that is not there: this is that of the CPU."""
    images = photographs(8).requires_grad_()
    draw = torch.Generator().manual_seed(0)
    plan = plan_of(name, 8) if name in OPERATORS else draw_plan(POLICIES[name], 8, draw, "image")
    loss = apply_plan(plan, images).sum()
    with Read() as seen:
        torch.autograd.grad(loss, images)
    assert not seen.read
