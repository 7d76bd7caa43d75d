"""TensorBoard, by tensorboardX, which needs neither TensorFlow nor torch."""

from __future__ import annotations

import json
from typing import Any

from autoaug.results import ACCURACY, MetricRecord, SearchResult, TrialSummary
from autoaug.runs.callbacks.base import Tracker, as_key, needed
from autoaug.runs.folder import RunFolder


class TensorBoard(Tracker):
    """Scalars per trial, and the verdict as text, in ``tensorboard/`` in the run folder."""

    def __init__(self, folder: RunFolder, options: dict[str, Any]) -> None:
        writer = needed("tensorboardX", "tensorboard")
        self._writer = writer.SummaryWriter(str(folder.root / "tensorboard"))
        self._writer.add_text("run", json.dumps(options, indent=1, default=str))
        self._metric = ACCURACY

    def measured_by(self, metric: MetricRecord) -> None:
        self._metric = metric

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        if trial.score is not None:
            key, value = f"trial/validation_{as_key(self._metric.name)}", self._metric.plain(trial.score)
            self._writer.add_scalar(key, value, trial.number)
        self._writer.add_scalar("trial/seconds", trial.seconds, trial.number)
        self._writer.add_scalar("search/budget_spent", fraction, trial.number)

    def training_ended(self, name: str, done: int, total: int) -> None:  # noqa: ARG002 (logged by number)
        self._writer.add_scalar("confirmation/done", done / total, done)

    def longer_ended(self, name: str, done: int, total: int) -> None:  # noqa: ARG002 (logged by number)
        self._writer.add_scalar("longer_trainings/done", done / total, done)

    def say(self, message: str) -> None:
        self._writer.add_text("stage", message)

    def finished(self, result: SearchResult) -> None:
        self._writer.add_text("verdict", result.sentence)
        for candidate in result.candidates:
            key = f"confirmation/test_{as_key(result.metric.name)}/{as_key(candidate.name)}"
            self._writer.add_scalar(key, result.metric.plain(candidate.mean), 0)
        self._writer.close()

    def failed(self, error: BaseException) -> None:  # noqa: ARG002 (it shows in the log)
        self._writer.close()
