"""What a trained model makes of augmented samples."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from autoaug.data.splits import Samples
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.policy.models import Policy
from autoaug.training.device import precision
from autoaug.training.feed import float_batches, in_order, inputs_at_once


@torch.no_grad()
def accuracy_and_loss(
    model: torch.nn.Module, samples: Samples, rows: np.ndarray, policy: Policy, device: str
) -> tuple[float, float]:
    """The accuracy in [0, 1] and the mean cross-entropy of `model`, as it is, on the samples at `rows` under the layers
    of `policy`, with the same random numbers each time.
    """
    generator, right, loss = torch.Generator().manual_seed(0), 0, 0.0
    layers = Policy(layers=policy.layers)
    batches = list(in_order(rows, max(1, inputs_at_once(samples.inputs.shape) // 2)))
    for indices, clean in zip(batches, float_batches(samples.inputs, iter(batches), device), strict=True):
        augmented = apply_plan(draw_plan(layers, len(clean), generator), clean, check=False)
        labels = torch.from_numpy(samples.labels[indices]).to(device)
        with precision(device):
            logits = model(augmented.contiguous(memory_format=torch.channels_last))
        right += int((logits.argmax(1) == labels).sum())
        loss += float(cross_entropy(logits.float(), labels, reduction="sum"))
    return right / len(rows), loss / len(rows)
