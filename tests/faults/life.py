"""A small search, and the properties that it must have whatever interrupts it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from safetensors.torch import load_file

from autoaug.modalities.image.models import build
from autoaug.pipeline.configure import reopen
from autoaug.results import SearchResult, TrialSummary
from autoaug.runs.callbacks import Logged
from autoaug.runs.folder import RunFolder
from autoaug.training.inference import predict
from autoaug.training.tasks import Classification
from autoaug.utils.locks import LOCK

OPTIONS: dict[str, Any] = {"epochs": 1, "seeds": 2, "workers": 1, "model": "tests.faults.life:small"}
SEARCH: dict[str, Any] = {**OPTIONS, "space": "light", "strategy": "tpe", "trials": 4, "finalists": 1}


def small(channels: int, classes: int) -> Any:
    """A network that trains in no time."""
    import torch

    width = int(os.environ.get("TEST_WIDTH", "4"))
    pool = torch.nn.AdaptiveAvgPool2d(3)
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, width, 3),
        torch.nn.ReLU(),
        pool,
        torch.nn.Flatten(),
        torch.nn.Linear(9 * width, classes),
    )


class Stopping(Logged):
    """Interrupts when the trial of a number, or so many trainings, have ended."""

    def __init__(self, trial: int = -1, trainings: int = -1) -> None:
        self._trial, self._trainings = trial, trainings

    def trial_ended(self, trial: TrialSummary, *_: object) -> None:  # type: ignore[override]
        if trial.number == self._trial:
            raise KeyboardInterrupt

    def training_ended(self, _: str, done: int, *__: object) -> None:  # type: ignore[override]
        if done == self._trainings:
            raise KeyboardInterrupt


class Killed(BaseException):
    """As good as kill -9: nothing in the code catches it."""


def outcome(result: SearchResult) -> object:
    """All of a result that follows from the seed."""
    return result.sentence, result.returned, [c.model_copy(update={"seconds": 0.0}) for c in result.candidates]


def check_weights(result: SearchResult) -> None:
    """The weights are the returned policy's: they predict what its first training did, and no others are left."""
    folder, _, data, _ = reopen(result.run_dir, trust=True)
    config = RunFolder.open(folder.root)[1]
    candidate = result.returned_candidate
    blank = np.zeros(data.train.inputs.shape[0], np.float32)
    import torch

    mean = torch.from_numpy(blank)
    model = build(config.model, data.train.inputs.shape, len(data.classes), mean, mean, seed=0)
    model.load_state_dict(load_file(folder.model))
    task = Classification(len(data.classes))
    predictions = task.decide(predict(model, task, data.test, "cpu", "image"))
    name = f"{candidate.fingerprint}-{candidate.seeds[0]}.npz"
    with np.load(folder.confirmation / name) as file:
        np.testing.assert_array_equal(predictions, file["test_predictions"])
    left = [path for path in folder.root.rglob("*") if path.suffix in {".safetensors", ".unfinished"}]
    assert left == [folder.model]
    assert not folder.checkpoints.exists()
    assert not (folder.root / LOCK).exists()
