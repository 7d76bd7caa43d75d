"""Score a trained model on augmented samples."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from autoaug.data.splits import Samples
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.policy.models import Policy
from autoaug.training.inference import clean_batches, infer, scored
from autoaug.training.metrics import score, statistics_of
from autoaug.training.setting import TrainingSetting


def score_and_loss(
    model: nn.Module, samples: Samples, rows: np.ndarray, policy: Policy, setting: TrainingSetting
) -> tuple[float, float]:
    """The score and the mean loss of `model` on the samples at `rows`, augmented with the layers of `policy` and the
    same random numbers each time.
    """
    task, generator, loss = setting.task, torch.Generator().manual_seed(0), 0.0
    layers, statistics = Policy(layers=policy.layers).with_learned(setting.learned), []
    for indices, clean in clean_batches(samples.inputs, setting.device, setting.modality, rows):
        augmented = apply_plan(draw_plan(layers, len(clean), generator, setting.modality), clean, check=False)
        outputs, labels = infer(model, augmented, setting.device), samples.labels[indices]
        statistics.append(statistics_of(setting.trial_metric, task, scored(task, outputs, labels), labels))
        targets = task.targets(torch.from_numpy(labels)).to(setting.device)
        loss += float(task.loss(outputs.float(), targets).sum())
    return score(setting.trial_metric, np.concatenate(statistics)), loss / len(rows)
