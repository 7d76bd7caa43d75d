"""Runs the trials of one setting on warm Ray Tune workers."""

from __future__ import annotations

import ray
from ray import cloudpickle

from autoaug.search.executors.base import Executor, TrialSpec, unless_disk_full
from autoaug.search.executors.ray_mailbox import Ended
from autoaug.search.executors.ray_workers import RayWorkers
from autoaug.training.result import TrialResult
from autoaug.training.setting import Setting
from autoaug.training.trial import failed


class RayTuneExecutor(Executor):
    """Runs trials side by side on workers, which stay for the next setting.

    Args:
        setting: what the trials have in common; sent to each worker once.
        workers: those that run them; they have no other executor at the same time.
    """

    def __init__(self, setting: Setting, workers: RayWorkers) -> None:
        self.slots, self._workers = workers.count, workers
        self._lost: set[str] = set()
        self._at_rung: str | None = None
        self._setting = ray.put(setting)
        # In a list, the reference is passed on, rather than what it refers to.
        self._workers.answer_of(self._workers.mailbox.begin.remote([self._setting]))

    def submit(self, spec: TrialSpec) -> None:
        self._workers.answer_of(self._workers.mailbox.submit.remote(spec.key, cloudpickle.dumps(spec)))

    def next_result(self) -> tuple[str, TrialResult]:
        if self._at_rung is not None:
            self._answer(True)
        coming = self._workers.mailbox.next_result.remote()
        while not ray.wait([coming], timeout=1.0)[0]:
            self._workers.check()
            self._note_lost_nodes()
        key, posted = self._workers.answer_of(coming)
        is_lost = isinstance(posted, Ended)
        result = failed(TrialResult(started=posted.start), posted.fault) if is_lost else cloudpickle.loads(posted)
        self._at_rung = key if result.status == "running" else None
        return key, unless_disk_full(result)

    def _note_lost_nodes(self) -> None:
        lost = {node["NodeID"] for node in ray.nodes() if not node["Alive"]} - self._lost
        if lost:
            self._lost |= lost
            self._workers.answer_of(self._workers.mailbox.lose.remote(sorted(lost)))

    def cancel(self) -> None:
        self._answer(False)

    def _answer(self, go_on: bool) -> None:
        self._workers.answer_of(self._workers.mailbox.answer.remote(self._at_rung, go_on))
        self._at_rung = None

    def close(self) -> None:
        self._workers.rest()
