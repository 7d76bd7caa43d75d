"""What is predicted. Core rooms ask the task, and know of no classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from autoaug.functional.labels import soft_labels


class Task(Protocol):
    """What a model learns to say of a sample. `labels` are as a data set has them, `targets` what training works on."""

    @property
    def name(self) -> str:
        """As it stands in the facts of a run."""

    @property
    def outputs(self) -> int:
        """How many numbers the model gives per sample."""

    @property
    def classes(self) -> int:
        """How many classes predictions and labels name; 0 where they name none."""

    def targets(self, labels: Tensor) -> Tensor:
        """Labels ``[n]`` as floating point ``[n, d]``, so that those of two samples can be mixed."""

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """The loss ``[n]`` of each sample; `smoothing` is how far targets are moved towards knowing nothing."""

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """How far `outputs` are from what is said in `others` of the same samples, ``[n]``; 0 where they agree."""

    def predict(self, outputs: Tensor) -> np.ndarray:
        """What is said of each sample, ``[n]`` or ``[n, …]``, as it is stored."""

    def strata(self, labels: np.ndarray) -> np.ndarray:
        """The number ``[n]`` of each sample's group, for shares of the data that have something of everything."""


@dataclass(frozen=True)
class Classification:
    """One of several classes; labels are their indices, predictions too (uint16)."""

    classes: int
    name: str = "classification"

    @property
    def outputs(self) -> int:
        return self.classes

    def targets(self, labels: Tensor) -> Tensor:
        """Shares of the classes, ``[n, classes]``."""
        return soft_labels(labels, self.classes)

    def loss(self, outputs: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy."""
        return cross_entropy(outputs, targets, label_smoothing=smoothing, reduction="none")

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """Kullback and Leibler's, of the probabilities."""
        said, meant = log_softmax(outputs, 1), log_softmax(others, 1)
        return kl_div(said, meant, reduction="none", log_target=True).sum(1)

    def predict(self, outputs: Tensor) -> np.ndarray:
        """The most likely class."""
        found: np.ndarray = outputs.argmax(1).cpu().numpy().astype(np.uint16)
        return found

    def strata(self, labels: np.ndarray) -> np.ndarray:
        return labels
