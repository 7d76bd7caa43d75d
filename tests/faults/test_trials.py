"""Trials whose memory runs out, and metrics that break in mid-search."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from torch import nn

import autoaug
from autoaug import api
from autoaug.errors import AllTrialsFailed, OptionError
from autoaug.policy.loading import load_policy
from autoaug.runs.callbacks import Logged
from autoaug.search.executors import TrialSpec
from autoaug.search.executors.inline import InlineExecutor
from autoaug.training.result import TrialResult
from autoaug.training.trial import Train
from tests.conftest import write_npz
from tests.tasks import small_task

#: How many samples fit into the memory that the networks below have.
FITS = {"greedy": 16, "greediest": 0}
made: list[str] = []


class Greedy(nn.Module):
    """A network that trains on at most so many samples at a time."""

    def __init__(self, channels: int, classes: int, most: int) -> None:
        super().__init__()
        self.layers, self.most = nn.Sequential(nn.Flatten(), nn.Linear(144 * channels, classes)), most

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has 1 GiB.")
        return self.layers(x)


def greedy(channels: int, classes: int) -> nn.Module:
    made.append("greedy")
    return Greedy(channels, classes, FITS["greedy"])


def greediest(channels: int, classes: int) -> nn.Module:
    made.append("greediest")
    return Greedy(channels, classes, FITS["greediest"])


class Quitting(Greedy):
    """A network that ends the program, as if all were well."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and len(x) > 2:  # two are tried before
            sys.exit(0)
        return self.layers(x)


def quitting(channels: int, classes: int) -> nn.Module:
    return Quitting(channels, classes, 0)


def trained(model: str) -> TrialResult:
    made.clear()
    executor = InlineExecutor(replace(small_task(epochs=2), model=f"tests.faults.test_trials:{model}"))
    executor.submit(TrialSpec("1", Train(load_policy("none")), 0))
    while (result := executor.next_result()[1]).status == "running":
        pass
    return result


@pytest.mark.fault("trials", "memory runs out, and half a batch fits")
def test_where_a_batch_does_not_fit_its_halves_are_trained_on() -> None:
    result = trained("greedy")
    assert result.status == "complete"
    assert "memory ran out: trained again with each batch in two halves" in result.note
    assert made == ["greedy"] * 2
    assert np.isfinite(result.score)
    assert result.samples_seen == 2 * 96


@pytest.mark.fault("trials", "memory runs out whatever the batch")
def test_where_nothing_fits_the_trial_fails_with_the_reason() -> None:
    result = trained("greediest")
    assert result.status == "failed"
    assert result.reason == "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
    assert made == ["greediest"] * 2, "it is tried once more, and no oftener"


@pytest.mark.fault("trials", "a model that calls sys.exit")
def test_a_model_that_calls_sys_exit_fails_its_trial_and_not_the_program(tmp_path: Path) -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]
    result = trained("quitting")
    assert (result.status, result.reason) == ("failed", "SystemExit: 0")
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index,union-attr]
    npz, model = write_npz(tmp_path / "bars.npz"), "tests.faults.test_trials:quitting"
    assert api.forecast(npz, model=model, workers=1).fault == "SystemExit: 0"


def breaking(labels: np.ndarray, scores: np.ndarray) -> float:
    """A metric that works until a file is there."""
    if Path(breaking.marker).exists():  # type: ignore[attr-defined]
        raise KeyError("the model of the metric is gone")
    return float(accuracy_score(labels, scores.argmax(1)))


@pytest.mark.usefixtures("no_report")
@pytest.mark.fault("trials", "a metric that fails in mid-search")
def test_a_metric_that_fails_ends_the_search_with_one_line_and_it_goes_on_when_it_is_mended(tmp_path: Path) -> None:
    marker = tmp_path / "broken"
    breaking.marker = str(marker)  # type: ignore[attr-defined]

    class Breaking(Logged):
        def trial_ended(self, trial: object, *_: object) -> None:
            if trial.number == 1:  # type: ignore[attr-defined]
                marker.touch()

    options = {"space": "light", "strategy": "random", "trials": 10, "epochs": 1, "seeds": 2, "workers": 1}
    data, out = write_npz(tmp_path / "bars.npz"), tmp_path / "run"
    metric = "tests.faults.test_trials:breaking"
    with pytest.raises(AllTrialsFailed, match=r"--metric .*breaking failed on 30 samples: KeyError.*are kept") as fault:
        autoaug.search(data, metric=metric, out=out, progress=Breaking(), **options)
    assert len(str(fault.value).splitlines()) == 1
    marker.unlink()
    result = autoaug.resume(out, trust=True)
    assert [trial.status for trial in result.history[:2]] == ["complete", "complete"]
    assert result.verdict


def test_a_limit_that_no_alarm_could_keep_is_refused() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(OptionError, match=r"--trial-timeout ends trials in .* main"):
        pool.submit(InlineExecutor, small_task(), timeout=1.0).result()
