"""Ray clusters, and a Ray of our own beside one: trials run on all nodes, survive the loss of one, and stay private."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from autoaug.errors import OptionError
from autoaug.results import TrialSummary
from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.executors import executors
from autoaug.search.loop import run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import get_strategy
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import summary
from tests.conformance.test_executors import results
from tests.conftest import PATIENCE
from tests.tasks import small_task


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of one node. This process is not connected to it."""
    from ray.cluster_utils import Cluster

    # A node that is killed is given up when it has not answered five times; by default Ray asks every three seconds.
    often = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # else its workers give way to whatever tests run beside this one
        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": often}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        yield cluster
        cluster.shutdown()


@pytest.fixture
def second_node(cluster: Any) -> Iterator[Any]:
    """A second node of the cluster, while the test runs."""
    node = cluster.add_node(num_cpus=1)
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node, allow_graceful=False)


@pytest.mark.slow
@pytest.mark.usefixtures("second_node")
@pytest.mark.fault("load", "a cluster of two nodes")
def test_a_cluster_of_two_nodes_runs_trials_and_is_left_running(cluster: Any, tmp_path: Path) -> None:
    space, task = load_space("light"), small_task(epochs=2)
    study = SearchStudy(tmp_path / "study.db", space, get_strategy("random"), seed=0)
    with executors("ray-tune", 2, "cpu", cluster.address) as open_executor, open_executor(task) as executor:
        run_search(study, executor, Budget(policies=6), task.full_length_passes(), {}, Logged())
    assert len(study.ended()) == 6
    assert len(cluster.list_all_nodes()) == 2


@pytest.mark.slow
def test_three_workers_share_two_gpus(cluster: Any) -> None:
    """Of which Ray only counts what is reserved."""
    import ray

    node = cluster.add_node(num_cpus=3, num_gpus=2)
    try:
        with executors("ray-tune", 3, "cuda", cluster.address):
            until = time.monotonic() + PATIENCE
            while ray.available_resources().get("GPU") != 0.5:
                assert time.monotonic() < until, ray.available_resources()
                time.sleep(0.1)
    finally:
        cluster.remove_node(node)


@pytest.mark.slow
@pytest.mark.fault("security", "Ray listens on loopback, and runs nothing of the working directory")
def test_a_ray_of_our_own_is_for_us_alone(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no cluster that runs on this machine, it listens on loopback, its folder is private and gone in the end,
    SIGTERM does what it did, and of the working directory nothing is imported but what the user names.
    """
    import ray

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
    others = set(children(recursive=True))
    with executors("ray-tune", 1, "cpu", None) as open_executor, open_executor(task) as executor:
        assert ray.get_runtime_context().gcs_address != cluster.address
        assert signal.getsignal(signal.SIGTERM) is before
        assert results(executor, ["only"])["only"].status == "complete"
        ours = {process.pid for process in [psutil.Process(), *children(recursive=True)] if process not in others}
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


@pytest.mark.slow
@pytest.mark.fault("driver", "a Ray node that is lost")
def test_a_node_that_is_killed_in_mid_trial_loses_none_and_none_is_told_twice(
    cluster: Any, second_node: Any, tmp_path: Path
) -> None:
    space, task = load_space("light"), small_task(epochs=20)
    study = SearchStudy(tmp_path / "study.db", space, get_strategy("random"), seed=0)
    progress = Killing(lambda: cluster.remove_node(second_node, allow_graceful=False))
    with executors("ray-tune", 2, "cpu", cluster.address) as open_executor, open_executor(task) as executor:
        run_search(study, executor, Budget(policies=6), task.full_length_passes(), {}, progress)
    ended = [summary(trial) for trial in study.ended()]
    assert [trial.number for trial in ended] == list(range(6))
    assert {trial.status for trial in ended} <= {"complete", "pruned"}
    assert sorted(progress.observed) == list(range(6))


class Killing(Logged):
    """Kills something when the second trial has ended, while others run, and notes who was told."""

    def __init__(self, kill: Callable[[], object]) -> None:
        self.kill = kill
        self.observed: list[int] = []

    def trial_ended(self, trial: TrialSummary, *_: object) -> None:  # type: ignore[override]
        self.observed.append(trial.number)
        if len(self.observed) == 2:
            self.kill()
