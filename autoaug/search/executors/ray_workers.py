"""Warm workers on Ray Tune, on this machine or on a cluster.

Here, a Tune trial is a worker, not a policy: Tune places the workers, gives each its share of the hardware and
restarts a worker whose node or process dies, while the search feeds them through a mailbox. Torch is loaded once per
worker, and the data once per worker and setting. With one Tune trial per policy instead, Tune would drop the actor of
any trial that ends while none is queued, and short trials would run one after another on a single actor.
"""

from __future__ import annotations

import faulthandler
import logging
import math
import os
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ray
from ray import cloudpickle, tune
from ray.exceptions import RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from autoaug.errors import WorkersLost
from autoaug.search.executors.ray_cluster import without_new_ray
from autoaug.search.executors.ray_folder import ray_folder
from autoaug.search.executors.ray_mailbox import LOADING_SECONDS, Mailbox, Taken
from autoaug.training.result import TrialResult
from autoaug.training.setting import Setting
from autoaug.training.trial import carry_out, failed
from autoaug.utils.clock import now
from autoaug.utils.signals import uninterrupted

#: A worker that keeps dying is abandoned after this many restarts.
_RESTARTS = 100
#: How long to wait for the mailbox, and for the Tune run: if that uses Ray after its end, Ray ends the process.
_MAILBOX_SECONDS, _TUNE_SECONDS = 10.0, 60.0


class RayWorkers:
    """Workers that take trials of one setting after another, within `ray_running`.

    Args:
        count: number of workers; each takes one CPU, and a GPU or an equal share of one if `device` is a GPU.
        device: where trials are carried out.
        timeout: seconds that a trial may take before its worker is ended, from when the worker has loaded the setting,
            which may take a minute longer; None for no limit.

    Attributes:
        mailbox: the actor that feeds them, a `Mailbox`.
    """

    def __init__(self, count: int, device: str, timeout: float | None = None) -> None:
        self.count = count
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.mailbox = ray.remote(num_cpus=0, scheduling_strategy=here)(Mailbox).remote(timeout)
        self._ended_because, self._closed = "their Tune run ended", _Closed()
        trainable = tune.with_parameters(_Worker, mailbox=self.mailbox, timeout=timeout, folder=os.getcwd())
        arguments = tune.with_resources(trainable, {"cpu": 1, "gpu": _gpus_each(device, count)}), count
        self._thread = threading.Thread(target=self._run, args=arguments, name="ray-tune", daemon=True)
        self._thread.start()

    def _run(self, trainable: Any, count: int) -> None:
        try:
            with ray_folder() as scratch, without_new_ray():
                results = _tuner(trainable, count, scratch, self._closed).fit()
            if results.errors:
                self._ended_because = _in_brief(results.errors[0])
        except Exception as fault:  # the thread that waits for results raises WorkersLost with this reason
            self._ended_because = f"{type(fault).__name__}: {_in_brief(fault)}"

    def answer_of(self, answer: Any) -> Any:
        """What the mailbox answers; raises `WorkersLost` if it is gone, for example after a signal to all of Ray."""
        try:
            return ray.get(answer)
        except RayActorError as fault:
            raise _workers_lost(_in_brief(fault)) from None

    def check(self) -> None:
        """Raise `WorkersLost` if there are no workers any more."""
        if not self._thread.is_alive():
            raise _workers_lost(self._ended_because)

    @uninterrupted()
    def rest(self) -> None:
        """Let the workers wait for the next setting."""
        _told(self.mailbox.rest.remote())

    @uninterrupted()
    def close(self) -> None:
        """End all workers. Those at work are killed: their results would be dropped, and Tune waits ten seconds."""
        self._closed.set()
        with _quiet():
            for actor in _told(self.mailbox.close.remote(self.count)) or ():
                ray.kill(actor)
            self._thread.join(timeout=_TUNE_SECONDS)


class _Closed(tune.Stopper):
    """Once it is set, it ends a Tune run, also workers that wait for room in place of those on a node that is gone."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.set = self._event.set

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()  # Tune saves its configuration, and nobody restores it

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002 (Tune's signature)
        return False

    def stop_all(self) -> bool:
        return self._event.is_set()


class _Worker(tune.Trainable):
    """A warm worker: one Tune step takes a trial from the mailbox and runs it."""

    def setup(
        self,
        config: dict[str, Any],  # noqa: ARG002 (Tune's signature)
        mailbox: Any,
        timeout: float | None,
        folder: str,
    ) -> None:
        with suppress(OSError):  # on another machine the folder may not exist
            os.chdir(folder)  # the driver's working directory, which may hold the user's code and data
        self._mailbox, self._timeout = mailbox, timeout
        self._setting: tuple[int, Setting | None] = -1, None

    def step(self) -> dict[str, Any]:
        here = ray.get_runtime_context()
        taken = ray.get(self._mailbox.take.remote(self.trial_id, here.get_node_id(), here.current_actor))
        if taken is None:
            return {"done": True}
        for result in self._results(taken):
            posted, is_last = cloudpickle.dumps(result), result.status != "running"
            if not ray.get(self._mailbox.post.remote(self.trial_id, taken.key, posted, is_last)):
                break
        return {"done": False}

    def _results(self, taken: Taken) -> Iterator[TrialResult]:
        limit = None if self._timeout is None else self._timeout + LOADING_SECONDS
        try:
            with _ending_after(limit):
                spec, setting = cloudpickle.loads(taken.spec), self._setting_of(taken)
        except Exception as fault:  # a user's code that cannot be imported here, for example
            yield failed(TrialResult(started=now()), fault)
            return
        with _ending_after(self._timeout):
            yield from carry_out(spec.work, setting, spec.seed)

    def _setting_of(self, taken: Taken) -> Setting:
        """The setting of the trial; the one before is let go of first."""
        number, setting = self._setting
        if setting is None or number != taken.number:
            self._setting = -1, None
            setting = ray.get(taken.setting[0])
            setting.warm_up()
            self._setting = taken.number, setting
        ray.get(self._mailbox.start.remote(self.trial_id))  # the time limit is for the trial alone, as is its blame
        return setting

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing to save: the study is the only source of truth."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing to load."""


def _tuner(trainable: Any, count: int, scratch: Path, closed: _Closed) -> tune.Tuner:
    return tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(num_samples=count),
        run_config=tune.RunConfig(
            name="workers",
            storage_path=str(scratch),
            verbose=0,
            stop=closed,
            failure_config=tune.FailureConfig(max_failures=_RESTARTS),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False, checkpoint_frequency=0),
        ),
    )


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


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Tune from printing that workers are killed, in the block."""
    log = logging.getLogger("ray.tune.execution.tune_controller")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _told(answer: Any) -> Any:
    """What the mailbox answers once it knows; None if Ray itself was stopped, where the workers are gone."""
    with suppress(RayError):
        return ray.get(answer, timeout=_MAILBOX_SECONDS)
    return None


def _workers_lost(why: str) -> WorkersLost:
    return WorkersLost(f"the Ray workers are gone ({why}); finished trials are kept: resume the run")


def _in_brief(fault: BaseException) -> str:
    """The last line of a traceback, without the page of statistics that Ray adds when memory runs out."""
    return textwrap.shorten((str(fault).strip().splitlines() or ["no reason given"])[-1], 200, placeholder=" …")


def _gpus_each(device: str, workers: int) -> float:
    """How much of a GPU each worker gets: all of one, as it uses no more, or so little that there is room for all."""
    if not device.startswith("cuda"):
        return 0.0
    return 1 / math.ceil(workers / ray.cluster_resources()["GPU"])
