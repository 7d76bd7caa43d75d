"""A training at full length and its accuracy on the test split, for the benches of generated data."""

from __future__ import annotations

from autoaug.data.loading import check_data
from autoaug.data.splits import DataSet
from autoaug.policy.models import Policy
from autoaug.training.recipe import default_recipe
from autoaug.training.trial import Task, run_trial
from autoaug.utils.seeds import derive_seed


def task_on(given: str) -> tuple[DataSet, Task]:
    """The data, and the task of training on it with the recipe that a search would take."""
    _, data = check_data(given, 2**33, None, ("leak", "conflict"), 0)
    recipe = default_recipe(len(data.train))
    return data, Task(len(data.classes), data.train, data.validation, data.test, "auto", recipe, "cpu")


def test_accuracy(policy: Policy, task: Task, seed: int) -> float:
    """Of a training with that seed: 0 to 1."""
    *_, last = run_trial(policy, task, derive_seed(seed, "bench_generated"))
    assert last.test_predictions is not None, last.reason
    return float((last.test_predictions == task.test.labels).mean())
