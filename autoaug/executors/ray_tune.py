"""Trials on warm Ray Tune actors, on this machine or on a cluster.

Tune owns its loop, so it runs in a thread of its own: a searcher hands it the trials that the search submits, and a
scheduler hands their results back and waits for the word to go on or stop. Torch and the data are loaded once an
actor: every trial after an actor's first reuses it.
"""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "3600")
os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from autoaug.errors import DeviceError, OptionError
from autoaug.executors.base import Executor, TrialSpec
from autoaug.policy import parse_policy
from autoaug.result import TrialResult
from autoaug.trial import Task, failed, run_trial

#: How long an actor waits for its siblings to be up before it begins its first trial. Where trials are shorter than
#: an actor's start, Tune would otherwise give each to the one actor that is up and kill the ones that are starting.
_GATHER_SECONDS = 60.0
_TEAR_DOWN_SECONDS = 10.0


@ray.remote(num_cpus=0)
class _Roll:
    """Counts the actors that are up."""

    def __init__(self) -> None:
        self._up = 0

    def arrive(self) -> None:
        self._up += 1

    def count(self) -> int:
        return self._up


class _TrialActor(tune.Trainable):
    """A warm worker: one Tune step runs a trial up to its next rung."""

    def setup(self, config: dict[str, Any], task: Task, roll: Any, workers: int) -> None:
        task.warm_up()
        self._task = task
        ray.get(roll.arrive.remote())
        deadline = time.monotonic() + _GATHER_SECONDS
        while ray.get(roll.count.remote()) < workers and time.monotonic() < deadline:
            time.sleep(0.02)
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        policy = parse_policy(new_config["policy"])
        self._results: Iterator[TrialResult] = run_trial(policy, self._task, new_config["seed"])
        return True

    def step(self) -> dict[str, Any]:
        result = next(self._results)
        return {"result": result, "done": result.status != "running"}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing to save: the study is the only source of truth."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing to load."""


class _Submissions(Searcher):
    """Hands Tune the submitted trials, in order."""

    def __init__(self, slots: int) -> None:
        super().__init__(metric="done", mode="max")
        self.waiting: queue.SimpleQueue[TrialSpec | None] = queue.SimpleQueue()
        self._slots, self._live = slots, 0

    def suggest(self, trial_id: str) -> Any:
        # With nothing live Tune would sleep a second between questions, so the wait is here; with a free slot the
        # next trial is moments away; with none Tune must get on with its other events.
        timeout = None if self._live == 0 else 0.05 if self._live < self._slots else 0.0
        try:
            spec = self.waiting.get(timeout=timeout)
        except queue.Empty:
            return None
        if spec is None:
            return Searcher.FINISHED
        self._live += 1
        return {"key": spec.key, "policy": spec.policy.to_yaml(), "seed": spec.seed}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        self._live -= 1

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the study is the only source of truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""


class _Results(FIFOScheduler):
    """Hands results to the search, and waits at each rung for the word to go on or stop."""

    _supports_buffered_results = False

    def __init__(self) -> None:
        super().__init__()
        self.found: queue.SimpleQueue[tuple[str, TrialResult] | BaseException] = queue.SimpleQueue()
        self.words: queue.SimpleQueue[str] = queue.SimpleQueue()

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        self.found.put((trial.config["key"], result["result"]))
        return self.words.get() if result["result"].status == "running" else str(self.CONTINUE)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        fault = RuntimeError(str(trial.get_error() or "the worker died"))
        self.found.put((trial.config["key"], failed(TrialResult(started=time.time()), fault)))


class RayTuneExecutor(Executor):
    """Runs up to `workers` trials side by side on Ray Tune, within `ray_running`.

    Args:
        task: what the trials have in common; sent to each actor once.
        workers: actors; each takes one CPU and an equal share of the GPUs where the task uses them.
    """

    def __init__(self, task: Task, workers: int) -> None:
        self.slots = workers
        self._scratch = Path(tempfile.mkdtemp(prefix="aa-", dir="/tmp" if Path("/tmp").is_dir() else None))
        self._submissions, self._results = _Submissions(workers), _Results()
        self._at_rung = False
        self._thread = threading.Thread(target=self._tune, args=(task, workers), name="ray-tune", daemon=True)
        self._thread.start()

    def _tune(self, task: Task, workers: int) -> None:
        os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(workers)
        trainable = tune.with_resources(
            tune.with_parameters(_TrialActor, task=task, roll=_Roll.remote(), workers=workers),
            {"cpu": 1, "gpu": _gpu_share(task, workers)},
        )
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=self._submissions, scheduler=self._results, num_samples=-1, reuse_actors=True
            ),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=str(self._scratch),
                verbose=0,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False, checkpoint_frequency=0),
            ),
        )
        try:
            tuner.fit()
        except BaseException as fault:  # handed to the thread that waits for results
            self._results.found.put(fault)

    def submit(self, spec: TrialSpec) -> None:
        self._submissions.waiting.put(spec)

    def next_result(self) -> tuple[str, TrialResult]:
        if self._at_rung:
            self._answer(_Results.CONTINUE)
        while True:
            try:
                found = self._results.found.get(timeout=1.0)
                break
            except queue.Empty:
                if not self._thread.is_alive():
                    raise RuntimeError("Ray Tune ended before its trials did") from None
        if isinstance(found, BaseException):
            raise found
        self._at_rung = found[1].status == "running"
        return found

    def cancel(self, key: str) -> None:
        self._answer(_Results.STOP)

    def _answer(self, word: str) -> None:
        self._at_rung = False
        self._results.words.put(word)

    def close(self) -> None:
        if self._at_rung:
            self._answer(_Results.STOP)
        self._submissions.waiting.put(None)
        self._thread.join(timeout=_TEAR_DOWN_SECONDS)
        shutil.rmtree(self._scratch, ignore_errors=True)


@contextmanager
def ray_running(workers: int, device: str, address: str | None = None) -> Iterator[None]:
    """Connect to the Ray cluster at `address`, or start a local Ray that ends with the block.

    Raises:
        OptionError: no cluster answers at `address`.
        DeviceError: `device` is a GPU and Ray sees none.
    """
    if address is not None:
        _connect(address)
    else:
        _start(workers)
    try:
        if device.startswith("cuda") and not ray.cluster_resources().get("GPU"):
            raise DeviceError(f"device {device!r} was asked for, but Ray sees no GPU; use --device cpu")
        yield
    finally:
        ray.shutdown()


def _connect(address: str) -> None:
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as fault:
        reason = str(fault).strip().splitlines()[0]
        raise OptionError(f"no Ray cluster answers at {address!r} ({reason}); start one with: ray start --head") from None


def _start(workers: int) -> None:
    # Workers find the user's own modules where the driver does.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH", "")]))
    ray.init(
        num_cpus=workers,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        _node_ip_address="127.0.0.1",
    )


def _gpu_share(task: Task, workers: int) -> float:
    if not task.device.startswith("cuda"):
        return 0.0
    share = ray.cluster_resources().get("GPU", 0.0) / workers
    return float(int(share)) if share >= 1 else share
