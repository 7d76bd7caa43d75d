"""Predict in batches: the common loop of scores, probes and the sample filter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from autoaug.data.inputs import Inputs
from autoaug.data.splits import Samples
from autoaug.training.device import precision, with_layout
from autoaug.training.feed import float_batches, in_order, inputs_at_once
from autoaug.training.layers import evaluating
from autoaug.training.tasks import Task
from autoaug.training.transcription import Transcription
from autoaug.training.translation import Translation, with_texts


def clean_batches(
    inputs: Inputs, device: str, modality: str, rows: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """The unaugmented samples at `rows`, or all: for each batch its rows and the values on `device`."""
    rows = np.arange(len(inputs)) if rows is None else rows
    batches = list(in_order(rows, max(1, inputs_at_once(inputs.shape) // 2)))
    return zip(batches, float_batches(inputs, iter(batches), device, modality), strict=True)


@torch.no_grad()
def infer(model: nn.Module, values: Tensor, device: str) -> Tensor:
    """The outputs of `model` for ``values [n, …]`` in evaluation mode."""
    with evaluating(model), precision(device):
        outputs: Tensor = model(with_layout(values))
    return outputs


def scored(task: Task, outputs: Tensor, labels: np.ndarray) -> np.ndarray:
    """The task's scores from a model's outputs; those of texts tell how likely it finds the true ones."""
    if isinstance(task, Transcription):
        return task.predict(outputs, torch.from_numpy(labels))
    return task.predict(outputs)


def predict(
    model: nn.Module, task: Task, samples: Samples, device: str, modality: str, rows: np.ndarray | None = None
) -> np.ndarray:
    """The task's scores from `model` for all samples, or those at `rows`; not augmented."""
    batches = clean_batches(samples.inputs, device, modality, rows)
    found = (scored(task, infer(model, values, device), samples.labels[own]) for own, values in batches)
    return np.concatenate(list(found))


@torch.no_grad()
def scores_of(model: nn.Module, task: Task, values: Tensor, labels: np.ndarray, device: str) -> np.ndarray:
    """The task's scores from `model` for ``values [n, …]`` and their labels; for translations, with those that the
    model writes.
    """
    scores = scored(task, infer(model, values, device), labels)
    if not isinstance(task, Translation):
        return scores
    return with_texts(scores, _written(model, task, values, device))


def _written(model: nn.Module, task: Translation, values: Tensor, device: str) -> list[str]:
    """The translations that `model` writes."""
    with evaluating(model), precision(device):
        return task.texts_of(model.translate(values))  # type: ignore[operator] # nn.Module does not declare it


@torch.no_grad()
def predict_and_write(
    model: nn.Module, task: Translation, inputs: Inputs, device: str, modality: str, rows: np.ndarray | None = None
) -> np.ndarray:
    """The task's scores as `predict` gives them, with the translations that `model` writes."""
    scores, texts = [], []
    for _, values in clean_batches(inputs, device, modality, rows):
        scores.append(task.predict(infer(model, values, device)))
        texts += _written(model, task, values, device)
    return with_texts(np.concatenate(scores), texts)
