"""Weights & Biases; offline if ``WANDB_MODE`` says so."""

from __future__ import annotations

import sys
from typing import Any

from autoaug.results import ACCURACY, MetricRecord, SearchResult, TrialSummary
from autoaug.runs.callbacks.base import Tracker, as_key, needed
from autoaug.runs.folder import RunFolder
from autoaug.utils.redaction import redacted


class Wandb(Tracker):
    """A group for the search, with one run per trial, and one for the outcome with the report."""

    def __init__(self, folder: RunFolder, options: dict[str, Any]) -> None:
        self._wandb = needed("wandb", "wandb")
        self._group, self._options, self._folder = folder.name, options, folder
        self._metric = ACCURACY

    def _run(self, name: str, kind: str, config: dict[str, Any]) -> Any:
        given, sys.argv = sys.argv, [redacted(word) for word in sys.argv]  # wandb records it with the run
        try:
            return self._wandb.init(
                project="autoaug",
                group=self._group,
                job_type=kind,
                name=name,
                config=config,
                reinit=True,
                dir=self._folder.root,
            )
        finally:
            sys.argv = given

    def measured_by(self, metric: MetricRecord) -> None:
        self._metric = metric

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        run = self._run(
            trial.name, "trial", {**trial.params, "stage": trial.stage, "data_fraction": trial.data_fraction}
        )
        key = as_key(self._metric.name)
        for step, score in trial.curve:
            run.log({f"validation_{key}": self._metric.plain(score)}, step=step)
        value = None if trial.score is None else self._metric.plain(trial.score)
        run.summary.update({key: value, "status": trial.status, "seconds": trial.seconds, "budget": fraction})
        run.finish()

    def finished(self, result: SearchResult) -> None:
        run = self._run(self._group, "search", self._options)
        run.summary.update({"verdict": result.verdict, "sentence": result.sentence})
        key, metric = as_key(result.metric.name), result.metric
        run.summary.update({f"test_{key}/{c.name}": metric.plain(c.mean) for c in result.candidates})
        artifact = self._wandb.Artifact(f"{self._group}-report", type="report")
        artifact.add_file(str(self._folder.report))
        artifact.add_file(str(self._folder.policy))
        run.log_artifact(artifact)
        run.finish()
