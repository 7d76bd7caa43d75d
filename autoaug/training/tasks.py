"""Tasks: what is predicted. Other packages use this interface and do not assume classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    kl_div,
    log_softmax,
    logsigmoid,
)

from autoaug.data.labels import kind_of, strata_of
from autoaug.functional.labels import soft_labels
from autoaug.training.transcription import Transcription
from autoaug.training.translation import Translation


class Task(Protocol):
    """What a model learns to predict. `labels` are in the format of the data set, `targets` in that of training."""

    @property
    def name(self) -> str:
        """The name in the facts of a run."""

    @property
    def outputs(self) -> int:
        """The number of outputs of the model per sample."""

    @property
    def classes(self) -> int:
        """The number of classes; 0 if predictions and labels are not classes."""

    def output_shape(self, n: int) -> tuple[int | str, ...]:
        """The shape of the model's outputs for n samples; a word stands for a size that the model chooses."""

    def targets(self, labels: Tensor) -> Tensor:
        """Labels ``[n]`` as floating point ``[n, d]``, so that those of two samples can be mixed."""

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """The loss ``[n]`` per sample; `smoothing` is how far targets are moved toward an uninformative prediction."""

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """The divergence ``[n]`` of `outputs` from `others` for the same samples; 0 if they agree."""

    def predict(self, outputs: Tensor) -> np.ndarray:
        """The scores ``[n, …]`` that metrics are computed from, float32, such as the probability of each class."""

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """What is predicted with these scores, ``[n]`` or ``[n, …]`` in storage format."""

    def strata(self, labels: np.ndarray) -> np.ndarray:
        """The stratum ``[n]`` of each sample, for stratified parts of the data."""


@dataclass(frozen=True)
class Classification:
    """One of several classes; labels and predictions are class indices (predictions as uint16).

    Attributes:
        classes: the number of classes.
        weights: the weight of each class in the loss; empty if all have the same.
    """

    classes: int
    weights: tuple[float, ...] = ()
    name: str = "classification"

    @property
    def outputs(self) -> int:
        return self.classes

    def output_shape(self, n: int) -> tuple[int | str, ...]:
        return n, self.outputs

    def targets(self, labels: Tensor) -> Tensor:
        """Soft labels ``[n, classes]``."""
        return soft_labels(labels, self.classes)

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy. The weight of a class counts for its samples, but not for the share that smoothing gives it of
        others, or frequent classes would be taken for rare ones.
        """
        if not self.weights:
            return cross_entropy(outputs, targets, label_smoothing=smoothing, reduction="none")
        weighted, logs = targets * torch.tensor(self.weights).to(targets), log_softmax(outputs, 1)
        shares = weighted * (1 - smoothing) + weighted.sum(1, keepdim=True) * smoothing / self.classes
        return -(shares * logs).sum(1)

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """The Kullback-Leibler divergence of the probabilities."""
        own, reference = log_softmax(outputs, 1), log_softmax(others, 1)
        return kl_div(own, reference, reduction="none", log_target=True).sum(1)

    def predict(self, outputs: Tensor) -> np.ndarray:
        """The probability of each class, ``[n, classes]``."""
        probabilities: np.ndarray = outputs.float().softmax(1).cpu().numpy()
        return probabilities

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """The most likely class."""
        decided: np.ndarray = scores.argmax(1).astype(np.uint16)
        return decided

    def strata(self, labels: np.ndarray) -> np.ndarray:
        return labels


@dataclass(frozen=True)
class MultiLabel:
    """Several labels per sample, each a decision of its own; labels are bool ``[n, labels]``, predictions uint8.

    Attributes:
        outputs: the number of labels.
        weights: of each label, the weight of samples that have it, relative to those that do not; empty if all are 1.
    """

    outputs: int
    weights: tuple[float, ...] = ()
    name: str = "multi-label"
    classes: int = 0

    def output_shape(self, n: int) -> tuple[int | str, ...]:
        return n, self.outputs

    def targets(self, labels: Tensor) -> Tensor:
        return labels.float()

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """The mean binary cross-entropy of the labels. Weights count for samples, as in `Classification`."""
        smoothed = targets * (1 - smoothing) + smoothing / 2
        if not self.weights:
            return binary_cross_entropy_with_logits(outputs, smoothed, reduction="none").mean(1)
        having = targets * torch.tensor(self.weights).to(targets)
        of = having * (1 - smoothing / 2) + (1 - targets) * smoothing / 2
        against = having * smoothing / 2 + (1 - targets) * (1 - smoothing / 2)
        return -(of * logsigmoid(outputs) + against * logsigmoid(-outputs)).mean(1)

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """The mean Kullback-Leibler divergence of the probabilities of the labels."""
        sides = ((logsigmoid(sign * outputs), logsigmoid(sign * others)) for sign in (1, -1))
        return sum((kl_div(own, other, reduction="none", log_target=True) for own, other in sides), outputs * 0).mean(1)

    def predict(self, outputs: Tensor) -> np.ndarray:
        """The probability of each label, ``[n, labels]``."""
        probabilities: np.ndarray = outputs.float().sigmoid().cpu().numpy()
        return probabilities

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """The labels that are more likely than not, uint8 ``[n, labels]``."""
        return (scores >= 0.5).astype(np.uint8)

    def strata(self, labels: np.ndarray) -> np.ndarray:
        return strata_of(labels)


@dataclass(frozen=True)
class Regression:
    """Numbers; labels and predictions are float32 ``[n, numbers]``. The network learns them standardized.

    Attributes:
        means: the mean of each number in the training split.
        deviations: its standard deviation there.
    """

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    name: str = "regression"
    classes: int = 0

    @property
    def outputs(self) -> int:
        return len(self.means)

    def output_shape(self, n: int) -> tuple[int | str, ...]:
        return n, self.outputs

    def targets(self, labels: Tensor) -> Tensor:
        """The numbers, standardized."""
        means, deviations = (torch.tensor(of, device=labels.device) for of in (self.means, self.deviations))
        return (labels.float() - means) / deviations

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """The mean squared error of the standardized numbers; their mean is what smoothing moves toward."""
        return (outputs - (1 - smoothing) * targets).square().mean(1)

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """The mean squared difference."""
        return (outputs - others).square().mean(1)

    def predict(self, outputs: Tensor) -> np.ndarray:
        """The numbers, ``[n, numbers]``."""
        standardized = outputs.float().cpu().numpy()
        numbers: np.ndarray = standardized * np.array(self.deviations, np.float32) + np.array(self.means, np.float32)
        return numbers

    def decide(self, scores: np.ndarray) -> np.ndarray:
        return scores

    def strata(self, labels: np.ndarray) -> np.ndarray:
        return strata_of(labels)


def task_for(labels: np.ndarray, names: Sequence[str], is_balanced: bool = False) -> Task:
    """What is predicted, from the labels of the training split.

    Args:
        labels: the labels, in one of the forms of `autoaug.data.labels`.
        names: of the classes, labels or numbers; or the characters of texts, or the pieces of translations.
        is_balanced: whether rare classes or labels count as much as frequent ones; for numbers and texts, nothing.
    """
    kind = kind_of(labels)
    if kind == "classification":
        return Classification(len(names), balanced_weights(labels, len(names)) if is_balanced else ())
    if kind == "multi-label":
        having = labels.sum(0).clip(1, max(1, len(labels) - 1))  # as if one sample had, and one lacked, each label
        return MultiLabel(len(names), tuple(((len(labels) - having) / having).tolist()) if is_balanced else ())
    if kind == "transcription":
        return Transcription("".join(names))
    if kind == "translation":
        return Translation(tuple(names))
    means, deviations = labels.mean(0, dtype=np.float64), labels.std(0, dtype=np.float64)
    return Regression(tuple(means.tolist()), tuple(np.where(deviations > 0, deviations, 1.0).tolist()))


def balanced_weights(labels: np.ndarray, classes: int) -> tuple[float, ...]:
    """Weights of the classes in inverse proportion to their samples, with a mean of 1 over the samples (King and Zeng,
    2001). A class without samples has weight 0.
    """
    counts = np.bincount(labels, minlength=classes).tolist()
    present = sum(count > 0 for count in counts)
    return tuple(len(labels) / (present * count) if count else 0.0 for count in counts)
