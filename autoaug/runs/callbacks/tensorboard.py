"""TensorBoard, by tensorboardX, which needs neither TensorFlow nor torch."""

from __future__ import annotations

import json
from typing import Any

from autoaug.results import SearchResult, TrialSummary
from autoaug.runs.callbacks.base import Tracker, needed
from autoaug.runs.folder import RunFolder


class TensorBoard(Tracker):
    """Scalars per trial, and the verdict as text, in ``tensorboard/`` in the run folder."""

    def __init__(self, folder: RunFolder, options: dict[str, Any]) -> None:
        writer = needed("tensorboardX", "tensorboard")
        self._writer = writer.SummaryWriter(str(folder.root / "tensorboard"))
        self._writer.add_text("run", json.dumps(options, indent=1, default=str))
        self._trainings = 0

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        if trial.score is not None:
            self._writer.add_scalar("trial/validation_accuracy", trial.score, trial.number)
        self._writer.add_scalar("trial/seconds", trial.seconds, trial.number)
        self._writer.add_scalar("search/budget_spent", fraction, trial.number)

    def training_ended(self, name: str, done: int, total: int) -> None:  # noqa: ARG002 (logged by number)
        self._writer.add_scalar("confirmation/done", done / total, done)

    def say(self, message: str) -> None:
        self._writer.add_text("stage", message)

    def finished(self, result: SearchResult) -> None:
        self._writer.add_text("verdict", result.sentence)
        for i, candidate in enumerate(result.candidates):
            self._writer.add_scalar("confirmation/test_accuracy", candidate.mean, i)
        self._writer.close()
