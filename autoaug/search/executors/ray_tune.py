"""Runs trials on warm Ray Tune workers, on this machine or on a cluster.

Here, a Tune trial is a worker, not a policy: Tune places the workers, gives each its share of the hardware and
restarts a worker whose node or process dies, while the search feeds them through a mailbox. Torch and the data are
loaded once per worker. With one Tune trial per policy instead, Tune would drop the actor of any trial that ends while
none is queued, and short trials would run one after another on a single actor.
"""

from __future__ import annotations

import faulthandler
import os
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.exceptions import RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from autoaug.errors import WorkersLost
from autoaug.search.executors.base import Executor, TrialSpec, with_room
from autoaug.search.executors.ray_cluster import without_new_ray
from autoaug.search.executors.ray_folder import ray_folder
from autoaug.search.executors.ray_mailbox import Mailbox
from autoaug.training.result import TrialResult
from autoaug.training.setting import Setting
from autoaug.training.trial import carry_out
from autoaug.utils.signals import uninterrupted

#: A worker that keeps dying is abandoned after this many restarts.
_RESTARTS = 100
_TEAR_DOWN_SECONDS = 10.0


@contextmanager
def _ending_after(timeout: float | None) -> Iterator[None]:
    """End this process if the block takes longer than `timeout`, no matter what hangs or which lock it holds."""
    if timeout is None:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        faulthandler.dump_traceback_later(timeout, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


class _Worker(tune.Trainable):
    """A warm worker: one Tune step takes a trial from the mailbox and runs it."""

    def setup(
        self,
        config: dict[str, Any],  # noqa: ARG002 (Tune's signature)
        task: Setting,
        mailbox: Any,
        timeout: float | None,
        folder: str,
    ) -> None:
        with suppress(OSError):  # on another machine the folder may not exist
            os.chdir(folder)  # the driver's working directory, which may hold the user's code and data
        task.warm_up()
        self._task, self._mailbox, self._timeout = task, mailbox, timeout

    def step(self) -> dict[str, Any]:
        node = ray.get_runtime_context().get_node_id()
        spec = ray.get(self._mailbox.take.remote(self.trial_id, node))
        if spec is None:
            return {"done": True}
        with _ending_after(self._timeout):
            for result in carry_out(spec.work, self._task, spec.seed):
                if not ray.get(self._mailbox.post.remote(self.trial_id, spec.key, result)):
                    break
        return {"done": False}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing to save: the study is the only source of truth."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing to load."""


class RayTuneExecutor(Executor):
    """Runs up to `workers` trials side by side on Ray Tune, within `ray_running`.

    Args:
        task: what the trials have in common; sent to each worker once.
        workers: number of workers; each takes one CPU, and an equal share of the GPUs if the task uses them.
        timeout: seconds that a trial may take before its worker is ended; None for no limit.
    """

    def __init__(self, task: Setting, workers: int, timeout: float | None = None) -> None:
        # A worker sees only its own GPUs, so the only valid index is the first.
        task = _with_first_device(task)
        self.slots = workers
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._mailbox = ray.remote(num_cpus=0, scheduling_strategy=here)(Mailbox).remote(timeout)
        self._timeout = timeout
        self._lost: set[str] = set()
        self._at_rung: str | None = None
        self._ended_because = "their Tune run ended"
        self._thread = threading.Thread(target=self._run_workers, args=(task,), name="ray-tune", daemon=True)
        self._thread.start()

    def _run_workers(self, task: Setting) -> None:
        trainable = tune.with_parameters(
            _Worker, task=task, mailbox=self._mailbox, timeout=self._timeout, folder=os.getcwd()
        )
        try:
            with ray_folder() as scratch, without_new_ray():
                results = self._tuner(trainable, task, scratch).fit()
            if results.errors:
                self._ended_because = _in_brief(results.errors[0])
        except Exception as fault:  # the thread that waits for results raises WorkersLost with this reason
            self._ended_because = f"{type(fault).__name__}: {_in_brief(fault)}"

    def _tuner(self, trainable: Any, task: Setting, scratch: Path) -> tune.Tuner:
        return tune.Tuner(
            tune.with_resources(trainable, {"cpu": 1, "gpu": _gpus_each(task, self.slots)}),
            tune_config=tune.TuneConfig(num_samples=self.slots),
            run_config=tune.RunConfig(
                name="workers",
                storage_path=str(scratch),
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=_RESTARTS),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False, checkpoint_frequency=0),
            ),
        )

    def submit(self, spec: TrialSpec) -> None:
        self._answer_of(self._mailbox.submit.remote(spec))

    def _answer_of(self, answer: Any) -> Any:
        """What the mailbox answers; raises `WorkersLost` if it is gone, for example after a signal to all of Ray."""
        try:
            return ray.get(answer)
        except RayActorError as fault:
            raise self._workers_lost(_in_brief(fault)) from None

    def _workers_lost(self, why: str) -> WorkersLost:
        return WorkersLost(f"the Ray workers are gone ({why}); finished trials are kept: resume the run")

    def next_result(self) -> tuple[str, TrialResult]:
        if self._at_rung is not None:
            self._answer(True)
        coming = self._mailbox.next_result.remote()
        while not ray.wait([coming], timeout=1.0)[0]:
            if not self._thread.is_alive():
                raise self._workers_lost(self._ended_because)
            self._note_lost_nodes()
        key, result = self._answer_of(coming)
        self._at_rung = key if result.status == "running" else None
        return key, with_room(result)

    def _note_lost_nodes(self) -> None:
        lost = {node["NodeID"] for node in ray.nodes() if not node["Alive"]} - self._lost
        if lost:
            self._lost |= lost
            self._answer_of(self._mailbox.lose.remote(sorted(lost)))

    def cancel(self) -> None:
        self._answer(False)

    def _answer(self, go_on: bool) -> None:
        self._answer_of(self._mailbox.answer.remote(self._at_rung, go_on))
        self._at_rung = None

    @uninterrupted()
    def close(self) -> None:
        with suppress(RayError):  # if Ray itself was stopped, the workers are gone
            ray.get(self._mailbox.close.remote(self.slots), timeout=_TEAR_DOWN_SECONDS)
        self._thread.join(timeout=_TEAR_DOWN_SECONDS)


def _with_first_device(task: Any) -> Any:
    return replace(task, device=task.device.partition(":")[0])


def _in_brief(fault: BaseException) -> str:
    """The last line of a traceback, without the page of statistics that Ray adds when memory runs out."""
    return textwrap.shorten((str(fault).strip().splitlines() or ["no reason given"])[-1], 200, placeholder=" …")


def _gpus_each(task: Setting, workers: int) -> float:
    """How many GPUs each worker gets: a whole number, or a fraction of one."""
    if not task.device.startswith("cuda"):
        return 0.0
    each = ray.cluster_resources().get("GPU", 0.0) / workers
    return float(int(each)) if each >= 1 else each
