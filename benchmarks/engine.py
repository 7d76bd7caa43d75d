"""The work of ``scripts/bench_engine``, which describes it."""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from autoaug.policy.loading import load_policy
from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.executors import Executor, TrialSpec, executors
from autoaug.search.loop import run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import STRATEGIES, get_strategy
from autoaug.search.study import SearchStudy
from autoaug.training.result import Rung, TrialResult
from benchmarks.command import names
from benchmarks.results import Results

#: Sample passes of one full training.
FULL = 3000


class Surrogate(Executor):
    """Answers a random waiting trial immediately, and records the time of each request."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.waiting: list[TrialSpec] = []
        self.times: list[float] = []
        self.draw = random.Random(0)

    def submit(self, spec: TrialSpec) -> None:
        self.waiting.append(spec)

    def next_result(self) -> tuple[str, TrialResult]:
        self.times.append(time.perf_counter())
        spec = self.waiting.pop(self.draw.randrange(len(self.waiting)))
        now, data_fraction = time.time(), getattr(spec.work, "data_fraction", 0.1)
        score = 0.5 + 0.1 * self.draw.random()
        passes = round(FULL * data_fraction)
        result = TrialResult(started=now, ended=now, status="complete", score=score, sample_passes=passes)
        return spec.key, replace(result, curve=(Rung(1, score),), probe_result={"policy": None})

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def driver(strategy: str, trials: int, slots: int) -> dict[str, float]:
    """Milliseconds per ask and tell, and the peak memory of this process."""
    space = load_space("standard")
    executor = Surrogate(slots)
    with tempfile.TemporaryDirectory() as folder:
        study = SearchStudy(Path(folder, "study.db"), space, get_strategy(strategy), seed=0)
        baselines = {name: load_policy(name) for name in space.baselines}
        run_search(study, executor, Budget(policies=trials), FULL, baselines, Logged())
        done = len(study.history().trials)
    steps = [1000 * (b - a) for a, b in zip(executor.times, executor.times[1:], strict=False)]
    tenth = max(1, len(steps) // 10)
    return {
        "trials": done,
        "first tenth, median ms": round(median(steps[:tenth]), 2),
        "last tenth, median ms": round(median(steps[-tenth:]), 2),
        "last tenth, 95 % ms": round(sorted(steps[-tenth:])[int(0.95 * tenth)], 2),
        "peak memory, GiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def driver_alone(strategy: str, trials: int, slots: int) -> dict[str, float]:
    """Run `driver` in a process of its own, so that its memory is measured alone."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(driver, strategy, trials, slots).result()


@dataclass(frozen=True)
class Sleep:
    """Work that takes a known number of seconds."""

    seconds: float

    def run(self, task: object, seed: int) -> Iterator[TrialResult]:  # noqa: ARG002 (as all work)
        """Sleep, then return a completed trial."""
        started = time.time()
        time.sleep(self.seconds)
        yield TrialResult(started=started, ended=time.time(), status="complete", score=0.5, sample_passes=1)


@dataclass(frozen=True)
class Nothing:
    """The empty task of such work."""

    device: str = "cpu"

    def warm_up(self) -> None:
        """Do nothing."""

    def computing(self) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return nullcontext()


@dataclass(frozen=True)
class Holding(Nothing):
    """A task that has data in memory."""

    data: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))


@dataclass(frozen=True)
class Read:
    """Work that reads all data of its task."""

    def run(self, task: Holding, seed: int) -> Iterator[TrialResult]:  # noqa: ARG002 (as all work)
        """Read, then return a completed trial."""
        started, total = time.time(), int(task.data.sum())
        time.sleep(2)
        yield TrialResult(started=started, ended=time.time(), status="complete", score=float(total == 0))


def memory(workers: int, mebibytes: int = 256) -> dict[str, float]:
    """What Ray's object store holds, and what each worker has for itself, if the data of a task take so much."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    task, before = Holding(data=np.zeros(mebibytes * 2**20, np.uint8)), psutil.virtual_memory().shared
    with executors("ray-tune", workers, "cpu", None) as open_executor, open_executor(task) as executor:
        for i in range(2 * workers):
            executor.submit(TrialSpec(str(i), Read(), 0))
        for _ in range(2 * workers):
            executor.next_result()
        stored = psutil.virtual_memory().shared - before  # the store is in shared memory
        family = psutil.Process().children(recursive=True)
        own = max(process.memory_full_info().uss for process in family if process.name().startswith("ray::"))
    return {
        "workers": workers,
        "data, MiB": mebibytes,
        "object store, MiB": round(stored / 2**20),
        "own memory of a worker, at most, MiB": round(own / 2**20),
    }


def ray(seconds: float, trials: int, workers: int = 2) -> dict[str, float]:
    """The overhead of a trial that takes `seconds`, once the workers are running."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this package
    with executors("ray-tune", workers, "cpu", None) as open_executor, open_executor(Nothing()) as executor:
        for i in range(2 * workers):  # start the workers
            executor.submit(TrialSpec(f"first {i}", Sleep(0.5), 0))
        for _ in range(2 * workers):
            executor.next_result()
        begun, submitted = time.perf_counter(), 0
        for done in range(trials):
            while submitted < min(trials, done + workers):
                executor.submit(TrialSpec(str(submitted), Sleep(seconds), 0))
                submitted += 1
            executor.next_result()
        wall = time.perf_counter() - begun
    return {
        "trials": trials,
        "seconds each": seconds,
        "overhead a trial, s": round(wall * workers / trials - seconds, 4),
        "overhead_fraction": round(1 - trials * seconds / (workers * wall), 4),
    }


def main(options: argparse.Namespace) -> None:
    """Run the missing measurements."""
    results = Results(options.out, vars(options), fixed=("trials", "slots", "ray_trials"))
    results.items.setdefault("machine", f"{platform.machine()}, Python {platform.python_version()}")
    drivers = results.items.setdefault("driver", {})
    for strategy in names(options.strategies, STRATEGIES, "strategy"):
        if results.once(drivers, strategy, partial(driver_alone, strategy, options.trials, options.slots)):
            print(strategy, drivers[strategy], flush=True)
    trivial, long = options.ray_trials, max(1, options.ray_trials // 8)
    if results.once(results.items, "ray", lambda: [ray(0.0, trivial), ray(5.0, long)]):
        print(results.items["ray"], flush=True)
    if results.once(results.items, "memory", lambda: [memory(1), memory(2), memory(4)]):
        print(results.items["memory"], flush=True)
