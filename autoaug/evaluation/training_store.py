"""The trainings of a confirmation as files, one ``.npz`` each, and the weights of some."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autoaug.errors import first_line
from autoaug.evaluation.confirmation import CandidatePolicy, train_candidates
from autoaug.evaluation.scoring import ConfirmedTraining, Scoring
from autoaug.policy.models import Policy
from autoaug.results import Candidate
from autoaug.search.executors import Executor
from autoaug.search.progress import Progress
from autoaug.training.checkpoint import has_weights
from autoaug.training.metrics import Measured
from autoaug.training.result import TrialResult
from autoaug.training.trial import Train
from autoaug.utils.files import write_atomically
from autoaug.utils.npz import read_arrays

#: Before the name of a metric: its array in a file, with the influence of each test sample and then the value.
_MEASURED = "measured "


@dataclass(frozen=True)
class TrainingStore:
    """A folder of trainings; see `Store`.

    Args:
        folder: the folder.
        scoring: how the trainings are scored. Files are checked against it.
        progress: is notified of damaged files.
        kept: the seed whose weights are kept; None for none.
        cure: what to do if a training failed, for messages.
    """

    folder: Path
    scoring: Scoring
    progress: Progress
    kept: int | None = None
    cure: str = "autoaug resume trains it again"

    def work(self, policy: Policy, seed: int) -> Train:
        return Train(policy, keeps_weights=seed == self.kept)

    def read(self, policy: Policy, seed: int) -> ConfirmedTraining | None:
        path = self._path(policy, seed)
        if not path.is_file():
            return None
        try:
            training = _training(read_arrays(path))
            _check(training, self.scoring, seed)
        except Exception as fault:  # zipfile, zlib, NumPy and its parser of headers raise many types
            self.progress.warn(f"{path} is damaged ({first_line(fault)}): trained again")
            return None
        return training

    def keep(self, policy: Policy, seed: int, result: TrialResult) -> ConfirmedTraining:
        if result.weights is not None:  # first, because the training counts as done once its predictions exist
            write_atomically(self._weights(policy, seed), result.weights)
        training = ConfirmedTraining.of(result, self.scoring.rows(seed))
        content = io.BytesIO()
        np.savez_compressed(content, **_arrays(training))
        write_atomically(self._path(policy, seed), content.getvalue())
        return training

    def keep_weights(self, returned: Candidate, executor: Executor, model: Path) -> None:
        """Move the weights of a candidate's first training to the file `model`. If an interruption left none,
        that training is run again.

        Raises:
            AllTrialsFailed: it failed twice, with the cause.
        """
        policy, seed = returned.policy, returned.seeds[0]
        if has_weights(model, policy, seed):
            return
        store = _WeightStore(self._weights(policy, seed), self.cure)
        if store.read(policy, seed) is None:
            self.progress.warn(f"training {returned.name} once more: its weights are not there")
        candidate_policy = CandidatePolicy(returned.name, returned.kind, policy, returned.trial)
        train_candidates([candidate_policy], [seed], executor, store, self.progress)
        store.path.replace(model)

    def _path(self, policy: Policy, seed: int) -> Path:
        return self.folder / f"{policy.fingerprint()}-{seed}.npz"

    def _weights(self, policy: Policy, seed: int) -> Path:
        return self._path(policy, seed).with_suffix(".safetensors")


@dataclass(frozen=True)
class _WeightStore:
    """The file with the weights of one training; see `Store`."""

    path: Path
    cure: str

    def work(self, policy: Policy, seed: int) -> Train:  # noqa: ARG002 (other stores use the seed)
        return Train(policy, keeps_weights=True)

    def read(self, policy: Policy, seed: int) -> Path | None:
        return self.path if has_weights(self.path, policy, seed) else None

    def keep(self, policy: Policy, seed: int, result: TrialResult) -> Path:  # noqa: ARG002 (other stores use them)
        assert result.weights is not None
        write_atomically(self.path, result.weights)
        return self.path


def drop_weights(folder: Path) -> None:
    """Remove weights that are not needed any more and unfinished files, once the run is complete."""
    for path in (*folder.glob("*.safetensors"), *folder.glob(".*.unfinished")):
        path.unlink()


def _arrays(training: ConfirmedTraining) -> dict[str, Any]:
    """The arrays and the number in the file of a training."""
    arrays = {name: value for name, value in vars(training).items() if name != "test_measured"}
    return arrays | {
        f"{_MEASURED}{name}": np.append(own.influence, own.value) for name, own in training.test_measured.items()
    }


def _training(stored: dict[str, np.ndarray]) -> ConfirmedTraining:
    """The training in a file; raises `KeyError` if an array is missing."""
    both = stored["validation_predictions"], stored["test_predictions"]
    statistics = stored["validation_statistics"], stored["test_statistics"]
    measured = {
        key.removeprefix(_MEASURED): Measured(float(array[-1]), array[:-1])
        for key, array in stored.items()
        if key.startswith(_MEASURED)
    }
    return ConfirmedTraining(*both, stored["seconds"].item(), *statistics, stored["test_rows"], measured)


def _check_predictions(validation: np.ndarray, test: np.ndarray, scoring: Scoring, validated: int, tested: int) -> None:
    """Raise `ValueError` unless there is a prediction for each of the `validated` and `tested` samples."""
    both, sizes = (validation, test), (validated, tested)
    if scoring.task.classes and any(array.dtype != np.uint16 or array.ndim != 1 for array in both):
        raise ValueError("its predictions are no list of classes")
    if (len(validation), len(test)) != sizes:
        raise ValueError(f"it has {len(validation)} and {len(test)} predictions, not {sizes[0]} and {sizes[1]}")


def _check(training: ConfirmedTraining, scoring: Scoring, seed: int) -> None:
    """Raise `ValueError` unless that can be the outcome of a training with that seed."""
    rows = scoring.rows(seed)
    _check_predictions(
        training.validation_predictions, training.test_predictions, scoring, scoring.validation_size(seed), len(rows)
    )
    if not np.array_equal(training.test_rows, rows):
        raise ValueError("it was tested on other samples")
    both = training.validation_statistics, training.test_statistics
    if any(array.dtype.kind != "f" or array.ndim != 2 or not np.isfinite(array).all() for array in both):
        raise ValueError("its statistics are no table of numbers")
    if tuple(map(len, both)) != (len(training.validation_predictions), len(training.test_predictions)):
        raise ValueError(f"it has statistics of {len(both[0])} and {len(both[1])} samples")
    if any(len(own.influence) != len(training.test_predictions) for own in training.test_measured.values()):
        raise ValueError("its metrics are of other samples")
    if not isinstance(training.seconds, float) or not 0 <= training.seconds < math.inf:
        raise ValueError(f"it took {training.seconds} seconds")
