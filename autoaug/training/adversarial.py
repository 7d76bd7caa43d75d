"""Adversarial samples against the model being trained."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.errors import OptionError
from autoaug.modalities.base import Attack, Modality
from autoaug.policy.models import Adversarial
from autoaug.training.embedding import NetworkInput, outputs_at, outputs_of, vectors_of
from autoaug.training.layers import evaluating
from autoaug.training.tasks import Task


def attack_of(modality: Modality, kind: str) -> Attack:
    """The attack of that kind; raises `OptionError` if the modality has none."""
    known_attack = modality.attacks.get(kind)
    if known_attack is None:
        known = ", ".join(modality.attacks) or "none"
        raise OptionError(
            f"the modality {modality.name!r} has no attack {kind!r} (it has {known}); choose a policy or a space "
            "without it"
        )
    return known_attack


def attack(
    model: nn.Module,
    given: NetworkInput,
    targets: Tensor,
    how: Adversarial,
    generator: torch.Generator,
    task: Task,
    modality: Modality,
) -> NetworkInput:
    """Perturb the values ``[n, …]`` of samples, or the vectors that the network's embedding makes of them, within the
    radius so that the loss on `targets` rises; for TRADES, the divergence from the model's outputs on `given`. The
    model's mode, statistics and gradients are left unchanged.
    """
    found = attack_of(modality, how.kind)
    with evaluating(model):
        with torch.no_grad():
            clean = outputs_of(model, given, modality).float() if how.loss == "trades" else None

        def loss(outputs: Tensor) -> Tensor:
            return task.loss(outputs.float(), targets) if clean is None else task.divergence(outputs.float(), clean)

        if how.kind not in modality.in_embedding:

            def of_values(values: Tensor) -> Tensor:
                return loss(outputs_of(model, replace(given, values=values), modality))

            return replace(given, values=found(of_values, given.values, how, generator))
        with torch.no_grad():
            vectors = vectors_of(model, given).float()
        moved = found(lambda some: loss(outputs_at(model, given, some, modality)), vectors, how, generator)
    return replace(given, moves=moved - vectors)


def attack_magnitudes(
    model: nn.Module, values: Tensor, plan: Plan, targets: Tensor, how: Adversarial, task: Task
) -> Tensor:
    """Apply `plan` to ``values [n, …]`` with magnitudes that are moved to raise the loss: by at most ``how.epsilon``,
    without a change of sign, and within [0, 1]. Gradient ascent through the operators moves them (in the spirit of
    AugMax, Wang et al., 2021, and Adversarial AutoAugment, Zhang et al., 2020).
    """
    with evaluating(model):
        drawn, magnitude = plan.magnitude, plan.magnitude
        step = how.epsilon if how.steps == 1 else 2.5 * how.epsilon / how.steps
        for _ in range(how.steps):
            magnitude = magnitude.detach().requires_grad_()
            with torch.enable_grad():
                augmented = apply_plan(replace(plan, magnitude=magnitude), values, check=False)
                loss = task.loss(model(augmented).float(), targets).sum()
                if not loss.requires_grad or not magnitude.numel():  # no operator with a magnitude was drawn
                    break
                (gradient,) = torch.autograd.grad(loss + 0 * magnitude.sum(), magnitude)
            away = (magnitude.detach() + step * gradient.sign() - drawn).clamp(-how.epsilon, how.epsilon)
            size = ((drawn + away) * torch.where(drawn < 0, -1.0, 1.0)).clamp(0, 1)
            magnitude = size * torch.where(drawn < 0, -1.0, 1.0)
    return apply_plan(replace(plan, magnitude=magnitude.detach()), values, check=False)
