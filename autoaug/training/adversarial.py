"""Adversarial samples of the model being trained, and the losses that are taken on them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.policy.models import Adversarial
from autoaug.training.modes import evaluating


def attack(model: nn.Module, inputs: Tensor, labels: Tensor, how: Adversarial, generator: torch.Generator) -> Tensor:
    """Samples of the same shape within ``how.epsilon`` of ``inputs [n, C, H, W]``, in the norm ``how.norm``, and within
    [0, 1], that raise the loss on soft ``labels [n, classes]``; for TRADES, the divergence from what the model makes of
    `inputs`.

    FGSM takes one step from the sample; PGD several of ``2.5 epsilon / steps`` from a random start (Madry et al., 2018).
    The model's mode, statistics and gradients are as before.
    """
    with evaluating(model):
        if how.loss == "trades":
            with torch.no_grad():
                target = partial(divergence, log_softmax(model(inputs).float(), 1))
        else:
            target = partial(cross_entropy, target=labels, reduction="sum")
        step, moved = how.epsilon, inputs.detach()
        if how.kind == "pgd":
            step = 2.5 * how.epsilon / how.steps
            start = torch.rand(inputs.shape, generator=generator).to(inputs) * 2 - 1
            moved = within(inputs, inputs + how.epsilon * (start if how.norm == "linf" else unit(start)), how)
        elif how.loss == "trades":  # at the sample itself the divergence is flat
            moved = within(inputs, inputs + 1e-3 * torch.randn(inputs.shape, generator=generator).to(inputs), how)
        for _ in range(how.steps):
            moved = moved.detach().requires_grad_()
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(target(model(moved).float()), moved)
            towards = gradient.sign() if how.norm == "linf" else unit(gradient)
            moved = within(inputs, moved.detach() + step * towards, how)
    return moved


def within(inputs: Tensor, moved: Tensor, how: Adversarial) -> Tensor:
    """`moved` brought back into the ball about `inputs` and into [0, 1]."""
    away = moved - inputs
    if how.norm == "linf":
        away = away.clamp(-how.epsilon, how.epsilon)
    else:
        length = away.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]
        away = away * (how.epsilon / length).clamp(max=1)
    return (inputs + away).clamp(0, 1)


def unit(vectors: Tensor) -> Tensor:
    """Each sample's vector scaled to length 1."""
    scaled: Tensor = vectors / vectors.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]
    return scaled


def divergence(clean: Tensor, logits: Tensor) -> Tensor:
    """The Kullback-Leibler divergence of what `logits` say from the log-probabilities `clean`, summed over samples."""
    return kl_div(log_softmax(logits, 1), clean, reduction="sum", log_target=True)


def attack_magnitudes(model: nn.Module, inputs: Tensor, plan: Plan, labels: Tensor, how: Adversarial) -> Tensor:
    """``inputs [n, C, H, W]`` under `plan`, whose magnitudes are moved, by at most ``how.epsilon`` and within their own
    sign and [0, 1], to where they raise the loss: gradient ascent through the operators (in the spirit of AugMax, Wang
    et al., 2021, and Adversarial AutoAugment, Zhang et al., 2020).
    """
    with evaluating(model):
        drawn, magnitude = plan.magnitude, plan.magnitude
        step = how.epsilon if how.steps == 1 else 2.5 * how.epsilon / how.steps
        for _ in range(how.steps):
            magnitude = magnitude.detach().requires_grad_()
            with torch.enable_grad():
                augmented = apply_plan(replace(plan, magnitude=magnitude), inputs, check=False)
                loss = cross_entropy(model(augmented).float(), labels, reduction="sum")
                if not loss.requires_grad or not magnitude.numel():  # nothing was drawn that has a magnitude
                    break
                (gradient,) = torch.autograd.grad(loss + 0 * magnitude.sum(), magnitude)
            away = (magnitude.detach() + step * gradient.sign() - drawn).clamp(-how.epsilon, how.epsilon)
            size = ((drawn + away) * torch.where(drawn < 0, -1.0, 1.0)).clamp(0, 1)
            magnitude = size * torch.where(drawn < 0, -1.0, 1.0)
    return apply_plan(replace(plan, magnitude=magnitude.detach()), inputs, check=False)
