"""A cluster whose nodes die one after another: every trial ends once, and the search goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoaug.results import TrialSummary
from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.executors import executors
from autoaug.search.loop import run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import get_strategy
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import summary
from tests.tasks import small_task


class Dying(Logged):
    """Replaces the oldest node of a cluster now and then, and notes which trials were told."""

    def __init__(self, cluster: Any, nodes: list[Any], deaths: int, every: float) -> None:
        self.cluster, self.nodes, self.left, self.every = cluster, nodes, deaths, every
        self.next = time.monotonic() + every
        self.told: list[int] = []

    def trial_ended(self, trial: TrialSummary, *_: object) -> None:  # type: ignore[override]
        self.told.append(trial.number)
        if self.left and time.monotonic() > self.next:
            self.cluster.remove_node(self.nodes.pop(0), allow_graceful=False)
            self.nodes.append(self.cluster.add_node(num_cpus=1))
            self.left, self.next = self.left - 1, time.monotonic() + self.every


@pytest.mark.slow
@pytest.mark.fault("load", "a cluster of eight nodes, one of which dies each minute")
def test_a_search_outlives_one_node_after_another(
    tmp_path: Path, amount: Callable[..., int], record_property: Callable[[str, object], None]
) -> None:
    from ray.cluster_utils import Cluster

    count, deaths, seconds = amount("nodes", 0, 8), amount("deaths", 0, 10), amount("seconds apart", 0, 60)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(count - 1)]
        budget = Budget(seconds=(deaths + 1) * seconds)
        study = SearchStudy(tmp_path / "study.db", load_space("light"), get_strategy("random"), seed=0)
        dying, task = Dying(cluster, nodes, deaths, seconds), small_task(epochs=20)
        with executors("ray-tune", count, "cpu", cluster.address) as open_executor, open_executor(task) as executor:
            run_search(study, executor, budget, task.full_length_passes(), {}, dying)
        ended = [summary(trial) for trial in study.ended()]
        record_property("trials", len(ended))
        assert dying.left == 0, "trials were too long"
        assert [trial.number for trial in ended] == list(range(len(ended)))
        assert {trial.status for trial in ended} <= {"complete", "pruned"}
        assert sorted(dying.told) == list(range(len(ended)))
    finally:
        cluster.shutdown()
