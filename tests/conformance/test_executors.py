"""All executors give the same study, and survive interruptions and crashes."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from autoaug.policy.loading import load_policy
from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.executors import EXECUTORS, Executor, TrialSpec, executors, ray_mailbox
from autoaug.search.executors.ray_mailbox import Mailbox
from autoaug.search.loop import run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import get_strategy
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import summary
from autoaug.training.result import TrialResult
from autoaug.training.setting import TrainingSetting
from autoaug.training.trial import Train
from tests.conftest import PATIENCE
from tests.tasks import small_task

TRIALS = 7
MARKER = "AUTOAUG_TEST_MARKER"


@pytest.fixture(scope="module", autouse=True)
def marker_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where the marker below stands. Ray's workers inherit the variable from when it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MARKER, str(tmp_path_factory.mktemp("marker") / "marker"))
        yield


@pytest.fixture(scope="module")
def warm_ray(marker_place: None) -> Iterator[None]:
    """One Ray for all tests of this module: each has its own workers, and Ray takes several seconds to start."""
    from autoaug.search.executors.ray_cluster import ray_running

    with ray_running(1, "cpu"):
        yield


def search_with(name: str, path: Path) -> SearchStudy:
    """A small search with one worker."""
    space, task = load_space("light"), small_task(epochs=2)
    study = SearchStudy(path, space, get_strategy("tpe"), seed=3)
    baselines = {name: load_policy(name) for name in ("none", "flip-crop")}
    with executors(name, 1, "cpu", None) as open_executor, open_executor(task) as executor:
        run_search(study, executor, Budget(policies=TRIALS), task.full_length_passes(), baselines, Logged())
    return study


@pytest.fixture(scope="module")
def studies(warm_ray: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, SearchStudy]:
    folder = tmp_path_factory.mktemp("studies")
    return {name: search_with(name, folder / f"{name}.db") for name in EXECUTORS}


@pytest.mark.parametrize("name", EXECUTORS)
@pytest.mark.fault("determinism", "the same search under every executor")
def test_study_states_are_the_same_under_every_executor(name: str, studies: dict[str, SearchStudy]) -> None:
    def states(study: SearchStudy) -> list[object]:
        return [(s.number, s.name, s.status, s.score, s.curve, s.sample_passes) for s in map(summary, study.ended())]

    assert states(studies[name]) == states(studies["inline"])
    assert len(states(studies[name])) == 2 + TRIALS, "two baselines"


@pytest.fixture
def marker() -> Path:
    """A file that stands, and tells the networks below what to do."""
    _marker().touch()
    return _marker()


def _marker() -> Path:
    return Path(os.environ[MARKER])


def _linear(channels: int, classes: int) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(channels * 144, classes))


def deadly_once(channels: int, classes: int) -> torch.nn.Module:
    """A network that ends its process where the marker stands, once."""
    if _marker().exists():
        _marker().unlink()
        os._exit(1)
    return _linear(channels, classes)


def hanging(channels: int, classes: int) -> torch.nn.Module:
    """A network that is never made where the marker stands; a file beside it tells that one is waited for."""
    _marker().with_name("hangs").touch()
    while _marker().exists():
        time.sleep(0.05)
    return _linear(channels, classes)


def results(executor: Executor, keys: list[str]) -> dict[str, TrialResult]:
    """The final results of one training a key, run one after another."""
    by_key = {}
    for key in keys:
        executor.submit(TrialSpec(key, Train(load_policy("none")), 0))
    while len(by_key) < len(keys):
        key, result = executor.next_result()
        if result.status != "running":
            assert key not in by_key, "told twice"
            by_key[key] = result
    return by_key


def of_own(model: str) -> TrainingSetting:
    return replace(small_task(epochs=1), model=f"tests.conformance.test_executors:{model}")


@pytest.mark.slow
@pytest.mark.usefixtures("marker", "warm_ray")
@pytest.mark.fault("trials", "a worker that dies once")
def test_the_trial_of_a_worker_that_dies_is_run_again() -> None:
    with (
        executors("ray-tune", 1, "cpu", None) as open_executor,
        open_executor(of_own("deadly_once")) as executor,
    ):
        by_key = results(executor, ["first", "second"])
    assert {result.status for result in by_key.values()} == {"complete"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n != "inline" else n for n in EXECUTORS])
@pytest.mark.fault("trials", "a trial that hangs")
def test_a_trial_that_hangs_is_given_up_and_the_next_one_runs(
    name: str, marker: Path, request: pytest.FixtureRequest
) -> None:
    if name == "ray-tune":
        request.getfixturevalue("warm_ray")
    limit = 15.0  # many times what the second trial takes, also on a busy machine
    with (
        executors(name, 1, "cpu", None, trial_timeout=limit) as open_executor,
        open_executor(of_own("hanging")) as executor,
    ):
        hung = results(executor, ["first"])["first"]
        marker.unlink()
        following = results(executor, ["second"])["second"]
    assert hung.status == "failed"
    assert f"longer than --trial-timeout, {limit:g} s" in hung.reason
    assert following.status == "complete", following.reason


@pytest.mark.slow
@pytest.mark.usefixtures("warm_ray")
@pytest.mark.fault("driver", "interrupted while a trial hangs")
def test_closed_in_mid_trial_no_thread_uses_ray_any_more(marker: Path) -> None:
    """Ray ends the process without a word if one does after its end: a notebook, or a command before its last line."""
    hangs = marker.with_name("hangs")
    hangs.unlink(missing_ok=True)
    with executors("ray-tune", 1, "cpu", None) as open_executor, open_executor(of_own("hanging")) as executor:
        executor.submit(TrialSpec("only", Train(load_policy("none")), 0))
        while not hangs.exists():
            time.sleep(0.1)
    assert "ray-tune" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.slow
@pytest.mark.usefixtures("warm_ray")
def test_workers_have_the_priority_of_the_search() -> None:
    """What is timed before a search is what trials take, also on a busy machine."""
    import ray

    assert ray.get(ray.remote(lambda: os.nice(0)).remote()) == os.nice(0)


def test_the_mailbox_loads_no_torch() -> None:
    """Its process is up seconds earlier."""
    code = "import sys, autoaug.search.executors.ray_mailbox; print({'torch', 'sklearn', 'scipy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_only_workers_at_work_are_killed_when_all_end() -> None:
    """Tune gives an actor ten seconds to end, which one in a trial does not, and whose result would be dropped."""

    async def closed() -> list[Any]:
        mailbox = Mailbox(timeout=None)
        for key in ("first", "second"):
            await mailbox.submit(key, b"")
        await mailbox.take("busy", "node", "busy actor")
        await mailbox.take("idle", "node", "idle actor")
        await mailbox.rest()
        waiting = asyncio.create_task(mailbox.take("idle", "node", "idle actor"))
        await asyncio.sleep(0)
        at_work = await mailbox.close(2)
        assert await waiting is None
        return at_work

    assert asyncio.run(closed()) == ["busy actor"]


def test_the_time_limit_begins_when_the_task_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes long to load the task, and dies soon after, has not taken too long: its trial runs again."""
    seconds = 0.0
    monkeypatch.setattr(ray_mailbox, "now", lambda: seconds)

    async def deaths(loading: float, training: float | None) -> tuple[str, Any]:
        nonlocal seconds
        mailbox = Mailbox(timeout=5)
        await mailbox.submit("trial", b"")
        await mailbox.take("worker", "node")
        seconds += loading
        if training is not None:
            await mailbox.start("worker")
            seconds += training
        again = asyncio.create_task(mailbox.take("worker", "node"))  # restarted
        result = asyncio.create_task(mailbox.next_result())
        done, waiting = await asyncio.wait({again, result}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        return ("again" if again in done else "ended"), done.pop().result()

    assert asyncio.run(deaths(loading=60, training=1))[0] == "again"
    assert asyncio.run(deaths(loading=60, training=None))[0] == "again"
    for loading, training in ((60, 6), (66, None)):  # the latter hung while it loaded
        how, ended = asyncio.run(deaths(loading, training))
        assert how == "ended"
        assert "took longer than --trial-timeout, 5 s" in str(ended[1].fault)


@pytest.mark.fault("trials", "a worker that dies again and again")
def test_only_deaths_within_a_trial_count_against_it() -> None:
    """Whoever kills workers while they load the task says nothing about the trial that they hold."""

    async def outcome(deaths: str) -> str:
        """After these deaths of the worker that holds the trial: "l" while it loads the task, "t" in the trial."""
        mailbox = Mailbox(timeout=None)
        await mailbox.submit("trial", b"")
        taken = asyncio.create_task(mailbox.take("worker", "node"))
        for death in deaths:
            await asyncio.sleep(0)
            if death == "t":
                await mailbox.start("worker")
            taken = asyncio.create_task(mailbox.take("worker", "node"))  # restarted
        await asyncio.sleep(0)
        if taken.done():
            return "runs again"
        _, ended = await asyncio.wait_for(mailbox.next_result(), timeout=PATIENCE)
        assert isinstance(ended, ray_mailbox.Ended)
        return str(ended.fault)

    assert asyncio.run(outcome("tt")) == "runs again"
    assert asyncio.run(outcome("llll")) == "runs again"
    assert asyncio.run(outcome("llltlltl")) == "runs again"  # a worker that loaded the task shows that it can be loaded
    assert asyncio.run(outcome("tltt")) == "the worker died 3 times in this trial"
    assert asyncio.run(outcome("lllll")) == "workers died 5 times in a row while they loaded the data"


def test_a_worker_that_dies_while_it_waits_takes_no_trial_along() -> None:
    """Its call still stands in line, before the one that it makes when it is restarted; the trial was lost."""

    async def taken(*, is_lost: bool) -> list[str]:
        mailbox = Mailbox(timeout=None)
        calls = [asyncio.create_task(mailbox.take("worker", "node"))]
        await asyncio.sleep(0)
        if is_lost:
            await mailbox.lose(["node"])
        again = "other worker" if is_lost else "worker"
        for key in ("first", "second"):
            calls.append(asyncio.create_task(mailbox.take(again, "other node")))
            await asyncio.sleep(0)
            await mailbox.submit(key, b"")
            [call] = [call for call in calls[1:] if not call.done()]
            trial = await asyncio.wait_for(call, timeout=PATIENCE)
            assert trial is not None
            await mailbox.start(again)
            assert not await mailbox.post(again, trial.key, b"", is_last=True)
        return [(await mailbox.next_result())[0] for _ in range(2)]

    assert asyncio.run(taken(is_lost=False)) == ["first", "second"]
    assert asyncio.run(taken(is_lost=True)) == ["first", "second"]


def test_a_trial_may_come_to_a_rung_again_before_it_is_answered() -> None:
    """Its worker died there, while the search chose the next trial. The answer to the second rung found nobody."""

    async def scenario(*, goes_on: bool) -> list[str]:
        mailbox = Mailbox(timeout=None)
        await mailbox.submit("0", b"spec")
        calls = []
        for _ in range(2):
            await mailbox.take("worker", "node")
            calls.append(asyncio.create_task(mailbox.post("worker", "0", b"rung", is_last=False)))
            await asyncio.sleep(0)
        taken = [await mailbox.next_result()]
        await mailbox.answer("0", goes_on)
        assert await calls[-1] is goes_on
        if goes_on:
            await mailbox.post("worker", "0", b"end", is_last=True)
        await mailbox.submit("1", b"spec")
        await mailbox.take("worker", "node")
        await mailbox.post("worker", "1", b"end", is_last=True)
        while not mailbox._results.empty():
            taken.append(await mailbox.next_result())
        calls[0].cancel()
        return [f"{key} {result!r}" for key, result in taken]

    assert asyncio.run(scenario(goes_on=True)) == ["0 b'rung'", "0 b'end'", "1 b'end'"]
    assert asyncio.run(scenario(goes_on=False)) == ["0 b'rung'", "1 b'end'"]


def test_a_trial_that_is_ended_at_a_rung_where_its_worker_died_is_not_run_again() -> None:
    async def scenario() -> str:
        mailbox = Mailbox(timeout=None)
        await mailbox.submit("0", b"spec")
        await mailbox.take("worker", "node")
        call = asyncio.create_task(mailbox.post("worker", "0", b"rung", is_last=False))
        await mailbox.next_result()
        await mailbox.lose(["node"])
        await mailbox.answer("0", False)
        await mailbox.submit("1", b"spec")
        taken = await mailbox.take("other", "other node")
        assert taken is not None
        assert not await call
        return taken.key

    assert asyncio.run(scenario()) == "1"


def test_a_worker_loads_a_task_once_and_tells_when_each_of_its_trials_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the mailbox need not know what a worker had loaded before it died and was restarted."""
    from autoaug.search.executors import ray_workers

    started: list[str] = []
    monkeypatch.setattr(ray_workers.ray, "get", lambda answer: answer)
    monkeypatch.setattr(ray_workers._Worker, "trial_id", "worker")
    worker = ray_workers._Worker.__new__(ray_workers._Worker)
    worker._mailbox = SimpleNamespace(start=SimpleNamespace(remote=started.append))
    worker._setting = -1, None
    settings = [
        worker._setting_of(ray_mailbox.Taken("trial", b"", number, [of_own("_linear")])) for number in (1, 1, 2)
    ]
    assert started == ["worker"] * 3
    assert [setting is settings[0] for setting in settings] == [True, True, False]


def test_a_worker_is_limited_while_it_loads_the_task_and_anew_in_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    from autoaug.search.executors import ray_workers

    noted: list[object] = []

    @contextmanager
    def ending_after(timeout: float | None) -> Iterator[None]:
        noted.append(timeout)
        yield
        noted.append("in time")

    def loaded(_: object) -> TrainingSetting:
        noted.append("loaded")
        return of_own("_linear")

    monkeypatch.setattr(ray_workers, "_ending_after", ending_after)
    worker = ray_workers._Worker.__new__(ray_workers._Worker)
    worker._timeout, worker._setting_of = 5.0, loaded  # type: ignore[method-assign]
    spec = TrialSpec("trial", Train(load_policy("none")), 0)
    *_, result = worker._results(ray_mailbox.Taken("trial", pickle.dumps(spec), 0, []))
    assert result.status == "complete"
    assert noted == [65.0, "loaded", "in time", 5.0, "in time"]


@pytest.mark.slow
@pytest.mark.fault("trials", "a worker that hangs while it loads the task")
def test_a_worker_that_hangs_while_it_loads_the_task_is_ended() -> None:
    code = """
import time
from autoaug.search.executors import ray_workers
from autoaug.search.executors.ray_mailbox import Taken
ray_workers.LOADING_SECONDS = 0.2
worker = ray_workers._Worker.__new__(ray_workers._Worker)
worker._timeout, worker._setting_of = 0.2, lambda _: time.sleep(10_000)
print("loading", flush=True)
next(worker._results(Taken("trial", ray_workers.cloudpickle.dumps(None), 0, [])))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (1, "loading\n")
