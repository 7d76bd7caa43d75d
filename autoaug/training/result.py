"""What a worker hands back of a piece of work: whole, or so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Status = Literal["running", "complete", "pruned", "failed"]


@dataclass(frozen=True)
class Rung:
    """A score on the validation split on the way; `step` counts passes over the training split."""

    step: int
    score: float


@dataclass(frozen=True, eq=False)
class TrialResult:
    """One policy trained and scored once, whole or so far.

    Attributes:
        started, ended: seconds since the epoch, on the worker's clock.
        status: running at a rung, complete, pruned there, or failed.
        score: on the validation split at full length, the higher the better; NaN unless complete.
        curve: the rungs passed, the last one at full length where complete.
        robustness: score on the validation split under attacks and corruptions; NaN unless it is asked for.
        reason: why it failed.
        note: what else is to be said of it.
        augmentation_seconds: of the time, spent on drawing and applying the policy.
        samples_seen: augmented samples trained on.
        sample_passes: the same, with the extra passes of adversarial attacks: the unit of compute.
        probe_result: of work that is no training, as plain JSON values.
        validation_predictions: ``[n, …]``, as the task stores them.
        validation_statistics: what each adds to the metric, ``[n, k]``.
        test_predictions, test_statistics: likewise, where there is a test split.
        weights: of the model, as a safetensors file, where the training was asked to hand them over.
        disk_full: whether it failed for want of room on a disk alone, which is no fault of what was tried.
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
    weights: bytes | None = field(default=None, repr=False)
    disk_full: bool = False

    @property
    def seconds(self) -> float:
        """The trial's own compute."""
        return self.ended - self.started
