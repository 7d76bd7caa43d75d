"""All executors give the same study, and survive interruptions and crashes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from autoaug.errors import OptionError
from autoaug.policy.loading import load_policy
from autoaug.results import TrialSummary
from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.executors import EXECUTORS, Executor, TrialSpec, executors
from autoaug.search.executors.inline import InlineExecutor
from autoaug.search.loop import run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import get_strategy
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import summary
from autoaug.training.result import TrialResult
from autoaug.training.setting import TrainingSetting
from autoaug.training.trial import Train
from tests.tasks import small_task

TRIALS = 7


def search_with(name: str, path: Path) -> SearchStudy:
    """A small search with one worker."""
    space, task = load_space("light"), small_task(epochs=2)
    study = SearchStudy(path, space, get_strategy("tpe"), seed=3)
    baselines = {name: load_policy(name) for name in ("none", "flip-crop")}
    with executors(name, 1, "cpu", None) as open_executor, open_executor(task) as executor:
        run_search(study, executor, Budget(policies=TRIALS), task.full_length_passes(), baselines, Logged())
    return study


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SearchStudy]:
    folder = tmp_path_factory.mktemp("studies")
    return {name: search_with(name, folder / f"{name}.db") for name in EXECUTORS}


@pytest.mark.parametrize("name", EXECUTORS)
@pytest.mark.fault("determinism", "the same search under every executor")
def test_study_states_are_the_same_under_every_executor(name: str, studies: dict[str, SearchStudy]) -> None:
    def states(study: SearchStudy) -> list[object]:
        return [(s.number, s.name, s.status, s.score, s.curve, s.sample_passes) for s in map(summary, study.ended())]

    assert states(studies[name]) == states(studies["inline"])
    assert len(states(studies[name])) == 2 + TRIALS, "two baselines"


@pytest.mark.slow
@pytest.mark.fault("load", "a cluster of two nodes")
def test_a_cluster_of_two_nodes_runs_trials_and_is_left_running(tmp_path: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        space, task = load_space("light"), small_task(epochs=2)
        study = SearchStudy(tmp_path / "study.db", space, get_strategy("random"), seed=0)
        with executors("ray-tune", 2, "cpu", cluster.address) as open_executor, open_executor(task) as executor:
            run_search(study, executor, Budget(policies=6), task.full_length_passes(), {}, Logged())
        assert len(study.ended()) == 6
        assert len(cluster.list_all_nodes()) == 2

        with executors("ray-tune", 2, "cpu", None):  # a Ray of our own, though another runs on this machine
            assert ray.cluster_resources()["CPU"] == 2
            assert ray.get_runtime_context().gcs_address != cluster.address
    finally:
        cluster.shutdown()


@pytest.mark.slow
@pytest.mark.fault("security", "Ray listens on loopback, and runs nothing of the working directory")
def test_a_ray_of_our_own_is_for_us_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It listens on loopback, its folder is private and gone in the end, SIGTERM does what it did, and of the working
    directory nothing is imported but what the user names.
    """
    monkeypatch.chdir(tmp_path)
    for name in ("sitecustomize", "array", "colorsys"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n")
    (tmp_path / "own_net.py").write_text(
        "import array, colorsys, torch\nfrom beside_net import WIDTH\ndef build(channels, classes):\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(channels * WIDTH, classes))\n"
    )
    (tmp_path / "beside_net.py").write_text("WIDTH = 144\n")
    before, children = signal.getsignal(signal.SIGTERM), psutil.Process().children
    task = replace(small_task(epochs=1), model="own_net:build")
    with executors("ray-tune", 1, "cpu", None) as open_executor, open_executor(task) as executor:
        assert signal.getsignal(signal.SIGTERM) is before
        assert results(executor, ["only"])["only"].status == "complete"
        ours = {process.pid for process in [psutil.Process(), *children(recursive=True)]}
        places = {c.laddr.ip for c in psutil.net_connections("inet") if c.pid in ours and c.status == "LISTEN"}
        assert places
        assert places <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
        private = Path(ray_folder()).parent.parent
        assert private.name.startswith("autoaug-tune-")
        assert private.stat().st_mode & 0o077 == 0
    assert not private.exists()
    assert not (tmp_path / "ran").exists()


def ray_folder() -> str:
    """The folder of the session of the Ray that this process uses."""
    import ray

    return str(ray._private.worker._global_node.get_session_dir_path())


@pytest.mark.slow
@pytest.mark.fault("driver", "no Ray cluster answers")
def test_where_no_cluster_answers_one_line_says_so() -> None:
    with (
        pytest.raises(OptionError, match=r"no Ray cluster answers at '127.0.0.1:1'"),
        executors("ray-tune", 2, "cpu", "127.0.0.1:1"),
    ):
        pass


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that stands, and tells the networks below what to do; workers inherit the variable that says where."""
    monkeypatch.setenv("AUTOAUG_TEST_MARKER", str(tmp_path / "marker"))
    _marker().touch()
    return _marker()


def _marker() -> Path:
    return Path(os.environ["AUTOAUG_TEST_MARKER"])


def _linear(channels: int, classes: int) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(channels * 144, classes))


def deadly_once(channels: int, classes: int) -> torch.nn.Module:
    """A network that ends its process where the marker stands, once."""
    if _marker().exists():
        _marker().unlink()
        os._exit(1)
    return _linear(channels, classes)


def deadly(channels: int, classes: int) -> torch.nn.Module:
    """A network that always ends its process."""
    os._exit(1)


def hanging(channels: int, classes: int) -> torch.nn.Module:
    """A network that is never made where the marker stands."""
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
@pytest.mark.usefixtures("marker")
@pytest.mark.fault("trials", "a worker that dies once")
def test_the_trial_of_a_worker_that_dies_is_run_again() -> None:
    with (
        executors("ray-tune", 1, "cpu", None) as open_executor,
        open_executor(of_own("deadly_once")) as executor,
    ):
        by_key = results(executor, ["first", "second"])
    assert {result.status for result in by_key.values()} == {"complete"}


@pytest.mark.slow
@pytest.mark.fault("trials", "a worker that dies again and again")
def test_a_trial_that_kills_its_worker_twice_has_failed() -> None:
    with executors("ray-tune", 1, "cpu", None) as open_executor, open_executor(of_own("deadly")) as executor:
        by_key = results(executor, ["only"])
    assert by_key["only"].status == "failed"
    assert "the worker died 2 times" in by_key["only"].reason


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n != "inline" else n for n in EXECUTORS])
@pytest.mark.fault("trials", "a trial that hangs")
def test_a_trial_that_hangs_is_given_up_and_the_next_one_runs(name: str, marker: Path) -> None:
    (usual,) = results(InlineExecutor(of_own("_linear")), ["usual"]).values()
    start = {"inline": 5, "ray-tune": 60}[name]  # a new worker imports all this within the next trial
    limit = start + 20 * usual.seconds  # which keeps it on a busy machine, too
    with (
        executors(name, 1, "cpu", None, trial_timeout=limit) as open_executor,
        open_executor(of_own("hanging")) as executor,
    ):
        hung = results(executor, ["first"])["first"]
        marker.unlink()
        following = results(executor, ["second"])["second"]
    assert hung.status == "failed"
    assert f"longer than --trial-timeout, {limit:g} s" in hung.reason
    assert following.status == "complete"


@pytest.mark.slow
@pytest.mark.fault("driver", "a Ray node that is lost")
def test_a_node_that_is_killed_in_mid_trial_loses_none_and_none_is_told_twice(tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        doomed = cluster.add_node(num_cpus=1)
        space, task = load_space("light"), small_task(epochs=100)
        study = SearchStudy(tmp_path / "study.db", space, get_strategy("random"), seed=0)
        progress = Killing(lambda: cluster.remove_node(doomed, allow_graceful=False))
        with executors("ray-tune", 2, "cpu", cluster.address) as open_executor, open_executor(task) as executor:
            run_search(study, executor, Budget(policies=8), task.full_length_passes(), {}, progress)
        ended = [summary(trial) for trial in study.ended()]
        assert [trial.number for trial in ended] == list(range(8))
        assert {trial.status for trial in ended} <= {"complete", "pruned"}
        assert sorted(progress.observed) == list(range(8))
    finally:
        cluster.shutdown()


class Killing(Logged):
    """Kills something when the second trial has ended, while others run, and notes who was told."""

    def __init__(self, kill: Callable[[], object]) -> None:
        self.kill = kill
        self.observed: list[int] = []

    def trial_ended(self, trial: TrialSummary, *_: object) -> None:  # type: ignore[override]
        self.observed.append(trial.number)
        if len(self.observed) == 2:
            self.kill()
