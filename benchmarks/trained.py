"""A training at full length and its accuracy on the test split, for the benchmarks of generated data."""

from __future__ import annotations

from autoaug.data.loading import check_data
from autoaug.data.splits import DataSet
from autoaug.policy.models import Policy
from autoaug.training.recipe import default_recipe
from autoaug.training.trial import Task, run_trial
from autoaug.utils.seeds import derive_seed


def task_on(data: str) -> tuple[DataSet, Task]:
    """The data at that path, and the task of training on them with the recipe that a search would take."""
    _, data_set = check_data(data, 2**33, None, ("leak", "conflict"), 0)
    recipe = default_recipe(len(data_set.train))
    task = Task(len(data_set.classes), data_set.train, data_set.validation, data_set.test, "auto", recipe, "cpu")
    return data_set, task


def test_accuracy(policy: Policy, task: Task, seed: int) -> float:
    """The accuracy in [0, 1] of a training with that seed; raises `RuntimeError` where it fails."""
    *_, last = run_trial(policy, task, derive_seed(seed, "bench_generated"))
    if last.test_predictions is None or task.test is None:
        raise RuntimeError(last.reason)
    return float((last.test_predictions == task.test.labels).mean())
