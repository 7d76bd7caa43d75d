"""Candidates are trained on common seeds, and what was trained is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autoaug.errors import AllTrialsFailed
from autoaug.evaluation.confirmation import CandidatePolicy, confirmation_seeds, train_candidates
from autoaug.evaluation.scoring import Scoring, assess
from autoaug.evaluation.training_store import TrainingStore
from autoaug.policy.loading import load_policy
from autoaug.runs.callbacks import Logged
from autoaug.search.executors import TrialSpec
from autoaug.search.executors.inline import InlineExecutor
from autoaug.training.checkpoint import has_weights
from autoaug.training.metrics import Accuracy, metrics_of
from autoaug.training.result import TrialResult
from autoaug.training.tasks import Classification
from tests.tasks import small_task

SEEDS = [11, 12, 13, 14, 15]
LABELS = np.arange(400) % 4
SCORING = Scoring(Classification(4), Accuracy(), LABELS, LABELS)


def test_seeds_are_common_fresh_and_follow_from_the_run_seed() -> None:
    assert confirmation_seeds(0, 5) == confirmation_seeds(0, 8)[:5]
    assert len(set(confirmation_seeds(0, 8)) | set(confirmation_seeds(1, 8))) == 16


CANDIDATES = [CandidatePolicy(name, "baseline", load_policy(name)) for name in ("none", "flip-crop")]


class Counting(InlineExecutor):
    """Counts the trainings that are run."""

    runs = 0

    def submit(self, spec: TrialSpec) -> None:
        self.runs += 1
        super().submit(spec)


def store_in(folder: Path) -> TrainingStore:
    setting = small_task(test=True)
    assert setting.test is not None
    scoring = Scoring(setting.task, setting.metric, setting.validation.labels, setting.test.labels)
    return TrainingStore(folder, scoring, Logged())


def test_trainings_that_are_on_disk_are_not_run_again(tmp_path: Path) -> None:
    executor, store = Counting(small_task(test=True)), store_in(tmp_path)
    first = train_candidates(CANDIDATES, [1, 2], executor, store, Logged()).outcomes
    assert executor.runs == 4
    (tmp_path / f"{CANDIDATES[0].policy.fingerprint()}-2.npz").unlink()
    second = train_candidates(CANDIDATES, [1, 2], executor, store, Logged()).outcomes
    assert executor.runs == 5
    for key, training in first.items():
        np.testing.assert_array_equal(training.test_predictions, second[key].test_predictions)
        np.testing.assert_array_equal(training.test_statistics, second[key].test_statistics)
        assert list(second[key].test_measured) == list(metrics_of(store.scoring.task))
        for name, measured in training.test_measured.items():
            assert second[key].test_measured[name].value == measured.value
            np.testing.assert_array_equal(second[key].test_measured[name].influence, measured.influence)


def test_damaged_files_are_trained_again(tmp_path: Path) -> None:
    executor, store = Counting(small_task(test=True)), store_in(tmp_path)
    train_candidates(CANDIDATES[:1], [1], executor, store, Logged())
    (path,) = tmp_path.iterdir()
    with np.load(path) as file:
        whole = dict(file)
    for missing in whole.keys() - {name for name in whole if " " in name}:
        np.savez_compressed(path, **{name: value for name, value in whole.items() if name != missing})
        assert store.read(CANDIDATES[0].policy, 1) is None, missing
    for name, value in {
        "test_predictions": whole["test_predictions"].astype(np.int64),
        "validation_predictions": whole["validation_predictions"][:-1],
        "test_statistics": whole["test_statistics"] * np.nan,
        "validation_statistics": whole["validation_statistics"][1:],
        "seconds": np.float64("inf"),
        "measured kappa": whole["measured kappa"][1:],
    }.items():
        np.savez_compressed(path, **{**whole, name: value})
        assert store.read(CANDIDATES[0].policy, 1) is None, name


class Unlucky(Counting):
    """Trainings of the policy ``flip-crop`` fail, so many times."""

    failures = 0

    def next_result(self) -> tuple[str, TrialResult]:
        key, result = super().next_result()
        if result.status == "complete" and key.endswith("flip-crop") and self.failures:
            self.failures -= 1
            return key, replace(result, status="failed", score=float("nan"), reason="the worker died")
        return key, result


@pytest.mark.fault("trials", "a training of the confirmation fails once")
def test_a_training_that_fails_once_is_done_again(tmp_path: Path) -> None:
    executor = Unlucky(small_task(test=True))
    executor.failures = 1
    trained = train_candidates(CANDIDATES, [1, 2], executor, store_in(tmp_path), Logged())
    assert executor.runs == 5
    assert not trained.left_out
    assert set(trained.outcomes) == {(candidate.name, seed) for candidate in CANDIDATES for seed in (1, 2)}


@pytest.mark.fault("trials", "a training of the confirmation fails twice")
def test_a_candidate_that_fails_twice_is_left_out_and_the_rest_is_trained(tmp_path: Path) -> None:
    executor = Unlucky(small_task(test=True))
    executor.failures = 3
    trained = train_candidates(CANDIDATES, [1, 2], executor, store_in(tmp_path), Logged())
    assert trained.left_out == {"flip-crop": "seed 1: the worker died"}
    assert set(trained.outcomes) == {("none", 1), ("none", 2)}


@pytest.mark.fault("trials", "all trainings of the confirmation fail")
def test_where_all_fail_the_confirmation_ends_with_the_cause(tmp_path: Path) -> None:
    executor = InlineExecutor(replace(small_task(test=True), model="tests.training.test_trial:failing"))
    with pytest.raises(AllTrialsFailed, match=r"'none' failed in confirmation, seed 1: RuntimeError.*autoaug resume"):
        train_candidates(CANDIDATES, [1], executor, store_in(tmp_path), Logged())


def test_the_training_for_the_weights_is_tried_twice_too(tmp_path: Path) -> None:
    executor, store = Unlucky(small_task(test=True)), store_in(tmp_path)
    trainings = train_candidates(CANDIDATES, [1], executor, store, Logged()).outcomes
    candidate = assess(CANDIDATES[1], trainings, [1], store.scoring)
    executor.failures = 1
    store.keep_weights(candidate, executor, tmp_path / "model.safetensors")
    assert has_weights(tmp_path / "model.safetensors", candidate.policy, 1)
    assert executor.runs == 4
    executor.failures = 2
    with pytest.raises(AllTrialsFailed, match=r"'flip-crop' failed in confirmation, seed 1: the worker died; autoaug"):
        store.keep_weights(candidate, executor, tmp_path / "other.safetensors")
