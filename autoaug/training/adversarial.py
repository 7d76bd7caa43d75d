"""Adversarial samples of the model being trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autoaug.policy import Adversarial


def attack(model: nn.Module, images: Tensor, labels: Tensor, how: Adversarial, generator: torch.Generator) -> Tensor:
    """Images of the same shape within ``how.epsilon`` (L-infinity) of ``images [n, C, H, W]`` and within [0, 1] that
    raise the loss on soft ``labels [n, classes]``.

    FGSM takes one signed step from the image; PGD several of ``2.5 epsilon / steps`` from a random start (Madry et
    al., 2018). The model's mode, statistics and gradients are as before.
    """
    was_training = model.training
    model.eval()
    low, high = (images - how.epsilon).clamp(min=0), (images + how.epsilon).clamp(max=1)
    step, moved = how.epsilon, images.detach()
    if how.kind == "pgd":
        step = 2.5 * how.epsilon / how.steps
        start = torch.rand(images.shape, generator=generator).to(images) * 2 - 1
        moved = (moved + how.epsilon * start).clamp(0, 1)
    for _ in range(how.steps):
        moved = moved.detach().requires_grad_()
        with torch.enable_grad():
            loss = cross_entropy(model(moved).float(), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, moved)
        moved = torch.clamp(moved.detach() + step * gradient.sign(), low, high)
    model.train(was_training)
    return moved
