"""Attacks against an independent implementation, and common corruptions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from autoaug.engine.plan import draw_plan
from autoaug.functional.labels import soft_labels
from autoaug.modalities.image.models import build
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Adversarial, Policy
from autoaug.training.adversarial import attack, attack_magnitudes
from autoaug.training.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from autoaug.training.train import new_training, train
from tests.tasks import small_task


@pytest.fixture(scope="module")
def trained() -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """A model that has learned the bars, with images and labels that it has not seen."""
    task = small_task(epochs=8)
    training = new_training(task.model, task.train, task.classes, 0)
    for _ in train(training, Policy(), task.train, task.classes, task.recipe, 0, "cpu"):
        pass
    images = torch.from_numpy(task.validation.inputs.take(np.arange(48))).float() / 255
    return training.model.eval(), images, torch.from_numpy(task.validation.labels)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_fgsm_is_what_an_independent_implementation_makes(norm: str, trained: tuple) -> None:
    foolbox = pytest.importorskip("foolbox")
    model, images, labels = trained
    epsilon = 0.05 if norm == "linf" else 0.5
    ours = attack(
        model, images, soft_labels(labels, 3), Adversarial(kind="fgsm", norm=norm, epsilon=epsilon), torch.Generator()
    )
    kind = foolbox.attacks.LinfFastGradientAttack if norm == "linf" else foolbox.attacks.L2FastGradientAttack
    theirs, *_ = kind(random_start=False)(foolbox.PyTorchModel(model, bounds=(0, 1)), images, labels, epsilons=epsilon)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_is_as_strong_as_an_independent_one(norm: str, trained: tuple) -> None:
    foolbox = pytest.importorskip("foolbox")
    model, images, labels = trained
    epsilon, steps = (0.08, 20) if norm == "linf" else (1.0, 20)
    how = Adversarial(kind="pgd", norm=norm, epsilon=epsilon, steps=steps)
    ours = attack(model, images, soft_labels(labels, 3), how, torch.Generator().manual_seed(0))
    kind = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
    theirs, *_ = kind(steps=steps)(foolbox.PyTorchModel(model, bounds=(0, 1)), images, labels, epsilons=epsilon)
    losses = [cross_entropy(model(moved), labels).item() for moved in (images, ours, theirs)]
    assert losses[1] > losses[0]
    assert losses[1] >= 0.9 * losses[2]


@given(
    kind=st.sampled_from(["fgsm", "pgd"]),
    norm=st.sampled_from(["linf", "l2"]),
    loss=st.sampled_from(["plain", "trades"]),
    epsilon=st.floats(0.001, 0.9),
    mode=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_an_attack_stays_in_its_ball_and_leaves_the_model_as_it_was(
    kind: str, norm: str, loss: str, epsilon: float, mode: bool
) -> None:
    blank = torch.zeros(1)
    model = build("auto", (1, 12, 12), 3, blank, blank + 1, seed=0).train(mode)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    images, labels = torch.rand(6, 1, 12, 12), torch.arange(6) % 3
    how = Adversarial(kind=kind, norm=norm, loss=loss, epsilon=epsilon, steps=1 if kind == "fgsm" else 3)
    moved = attack(model, images, soft_labels(labels, 3), how, torch.Generator().manual_seed(1))
    away = (moved - images).flatten(1)
    size = away.abs().amax(1) if norm == "linf" else away.norm(dim=1)
    assert float(size.max()) <= epsilon * (1 + 1e-4) + 1e-6
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1
    assert model.training == mode
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_adversarial_magnitudes_raise_the_loss_within_reach(trained: tuple) -> None:
    model, images, labels = trained
    plan = draw_plan(load_policy("trivialaugment"), len(images), torch.Generator().manual_seed(0))
    soft = soft_labels(labels, 3)
    how = Adversarial(kind="magnitudes", epsilon=0.3, steps=3)
    moved = attack_magnitudes(model, images, plan, soft, how)
    from autoaug.engine.apply import apply_plan

    plain = apply_plan(plan, images)
    assert float(cross_entropy(model(moved), labels)) > float(cross_entropy(model(plain), labels))
    assert moved.shape == images.shape


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruptions_grow_with_their_severity(name: str) -> None:
    images = torch.nn.functional.interpolate(torch.rand(8, 3, 6, 6), 32, mode="bicubic").clamp(0, 1)
    changes = [float((corrupt(images, name, severity) - images).abs().mean()) for severity in SEVERITIES]
    assert changes == sorted(changes)
    assert changes[0] > 0
