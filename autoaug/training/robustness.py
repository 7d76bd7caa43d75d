"""How a model holds up against attacks and common corruptions: as one figure, cheap enough for a trial, and in full."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autoaug.data.splits import Samples
from autoaug.functional.labels import soft_labels
from autoaug.modalities.image.models import Standardized
from autoaug.policy.models import Adversarial
from autoaug.results import Robustness
from autoaug.training.adversarial import attack
from autoaug.training.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from autoaug.training.device import precision
from autoaug.training.feed import float_batches, in_order, inputs_at_once
from autoaug.training.modes import evaluating

_AT_MOST = 500
_NORMS = {"linf": "L-infinity", "l2": "L2"}
_ATTACK = Adversarial(kind="pgd", epsilon=2 / 255, steps=5)
#: One of each group: noise, blur, weather, and three of the digital ones, at the middle severity.
_FEW = ("gaussian noise", "defocus blur", "fog", "contrast", "jpeg", "pixelate")


def robust_accuracy(model: Standardized, samples: Samples, classes: int, device: str) -> float:
    """The mean of the accuracy under a PGD attack (L-infinity, 2/255, 5 steps) and the mean accuracy under six common
    corruptions, in [0, 1], over at most 500 samples spread over the set. The same attacks and corruptions each time.
    """
    rows = np.linspace(0, len(samples) - 1, min(_AT_MOST, len(samples))).astype(np.int64)
    found = measure(model, samples, rows, classes, device, _ATTACK, _FEW, (3,))
    return (found.attacked + found.mean_corrupted) / 2


def measure(
    model: Standardized,
    samples: Samples,
    rows: np.ndarray,
    classes: int,
    device: str,
    how: Adversarial,
    corruptions: tuple[str, ...] = CORRUPTIONS,
    severities: tuple[int, ...] = SEVERITIES,
) -> Robustness:
    """The accuracies of `model` on the samples at `rows`: clean, attacked as `how` says, and under corruptions."""
    batches = list(in_order(rows, max(1, inputs_at_once(samples.inputs.shape) // 2)))
    clean, attacked = 0, 0
    corrupted = {name: [0] * len(severities) for name in corruptions}
    for number, (indices, inputs) in enumerate(
        zip(batches, float_batches(samples.inputs, iter(batches), device), strict=True)
    ):
        labels = torch.from_numpy(samples.labels[indices]).to(device)
        clean += _right(model, inputs, labels, device)
        with precision(device):
            soft = soft_labels(labels, classes)
            moved = attack(model, inputs, soft, how, torch.Generator().manual_seed(number))
        attacked += _right(model, moved, labels, device)
        for name, counts in corrupted.items():
            for i, severity in enumerate(severities):
                counts[i] += _right(model, corrupt(inputs, name, severity), labels, device)
    shares = {name: tuple(count / len(rows) for count in counts) for name, counts in corrupted.items()}
    radius = f"{how.epsilon * 255:.3g}/255" if how.norm == "linf" else f"{how.epsilon:.3g}"
    return Robustness(
        inputs=len(rows),
        attack=f"PGD ({_NORMS[how.norm]}, radius {radius}, {how.steps} steps)",
        clean=clean / len(rows),
        attacked=attacked / len(rows),
        corrupted=shares,
    )


@torch.no_grad()
def _right(model: Standardized, inputs: Tensor, labels: Tensor, device: str) -> int:
    with evaluating(model), precision(device):
        found = model(inputs).argmax(1)
    return int((found == labels).sum())
