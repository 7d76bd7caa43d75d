"""Weights & Biases; offline if ``WANDB_MODE`` says so."""

from __future__ import annotations

import sys
from typing import Any

from autoaug.results import SearchResult, TrialSummary
from autoaug.runs.callbacks.base import Tracker, needed
from autoaug.runs.folder import RunFolder
from autoaug.utils.redaction import shown


class Wandb(Tracker):
    """A group for the search, with one run per trial, and one for the outcome with the report."""

    def __init__(self, folder: RunFolder, options: dict[str, Any]) -> None:
        self._wandb = needed("wandb", "wandb")
        self._group, self._options, self._folder = folder.root.name, options, folder

    def _run(self, name: str, kind: str, config: dict[str, Any]) -> Any:
        given, sys.argv = sys.argv, [shown(word) for word in sys.argv]  # wandb records it with the run
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

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        run = self._run(
            trial.name, "trial", {**trial.params, "stage": trial.stage, "data_fraction": trial.data_fraction}
        )
        for step, score in trial.curve:
            run.log({"validation_accuracy": score}, step=step)
        run.summary.update(
            {"accuracy": trial.score, "status": trial.status, "seconds": trial.seconds, "budget": fraction}
        )
        run.finish()

    def training_ended(self, name: str, done: int, total: int) -> None: ...

    def say(self, message: str) -> None: ...

    def finished(self, result: SearchResult) -> None:
        run = self._run(self._group, "search", self._options)
        run.summary.update({"verdict": result.verdict, "sentence": result.sentence})
        run.summary.update({f"test_accuracy/{c.name}": c.mean for c in result.candidates})
        artifact = self._wandb.Artifact(f"{self._group}-report", type="report")
        artifact.add_file(str(self._folder.report))
        artifact.add_file(str(self._folder.policy))
        run.log_artifact(artifact)
        run.finish()
