"""Tasks: what is predicted. Other packages use this interface and do not assume classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from autoaug.functional.labels import soft_labels


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

    def targets(self, labels: Tensor) -> Tensor:
        """Soft labels ``[n, classes]``."""
        return soft_labels(labels, self.classes)

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy."""
        weight = torch.tensor(self.weights).to(outputs) if self.weights else None
        return cross_entropy(outputs, targets, weight, label_smoothing=smoothing, reduction="none")

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


def balanced_weights(labels: np.ndarray, classes: int) -> tuple[float, ...]:
    """Weights of the classes in inverse proportion to their samples, with a mean of 1 over the samples (King and Zeng,
    2001). A class without samples has weight 0.
    """
    counts = np.bincount(labels, minlength=classes).tolist()
    present = sum(count > 0 for count in counts)
    return tuple(len(labels) / (present * count) if count else 0.0 for count in counts)
