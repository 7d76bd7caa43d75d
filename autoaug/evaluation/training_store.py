"""The trainings of a confirmation as files, an ``.npz`` each, and the weights that are kept of some."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoaug.errors import AllTrialsFailed, first_line
from autoaug.evaluation.confirmation import failure
from autoaug.evaluation.scoring import ConfirmedTraining, Scoring
from autoaug.policy.models import Policy
from autoaug.results import Candidate
from autoaug.search.executors import Executor, TrialSpec, run_all
from autoaug.search.progress import Progress
from autoaug.training.checkpoint import has_weights
from autoaug.training.result import TrialResult
from autoaug.training.trial import Train
from autoaug.utils.files import write_whole


@dataclass(frozen=True)
class TrainingStore:
    """A folder of trainings; see `Store`.

    Args:
        folder: of the files.
        scoring: which tells what a whole file has, and what follows from the predictions in an older one.
        progress: told of damaged files.
        kept: the seed whose weights are wanted; None for none.
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
            with np.load(path, allow_pickle=False) as file:
                training = _training(dict(file), self.scoring)
            _check(training, self.scoring, seed)
        except Exception as fault:  # zipfile, zlib, NumPy and the header's parser each have their own
            self.progress.warn(f"{path} is damaged ({first_line(fault)}): trained again")
            return None
        return training

    def keep(self, policy: Policy, seed: int, result: TrialResult) -> ConfirmedTraining:
        if result.weights is not None:  # before the predictions, with which the training counts as done
            write_whole(self._weights(policy, seed), result.weights)
        training = ConfirmedTraining.of(result, self.scoring.rows(seed))
        content = io.BytesIO()
        np.savez_compressed(content, **vars(training))
        write_whole(self._path(policy, seed), content.getvalue())
        return training

    def keep_weights(self, returned: Candidate, executor: Executor, model: Path) -> None:
        """Bring the weights of a candidate's first training to the file `model`. Where an interruption, or an older
        version, left none, that training is run again.

        Raises:
            AllTrialsFailed: it failed, with the cause.
        """
        policy, seed = returned.policy, returned.seeds[0]
        if has_weights(model, policy, seed):
            return
        kept = self._weights(policy, seed)
        if not has_weights(kept, policy, seed):
            self.progress.warn(f"training {returned.name} once more: its weights are not there")
            spec = TrialSpec(kept.name, Train(policy, keeps_weights=True), seed)
            for _, result in run_all(executor, [spec]):
                if cause := failure(result):
                    raise AllTrialsFailed(
                        f"{returned.name!r} failed in confirmation, seed {seed}: {cause}; {self.cure}"
                    )
                assert result.weights is not None
                write_whole(kept, result.weights)
        kept.replace(model)

    def _path(self, policy: Policy, seed: int) -> Path:
        return self.folder / f"{policy.fingerprint()}-{seed}.npz"

    def _weights(self, policy: Policy, seed: int) -> Path:
        return self._path(policy, seed).with_suffix(".safetensors")


def drop_weights(folder: Path) -> None:
    """Remove the weights that nobody asked for, and what a crash left half-written: once the run is whole."""
    for path in (*folder.glob("*.safetensors"), *folder.glob(".*.unfinished")):
        path.unlink()


def _training(noted: dict[str, np.ndarray], scoring: Scoring) -> ConfirmedTraining:
    """What stands in a file. Older ones have no statistics: they follow from the predictions; and no rows: they are of
    the whole test split.
    """
    both = noted["validation_predictions"], noted["test_predictions"]
    seconds = noted["seconds"].item()
    if "validation_statistics" not in noted:
        _check_predictions(*both, scoring, len(scoring.test_labels))
        return scoring.training(*both, seconds)
    rows = noted.get("test_rows", np.arange(len(scoring.test_labels)))
    return ConfirmedTraining(*both, seconds, noted["validation_statistics"], noted["test_statistics"], rows)


def _check_predictions(validation: np.ndarray, test: np.ndarray, scoring: Scoring, tested: int) -> None:
    """Raise `ValueError` where they are not of the validation split, and of so many samples that are `tested`."""
    both, sizes = (validation, test), (len(scoring.validation_labels), tested)
    if scoring.task.classes and any(found.dtype != np.uint16 or found.ndim != 1 for found in both):
        raise ValueError("its predictions are no list of classes")
    if (len(validation), len(test)) != sizes:
        raise ValueError(f"it has {len(validation)} and {len(test)} predictions, not {sizes[0]} and {sizes[1]}")


def _check(training: ConfirmedTraining, scoring: Scoring, seed: int) -> None:
    """Raise `ValueError` where that is not what a training with that seed leaves behind."""
    rows = scoring.rows(seed)
    _check_predictions(training.validation_predictions, training.test_predictions, scoring, len(rows))
    if not np.array_equal(training.test_rows, rows):
        raise ValueError("it was tested on other samples")
    both = training.validation_statistics, training.test_statistics
    if any(found.dtype.kind != "f" or found.ndim != 2 or not np.isfinite(found).all() for found in both):
        raise ValueError("its statistics are no table of numbers")
    if tuple(map(len, both)) != (len(training.validation_predictions), len(training.test_predictions)):
        raise ValueError(f"it has statistics of {len(both[0])} and {len(both[1])} samples")
    if not isinstance(training.seconds, float) or not 0 <= training.seconds < math.inf:
        raise ValueError(f"it took {training.seconds} seconds")
