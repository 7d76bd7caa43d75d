"""The result that a worker returns, intermediate or final."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from autoaug.training.metrics import Measured

Status = Literal["running", "complete", "pruned", "failed"]


@dataclass(frozen=True)
class Rung:
    """An intermediate score on the held-out samples; `step` counts whole passes over the training split."""

    step: int
    score: float


@dataclass(frozen=True, eq=False)
class TrialResult:
    """The result of training and scoring one policy once, intermediate or final.

    Attributes:
        started, ended: seconds since the epoch, on the worker's clock.
        status: running (at a rung), complete, pruned (at a rung), or failed.
        score: the score on the held-out samples at full length, higher is better; NaN unless complete.
        curve: the rungs so far; the last one is at full length if complete.
        robustness: the score on the held-out samples under attacks and corruptions; NaN unless requested.
        reason: why it failed.
        note: a remark for the user.
        augmentation_seconds: the part of the time spent on drawing and applying the policy.
        samples_seen: the number of augmented samples trained on.
        sample_passes: the same plus the extra passes of adversarial attacks: the unit of compute.
        probe_result: the result of a probe, as plain JSON values.
        validation_predictions: ``[n, …]``, in the task's storage format, of a training with a test split; the trials
            of a search have none.
        validation_statistics: the metric's statistics per sample, ``[n, k]``.
        test_predictions, test_statistics: the same for the test split.
        test_measured: all metrics of the task on the test split, by name.
        weights: the weights of the model as a safetensors file, if requested.
        disk_full: whether it failed only because a disk was full, which is not the policy's fault.
    """

    started: float
    ended: float = math.nan
    status: Status = "running"
    score: float = math.nan
    curve: tuple[Rung, ...] = ()
    robustness: float = math.nan
    reason: str = ""
    note: str = ""
    augmentation_seconds: float = 0.0
    samples_seen: int = 0
    sample_passes: int = 0
    probe_result: Mapping[str, Any] = field(default_factory=dict)
    validation_predictions: np.ndarray | None = None
    validation_statistics: np.ndarray | None = None
    test_predictions: np.ndarray | None = None
    test_statistics: np.ndarray | None = None
    test_measured: Mapping[str, Measured] = field(default_factory=dict)
    weights: bytes | None = field(default=None, repr=False)
    disk_full: bool = False

    @property
    def seconds(self) -> float:
        """The time that the trial took, in seconds."""
        return self.ended - self.started
