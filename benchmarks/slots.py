"""The work of ``scripts/bench_slots``, which describes it."""

from __future__ import annotations

import argparse
import heapq
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.executors.base import Executor, TrialSpec
from autoaug.search.loop import run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import STRATEGIES
from autoaug.search.study import SearchStudy
from autoaug.training.result import TrialResult
from autoaug.training.trial import carry_out
from autoaug.utils.seeds import derive_seed
from benchmarks.command import names
from benchmarks.page import Section, Table, write_page
from benchmarks.results import Results
from benchmarks.strategies import NEED_FLAT
from benchmarks.table_file import TableFile
from benchmarks.worlds import Replayed, World, fits_of

#: How much the lengths of trials vary: the standard deviation of their logarithm.
_SPREAD = 0.3


class SimulatedSlots(Executor):
    """Trials whose results are known at once and given when their time has come. Time is simulated: it goes on by the
    trials' lengths, and by the CPU time that this process really takes between two calls.

    Args:
        world: what answers the trials.
        slots: how many run at a time.
        seconds: the mean length of a trial of full length.

    Attributes:
        now: the simulated time, in seconds since the start.
        busy: the sum of the lengths of all trials.
        own: the CPU time of everything but trials, which is the driver's.
    """

    def __init__(self, world: World, slots: int, seconds: float) -> None:
        self.slots, self.now, self.busy, self.own = slots, 0.0, 0.0, 0.0
        self._world, self._seconds = world, seconds
        self._running: list[tuple[float, str, TrialResult]] = []
        self._left_at = time.process_time()

    def submit(self, spec: TrialSpec) -> None:
        self._driver_was_busy()
        (result,) = carry_out(spec.work, self._world, spec.seed)
        share = result.sample_passes / self._world.full_length
        length = self._seconds * share * np.random.default_rng(spec.seed).lognormal(-(_SPREAD**2) / 2, _SPREAD)
        self.busy += length
        heapq.heappush(self._running, (self.now + length, spec.key, result))
        self._left_at = time.process_time()

    def next_result(self) -> tuple[str, TrialResult]:
        self._driver_was_busy()
        end, key, result = heapq.heappop(self._running)
        self.now = max(self.now, end)
        return key, result

    def _driver_was_busy(self) -> None:
        passed = time.process_time() - self._left_at
        self.now, self.own, self._left_at = self.now + passed, self.own + passed, self._left_at + passed

    def cancel(self) -> None:
        raise AssertionError("no trial gives results before its end")

    def close(self) -> None:
        self._running.clear()


def simulated(world: World, strategy: str, options: argparse.Namespace, seconds: float) -> dict[str, float]:
    """A search on simulated slots, its study in a file: how much of the slots' time was used, in [0, 1]."""
    space = load_space("flat" if strategy in NEED_FLAT else "standard")
    slots = SimulatedSlots(world, options.slots, seconds)
    with tempfile.TemporaryDirectory() as scratch:
        study = SearchStudy(Path(scratch) / "study.db", space, STRATEGIES[strategy], seed=0)
        run_search(
            study,
            slots,
            Budget(policies=options.trials),
            world.full_length,
            {},
            Logged(),
            training=lambda request: Replayed(request.policy, request.data_fraction, request.start, request.stop),
        )
        trials = len(study.history().trials)
    return {
        "trials": trials,
        "simulated seconds": slots.now,
        "driver ms": 1000 * slots.own / trials,
        "slots busy": slots.busy / (slots.now * options.slots),
    }


def sections(items: Mapping[str, Mapping[str, float]]) -> Iterator[Section]:
    """One table, a row per search."""
    head = ("strategy", "a full trial takes, s", "trials", "driver per trial, ms", "minutes", "slots busy")
    rows = [
        [
            *key.split("/"),
            str(row["trials"]),
            f"{row['driver ms']:.0f}",
            f"{row['simulated seconds'] / 60:.1f}",
            f"{row['slots busy']:.0%}",
        ]
        for key, row in items.items()
    ]
    yield Section("", [Table("", head, rows)])


def main(options: argparse.Namespace) -> None:
    """Simulate the missing searches, and write the page."""
    able = [name for name, strategy in STRATEGIES.items() if not strategy.needs_data]
    strategies = names(options.strategies, able, "strategy that needs no data")
    results = Results(options.out, vars(options), fixed=("slots", "trials"))
    table = TableFile(options.table)
    fits = fits_of(table, options.set)
    assert fits is not None, options.set
    for strategy in strategies:
        for seconds in map(float, options.seconds.split(",")):
            world = World(fits, table.about["sets"][options.set]["full_length"], derive_seed(0, "world"))
            key = f"{strategy}/{seconds:g}"
            if results.once(results.items, key, lambda: simulated(world, strategy, options, seconds)):  # noqa: B023 (called at once)
                print(key, results.items[key], flush=True)
    words = f"A search on {options.slots} simulated slots, with the driver's real time."
    write_page(options.out.with_suffix(".html"), "Many slots", words, sections(results.items))
