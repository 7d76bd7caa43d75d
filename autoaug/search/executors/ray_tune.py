"""Trials on warm Ray Tune workers, on this machine or on a cluster.

A Tune trial here is a worker, not a policy: Tune places the workers, gives each its share of the hardware and starts
one again when its node or process dies, while the search feeds them through a mailbox. Torch and the data are
loaded once a worker. With a Tune trial for every policy instead, Tune drops the actor of any trial that ends while
none is queued, and short trials end up one after another on a single actor.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import secrets
import socket
import sys
import sysconfig
import textwrap
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

for _name, _value in {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # Tune's thread would start another Ray where the interrupted driver has shut down its own.
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
}.items():
    os.environ.setdefault(_name, _value)

import ray
from ray import tune
from ray._private import ray_constants
from ray.exceptions import RayActorError, RayError
from ray.job_config import JobConfig
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from autoaug.errors import DeviceError, OptionError, WorkersLost, first_line
from autoaug.results import TrialResult
from autoaug.search.executors.base import Executor, TrialSpec, timed_out, with_room
from autoaug.search.executors.ray_folder import ray_folder
from autoaug.training.setting import Setting
from autoaug.training.trial import carry_out, failed
from autoaug.utils.clock import now
from autoaug.utils.redaction import shown, without_secrets
from autoaug.utils.signals import sigterm_kept, uninterrupted

#: A worker that keeps dying is given up after so many deaths.
_RESTARTS = 100
#: A trial in which a worker dies is run again; a worker that dies in it again was killed by it.
_DEATHS = 2
_TEAR_DOWN_SECONDS = 10.0
_CONNECT_SECONDS = 5.0
#: What Ray asks of systems whose firewalls would ask the user otherwise: to listen on loopback alone.
_BEYOND_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


class _Held(NamedTuple):
    """A trial that a worker has, on which node, and since when."""

    spec: TrialSpec
    node: str
    start: float


class _Mailbox:
    """Trials on their way to workers, and results on their way back.

    Args:
        timeout: seconds that a trial may take, None for any.
    """

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._specs: asyncio.Queue[TrialSpec | None] = asyncio.Queue()
        self._results: asyncio.Queue[tuple[str, TrialResult]] = asyncio.Queue()
        self._words: dict[str, asyncio.Future[bool]] = {}
        self._held: dict[str, _Held] = {}
        self._deaths: Counter[str] = Counter()
        self._is_closed = False

    async def submit(self, spec: TrialSpec) -> None:
        """Queue a trial."""
        await self._specs.put(spec)

    async def take(self, worker: str, node: str) -> TrialSpec | None:
        """The next trial for `worker`. If it holds one, it died with that and was started again."""
        if worker in self._held:
            await self._bury(worker)
        spec = None if self._is_closed else await self._specs.get()
        if spec is not None:
            self._held[worker] = _Held(spec, node, now())
        return spec

    async def _bury(self, worker: str) -> None:
        """Have the trial of a worker that died run again, unless it took too long, or this was its second time."""
        held = self._held.pop(worker)
        self._deaths[held.spec.key] += 1
        taken = now() - held.start
        if self._timeout is not None and taken >= self._timeout:
            fault: Exception = timed_out(self._timeout)
        elif self._deaths[held.spec.key] < _DEATHS:
            await self._specs.put(held.spec)
            return
        else:
            fault = RuntimeError(f"the worker died {_DEATHS} times in this trial")
        await self._results.put((held.spec.key, failed(TrialResult(started=held.start), fault)))

    async def lose(self, nodes: list[str]) -> None:
        """Have trials run again whose nodes are gone; their workers may never come back to say so."""
        for worker in [worker for worker, held in self._held.items() if held.node in nodes]:
            await self._bury(worker)

    async def post(self, worker: str, key: str, result: TrialResult) -> bool:
        """Hand over a result; returns whether to go on, which for a running trial the search has to say."""
        if worker not in self._held or self._held[worker].spec.key != key:
            return False  # taken for dead: the trial is being run again
        if result.status != "running" or self._is_closed:
            self._held.pop(worker)
            await self._results.put((key, result))
            return False
        self._words[key] = asyncio.get_running_loop().create_future()
        await self._results.put((key, result))
        return await self._words[key]

    async def answer(self, key: str, go_on: bool) -> None:
        """Tell the worker that waits at a rung with `key` whether to go on."""
        if not go_on:
            self._held = {worker: held for worker, held in self._held.items() if held.spec.key != key}
        self._words.pop(key).set_result(go_on)

    async def next_result(self) -> tuple[str, TrialResult]:
        """Wait for the next result."""
        return await self._results.get()

    async def close(self, workers: int) -> None:
        """End every worker: those that wait for a word or for a trial now, the others at their next rung."""
        self._is_closed = True
        for word in self._words.values():
            word.set_result(False)
        self._words.clear()
        while not self._specs.empty():
            self._specs.get_nowait()
        for _ in range(workers):
            self._specs.put_nowait(None)


@contextmanager
def _ending_after(timeout: float | None) -> Iterator[None]:
    """End this process where the block takes longer; whatever hangs in it, and whatever lock that holds."""
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
        with suppress(OSError):  # on another machine there may be no such folder
            os.chdir(folder)  # where the driver is: the user's own code and data may lie there
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
        workers: each takes one CPU and an equal share of the GPUs where the task uses them.
        timeout: seconds that a trial may take; then its worker is ended. None for any.
    """

    def __init__(self, task: Setting, workers: int, timeout: float | None = None) -> None:
        # Ray shows a worker the GPUs that are its own, so that any index but the first would miss.
        task = _with_first_device(task)
        self.slots = workers
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._mailbox = ray.remote(num_cpus=0, scheduling_strategy=here)(_Mailbox).remote(timeout)
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
            with ray_folder() as scratch:
                results = self._tuner(trainable, task, scratch).fit()
            if results.errors:
                self._ended_because = _in_brief(results.errors[0])
        except Exception as fault:  # told to the thread that waits for results, as WorkersLost
            self._ended_because = f"{type(fault).__name__}: {_in_brief(fault)}"

    def _tuner(self, trainable: Any, task: Setting, scratch: Path) -> tune.Tuner:
        return tune.Tuner(
            tune.with_resources(trainable, {"cpu": 1, "gpu": _gpu_share(task, self.slots)}),
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
        self._told(self._mailbox.submit.remote(spec))

    def _told(self, answer: Any) -> Any:
        """What the mailbox answers; raises `WorkersLost` where it is gone, as after a signal to all of Ray."""
        try:
            return ray.get(answer)
        except RayActorError as fault:
            raise self._workers_lost(_in_brief(fault)) from None

    def _workers_lost(self, why: str) -> WorkersLost:
        return WorkersLost(f"the Ray workers are gone ({why}); what has ended is kept: resume the run")

    def next_result(self) -> tuple[str, TrialResult]:
        if self._at_rung is not None:
            self._answer(True)
        coming = self._mailbox.next_result.remote()
        while not ray.wait([coming], timeout=1.0)[0]:
            if not self._thread.is_alive():
                raise self._workers_lost(self._ended_because)
            self._note_lost_nodes()
        key, result = self._told(coming)
        self._at_rung = key if result.status == "running" else None
        return key, with_room(result)

    def _note_lost_nodes(self) -> None:
        lost = {node["NodeID"] for node in ray.nodes() if not node["Alive"]} - self._lost
        if lost:
            self._lost |= lost
            self._told(self._mailbox.lose.remote(sorted(lost)))

    def cancel(self) -> None:
        self._answer(False)

    def _answer(self, go_on: bool) -> None:
        self._told(self._mailbox.answer.remote(self._at_rung, go_on))
        self._at_rung = None

    @uninterrupted()
    def close(self) -> None:
        with suppress(RayError):  # where Ray itself was ended, there is nothing to tell
            ray.get(self._mailbox.close.remote(self.slots), timeout=_TEAR_DOWN_SECONDS)
        self._thread.join(timeout=_TEAR_DOWN_SECONDS)


def _with_first_device(task: Any) -> Any:
    return replace(task, device=task.device.partition(":")[0])


def _in_brief(fault: BaseException) -> str:
    """The end of a traceback, without the page of statistics that Ray puts into it where memory runs out."""
    return textwrap.shorten((str(fault).strip().splitlines() or ["no reason given"])[-1], 200, placeholder=" …")


@contextmanager
def ray_running(workers: int, device: str, address: str | None = None) -> Iterator[None]:
    """Connect to the Ray cluster at `address`, or start a local Ray, for the length of the block. Where this process
    uses a Ray already, that is used and left as it is.

    Raises:
        OptionError: no cluster answers at `address`.
        DeviceError: `device` is a GPU and Ray sees none.
    """
    if ray.is_initialized():
        _check_gpu(device)
        yield
        return
    with ray_folder() as folder:
        try:
            if address is None:
                _start(workers, folder / "r")  # a short name: the paths of sockets may not be long
            else:
                _connect(address)
            _check_gpu(device)
            yield
        finally:
            with uninterrupted():
                ray.shutdown()


def _check_gpu(device: str) -> None:
    if device.startswith("cuda") and not ray.cluster_resources().get("GPU"):
        raise DeviceError(f"device {device!r} was asked for, but Ray sees no GPU; use --device cpu")


def _connect(address: str) -> None:
    try:
        _check_answers(address)
        job = None if "://" in address else _job()  # Ray's client has one of its own
        with sigterm_kept():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", job_config=job)
    except (OSError, RuntimeError, ValueError) as fault:
        raise OptionError(
            f"no Ray cluster answers at {shown(address)!r} ({without_secrets(first_line(fault), address)}); start one "
            "with: ray start --head"
        ) from None


def _check_answers(address: str) -> None:
    """Raise `OSError` where nothing listens at ``host:port``: Ray itself would go on trying for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition("@")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()


@uninterrupted()
def _start(workers: int, folder: Path) -> None:
    # A token of its own keeps other users of the machine out, and nothing has to be written to the home folder.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    with sigterm_kept(), _loopback():
        ray.init(
            address="local",  # not the cluster that somebody else has started on this machine
            num_cpus=workers,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            job_config=_job(),
            _temp_dir=str(folder),
        )


@contextmanager
def _loopback() -> Iterator[None]:
    """Have a Ray that starts in the block, with all its processes, listen on this machine alone."""
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False  # Ray was imported: it has read the variable
    os.environ[_BEYOND_LOOPBACK] = "0"
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        del os.environ[_BEYOND_LOOPBACK]


def _job() -> JobConfig:
    """Workers import from where the driver does. Ray of itself has them look into the working directory first."""
    own = tuple(sysconfig.get_paths()[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
    places = [os.path.abspath(place) for place in sys.path]
    # The last one is put first, and only what says that it comes from a client is left without that directory.
    return JobConfig(_client_job=True, _py_driver_sys_path=[p for p in reversed(places) if not p.startswith(own)])


def _gpu_share(task: Setting, workers: int) -> float:
    if not task.device.startswith("cuda"):
        return 0.0
    share = ray.cluster_resources().get("GPU", 0.0) / workers
    return float(int(share)) if share >= 1 else share
