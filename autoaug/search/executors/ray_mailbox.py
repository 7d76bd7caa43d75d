"""The mailbox between the search and its workers, which runs as a Ray actor.

Trials and their results pass through it as bytes that it does not open. So its process loads no torch, and Ray is up
seconds earlier.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from autoaug.search.executors.base import timed_out
from autoaug.utils.clock import now

#: A trial whose worker dies is run again. If a worker dies in it this many times, the trial is at fault. Fewer would
#: blame trials where workers are killed often, as on preemptible nodes.
_DEATHS = 3
#: A worker that dies while it loads the setting says nothing about its trial. If this many do so in a row, the
#: setting is at fault, and with it every trial.
_DEATHS_LOADING = 5

#: What a worker may take to load a setting, besides the time limit of a trial, before it counts as hanging.
LOADING_SECONDS = 60.0


class _Held(NamedTuple):
    """A trial that a worker has taken, on which node, since when, and whether it has loaded the setting for it."""

    key: str
    spec: bytes
    node: str
    start: float
    is_loaded: bool = False


class Taken(NamedTuple):
    """A trial for a worker.

    Attributes:
        key: of the trial.
        spec: the trial, a pickled `TrialSpec`.
        number: of its setting.
        setting: a reference to the setting, in a list, so that it is passed on as it is.
    """

    key: str
    spec: bytes
    number: int
    setting: list[Any]


class Ended(NamedTuple):
    """Why a trial ended without a result, and when it had started."""

    fault: Exception
    start: float


class Mailbox:
    """Carries trials of one setting after another to workers, and results back.

    Args:
        timeout: seconds that a trial may take; None for no limit.
    """

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._number, self._setting = 0, list[Any]()
        self._specs: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._results: asyncio.Queue[tuple[str, bytes | Ended]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[bool]] = {}
        self._held: dict[str, _Held] = {}
        self._deaths: Counter[str] = Counter()
        self._deaths_loading = 0
        self._takes: Counter[str] = Counter()
        self._at_work: dict[str, Any] = {}
        self._lost = set[str]()
        self._is_closed = False

    async def begin(self, setting: list[Any]) -> None:
        """The next trials are of this setting."""
        await self.rest()
        self._number, self._setting = self._number + 1, setting

    async def submit(self, key: str, spec: bytes) -> None:
        """Queue a trial."""
        await self._specs.put((key, spec))

    async def take(self, worker: str, node: str, actor: Any = None) -> Taken | None:
        """The next trial for `worker`, which is the `actor`; None if there are no more. If the worker still holds a
        trial, it died in it and was restarted.
        """
        self._at_work.pop(worker, None)
        if worker in self._held:
            await self._bury(worker)
        if self._is_closed:
            return None
        self._takes[worker] += 1
        own = self._takes[worker]
        waiting = await self._specs.get()
        if own != self._takes[worker] or node in self._lost:  # it died while it waited
            await self._specs.put(waiting)
            return None
        if waiting is None:
            return None
        self._held[worker], self._at_work[worker] = _Held(*waiting, node, now()), actor
        return Taken(*waiting, self._number, self._setting)

    async def start(self, worker: str) -> None:
        """`worker` has the setting loaded, and starts the trial that it took."""
        self._deaths_loading = 0
        if worker in self._held:
            self._held[worker] = self._held[worker]._replace(start=now(), is_loaded=True)

    async def _bury(self, worker: str) -> None:
        """Requeue the trial of a dead worker; fail it if it took too long or workers have died too often."""
        held = self._held.pop(worker)
        if held.is_loaded:
            self._deaths[held.key] += 1
        else:
            self._deaths_loading += 1
        loading = 0.0 if held.is_loaded else LOADING_SECONDS
        if self._timeout is not None and now() - held.start >= self._timeout + loading:
            fault: Exception = timed_out(self._timeout)
        elif self._deaths[held.key] >= _DEATHS:
            fault = RuntimeError(f"the worker died {_DEATHS} times in this trial")
        elif self._deaths_loading >= _DEATHS_LOADING:
            fault = RuntimeError(f"workers died {_DEATHS_LOADING} times in a row while they loaded the data")
        else:
            await self._specs.put((held.key, held.spec))
            return
        await self._results.put((held.key, Ended(fault, held.start)))

    async def lose(self, nodes: list[str]) -> None:
        """Requeue the trials on nodes that are gone; their workers may never come back."""
        self._lost.update(nodes)
        for worker in [worker for worker, held in self._held.items() if held.node in nodes]:
            await self._bury(worker)

    async def post(self, worker: str, key: str, result: bytes, is_last: bool) -> bool:
        """Hand over a result, a pickled `TrialResult`; return whether to continue. At a rung, the search decides."""
        if worker not in self._held or self._held[worker].key != key:
            return False  # the worker was presumed dead, and the trial was requeued
        if is_last:
            self._held.pop(worker)
            await self._results.put((key, result))
            return False
        self._answers[key] = asyncio.get_running_loop().create_future()
        await self._results.put((key, result))
        return await self._answers[key]

    async def answer(self, key: str, go_on: bool) -> None:
        """Tell the worker that waits at a rung of trial `key` whether to continue. If it died there, the trial is
        queued, or has come to that rung again: nothing is left of one that is ended, and one answer is enough.
        """
        if not go_on:
            self._held = {worker: held for worker, held in self._held.items() if held.key != key}
            _drop(self._specs, lambda spec: spec is not None and spec[0] == key)
        # Of one that goes on, the same rung again; that it ended is not for this answer.
        _drop(self._results, lambda found: found[0] == key and not (go_on and isinstance(found[1], Ended)))
        answer = self._answers.pop(key, None)
        if answer is not None:
            answer.set_result(go_on)

    async def next_result(self) -> tuple[str, bytes | Ended]:
        """Wait for the next result."""
        return await self._results.get()

    async def rest(self) -> None:
        """Drop all trials of the setting. Workers that wait for an answer are free at once, the others at their next
        rung.
        """
        for answer in self._answers.values():
            answer.set_result(False)
        for queue in (self._specs, self._results):
            while not queue.empty():
                queue.get_nowait()
        self._answers, self._held, self._deaths, self._setting = {}, {}, Counter(), []
        self._deaths_loading = 0

    async def close(self, workers: int) -> list[Any]:
        """Drop all trials, and end all workers. Returns the actors that are at work and would not end before."""
        self._is_closed = True
        await self.rest()
        for _ in range(workers):
            self._specs.put_nowait(None)
        return list(self._at_work.values())


def _drop(queue: asyncio.Queue[Any], is_dropped: Callable[[Any], bool]) -> None:
    """Take what is to be dropped out of a queue."""
    for waiting in [queue.get_nowait() for _ in range(queue.qsize())]:
        if not is_dropped(waiting):
            queue.put_nowait(waiting)
