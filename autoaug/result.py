"""What comes out of trials and searches: frozen records, and the files of a run folder. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Status = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True)
class Rung:
    """An accuracy on the validation split on the way; `step` counts epochs' worth of samples."""

    step: int
    accuracy: float


@dataclass(frozen=True, eq=False)
class TrialResult:
    """One policy trained and scored once.

    Attributes:
        status: complete, pruned on the way, or failed.
        accuracy: on the validation split at full length; NaN unless complete.
        curve: the rungs passed, the last one at full length where complete.
        reason: why it failed.
        started, ended: seconds since the epoch, on the worker's clock.
        augmentation_seconds: of it, spent on drawing and applying the policy.
        samples_seen: augmented samples trained on.
        passes: the same, with the extra passes of adversarial attacks: the unit of compute.
        validation_predictions: class indices ``[n]`` uint16, where predictions were asked for.
        test_predictions: likewise, where the task has a test split.
    """

    status: Status
    accuracy: float
    curve: tuple[Rung, ...]
    reason: str
    started: float
    ended: float
    augmentation_seconds: float
    samples_seen: int
    passes: int
    validation_predictions: np.ndarray | None = None
    test_predictions: np.ndarray | None = None

    @property
    def seconds(self) -> float:
        """The trial's own compute."""
        return self.ended - self.started
