"""How a model holds up against attacks and common corruptions: one figure, cheap enough for every trial."""

from __future__ import annotations

import numpy as np
import torch

from autoaug.apply import apply_plan
from autoaug.data.splits import Samples
from autoaug.modalities.image.models import Standardised
from autoaug.plan import draw_plan
from autoaug.policy import Adversarial, Branch, Layer, Operation, Policy
from autoaug.training.adversarial import attack
from autoaug.training.device import precision
from autoaug.training.feed import float_batches, images_at_once, in_order
from autoaug.transform import soft_labels

_AT_MOST = 500
_ATTACK = Adversarial(kind="pgd", epsilon=2 / 255, steps=5)
#: One of each group of Hendrycks and Dietterich (2019): noise, blur, weather, digital.
_CORRUPTIONS = {"GaussianNoise": 0.4, "GaussianBlur": 0.4, "Fog": 0.5, "Contrast": 0.7, "JPEG": 0.7, "Pixelate": 0.4}


def robust_accuracy(model: Standardised, samples: Samples, classes: int, device: str) -> float:
    """The mean of the accuracy under a PGD attack (L-infinity, 2/255, 5 steps) and the mean accuracy under common
    corruptions, in [0, 1], over at most 500 samples spread over the set. The same attacks and corruptions each time.
    """
    rows = np.linspace(0, len(samples) - 1, min(_AT_MOST, len(samples))).astype(np.int64)
    size = max(1, images_at_once(samples.images.shape) // 2)
    batches = list(in_order(rows, size))
    attacked, corrupted = 0, 0
    for indices, clean in zip(batches, float_batches(samples.images, iter(batches), device), strict=True):
        labels = torch.from_numpy(samples.labels[indices]).to(device)
        with precision(device):
            moved = attack(model, clean, soft_labels(labels, classes), _ATTACK, torch.Generator().manual_seed(0))
        attacked += _right(model, moved, labels, device)
        for policy in _corruptions():
            plan = draw_plan(policy, len(clean), torch.Generator().manual_seed(0))
            corrupted += _right(model, apply_plan(plan, clean), labels, device)
    return (attacked + corrupted / len(_CORRUPTIONS)) / (2 * len(rows))


def _corruptions() -> list[Policy]:
    operations = (Operation(operator=name, magnitude=(m, m)) for name, m in _CORRUPTIONS.items())
    return [Policy(layers=(Layer(branches=(Branch(operations=(o,)),)),)) for o in operations]


@torch.no_grad()
def _right(model: Standardised, images: torch.Tensor, labels: torch.Tensor, device: str) -> int:
    was_training = model.training
    model.eval()
    with precision(device):
        found = model(images).argmax(1)
    model.train(was_training)
    return int((found == labels).sum())
