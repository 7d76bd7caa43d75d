"""MLflow, at ``MLFLOW_TRACKING_URI``."""

from __future__ import annotations

from typing import Any

from autoaug.results import ACCURACY, MetricRecord, SearchResult, TrialSummary
from autoaug.runs.callbacks.base import Tracker, as_key, needed
from autoaug.runs.folder import RunFolder


class MLflow(Tracker):
    """A parent run for the search, a child run per trial, and the report and the policy as artifacts of the parent."""

    def __init__(self, folder: RunFolder, options: dict[str, Any]) -> None:
        self._mlflow = needed("mlflow", "mlflow")
        self._folder = folder
        self._client = self._mlflow.MlflowClient()
        known = self._client.get_experiment_by_name("autoaug")
        self._experiment = known.experiment_id if known else self._client.create_experiment("autoaug")
        self._metric = ACCURACY
        self._parent = self._begun(folder.name, {}, options)

    def _begun(self, name: str, tags: dict[str, str], params: dict[str, Any]) -> str:
        run = self._client.create_run(self._experiment, run_name=name, tags=tags)
        for key, value in params.items():
            if value is not None:
                self._client.log_param(run.info.run_id, as_key(key), str(value)[:500])
        return str(run.info.run_id)

    def measured_by(self, metric: MetricRecord) -> None:
        self._metric = metric

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        params = {**trial.params, "stage": trial.stage, "data_fraction": trial.data_fraction}
        run = self._begun(trial.name, {"mlflow.parentRunId": self._parent}, params)
        key = f"validation_{as_key(self._metric.name)}"
        for step, score in trial.curve:
            self._client.log_metric(run, key, self._metric.plain(score), step=step)
        self._client.log_metric(run, "seconds", trial.seconds)
        self._client.log_metric(self._parent, "budget_spent", fraction, step=trial.number)
        self._client.set_terminated(run, "FAILED" if trial.status == "failed" else "FINISHED")

    def training_ended(self, name: str, done: int, total: int) -> None:  # noqa: ARG002 (logged by number)
        self._client.log_metric(self._parent, "confirmation", done / total, step=done)

    def longer_ended(self, name: str, done: int, total: int) -> None:  # noqa: ARG002 (logged by number)
        self._client.log_metric(self._parent, "longer_trainings", done / total, step=done)

    def finished(self, result: SearchResult) -> None:
        for candidate in result.candidates:
            key = f"test_{as_key(result.metric.name)}/{as_key(candidate.name)}"
            self._client.log_metric(self._parent, key, result.metric.plain(candidate.mean))
        self._client.set_tag(self._parent, "verdict", result.verdict)
        for path in (self._folder.report, self._folder.policy, self._folder.result):
            self._client.log_artifact(self._parent, str(path))
        self._client.set_terminated(self._parent)

    def failed(self, error: BaseException) -> None:
        self._client.set_terminated(self._parent, "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
