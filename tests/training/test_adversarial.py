"""Attacks against an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from autoaug.engine.plan import draw_plan
from autoaug.errors import OptionError
from autoaug.modalities.attacks import GradientAttack
from autoaug.modalities.image.models import build
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Adversarial, Policy
from autoaug.training.adversarial import attack, attack_magnitudes
from autoaug.training.embedding import NetworkInput
from autoaug.training.robustness import check_examinable
from autoaug.training.tasks import Classification
from autoaug.training.train import train_to_end
from tests.tasks import small_task

TASK, IMAGE = Classification(3), get_modality("image")


@pytest.fixture(scope="module")
def trained() -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """A model that has learned the bars, with images and labels that it has not seen."""
    task = small_task(epochs=8)
    training = train_to_end(task.plan(Policy(), 0))
    images = torch.from_numpy(task.validation.inputs.take(np.arange(48))).float() / 255
    return training.model.eval(), images, torch.from_numpy(task.validation.labels)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_fgsm_is_what_an_independent_implementation_makes(norm: str, trained: tuple) -> None:
    foolbox = pytest.importorskip("foolbox")
    model, images, labels = trained
    epsilon = 0.05 if norm == "linf" else 0.5
    how = Adversarial(kind="fgsm", norm=norm, epsilon=epsilon)
    ours = attack(model, NetworkInput(images), TASK.targets(labels), how, torch.Generator(), TASK, IMAGE).values
    kind = foolbox.attacks.LinfFastGradientAttack if norm == "linf" else foolbox.attacks.L2FastGradientAttack
    theirs, *_ = kind(random_start=False)(foolbox.PyTorchModel(model, bounds=(0, 1)), images, labels, epsilons=epsilon)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_is_as_strong_as_an_independent_one(norm: str, trained: tuple) -> None:
    foolbox = pytest.importorskip("foolbox")
    model, images, labels = trained
    epsilon, steps = (0.08, 20) if norm == "linf" else (1.0, 20)
    how = Adversarial(kind="pgd", norm=norm, epsilon=epsilon, steps=steps)
    ours = attack(
        model, NetworkInput(images), TASK.targets(labels), how, torch.Generator().manual_seed(0), TASK, IMAGE
    ).values
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
    moved = attack(
        model, NetworkInput(images), TASK.targets(labels), how, torch.Generator().manual_seed(1), TASK, IMAGE
    ).values
    away = (moved - images).flatten(1)
    size = away.abs().amax(1) if norm == "linf" else away.norm(dim=1)
    assert float(size.max()) <= epsilon * (1 + 1e-4) + 1e-6
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1
    assert model.training == mode
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_adversarial_magnitudes_raise_the_loss_within_reach(trained: tuple) -> None:
    model, images, labels = trained
    plan = draw_plan(load_policy("trivialaugment"), len(images), torch.Generator().manual_seed(0))
    how = Adversarial(kind="magnitudes", epsilon=0.3, steps=3)
    moved = attack_magnitudes(model, images, plan, TASK.targets(labels), how, TASK)
    from autoaug.engine.apply import apply_plan

    plain = apply_plan(plan, images)
    assert float(cross_entropy(model(moved), labels)) > float(cross_entropy(model(plain), labels))
    assert moved.shape == images.shape


def test_an_attack_that_the_modality_has_not_is_refused() -> None:
    class Bare(type(IMAGE)):  # type: ignore[misc]
        attacks, corruptions = {}, {}

    model, how = torch.nn.Flatten(), Adversarial(kind="pgd", steps=2)
    with pytest.raises(OptionError, match="modality 'image' has no attack 'pgd'"):
        attack(model, NetworkInput(torch.rand(2, 1, 2, 2)), torch.eye(2), how, torch.Generator(), TASK, Bare())
    with pytest.raises(OptionError, match="has no attack 'pgd'"):
        check_examinable(Bare())


@pytest.mark.parametrize("shape", [(6, 2, 40), (6, 3, 2, 5, 5)])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_gradient_attack_takes_any_number_of_dimensions_and_bounds(shape: tuple[int, ...], norm: str) -> None:
    values = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 4 - 2
    weights = torch.randn(shape[1:], generator=torch.Generator().manual_seed(1))
    how = Adversarial(kind="pgd", norm=norm, epsilon=0.5, steps=8)

    def loss(moved: torch.Tensor) -> torch.Tensor:
        return (moved * weights).flatten(1).sum(1)

    moved = GradientAttack((-2.0, 2.0))(loss, values, how, torch.Generator().manual_seed(2))
    away = (moved - values).flatten(1)
    assert float((away.abs().amax(1) if norm == "linf" else away.norm(dim=1)).max()) <= 0.5 * (1 + 1e-4)
    assert -2 <= float(moved.min()) <= float(moved.max()) <= 2
    if norm == "linf":  # of a linear loss the best answer is known
        torch.testing.assert_close(moved, (values + 0.5 * weights.sign()).clamp(-2, 2))
    assert (loss(moved) > loss(values)).all()
