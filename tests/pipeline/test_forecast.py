"""What a search would do, before it does anything."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autoaug import api
from autoaug.cli.main import main
from autoaug.pipeline import forecast_timing
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.forecast import Forecast
from autoaug.pipeline.forecast_timing import Timing
from autoaug.pipeline.options import SearchOptions
from autoaug.training.setting import TrainingSetting
from autoaug.training.state import TrainingPlan
from tests.conftest import Ended, bars, write_folder, write_npz

FORECAST = Forecast(
    search="12 trials",
    search_seconds=600.0,
    candidates=8,
    seeds=(5, 16),
    steps=100,
    training_seconds=30.0,
    trial_seconds=10.0,
    workers=2,
    memory=2**30,
)


def test_the_time_of_the_confirmation_follows_from_a_training() -> None:
    assert FORECAST.confirmation_seconds == ((8 * 5 + 4) * 30 / 2, (8 * 16 + 4) * 30 / 2)
    time, search, confirmation, memory = FORECAST.lines
    assert search == "the search: 12 trials"
    assert "up to 8 policies on 5 seeds, 40 trainings, up to 128 on 16 seeds" in confirmation
    assert "10 minutes for the search and 11 to 33 minutes for the confirmation, 2 at a time" in time
    assert "takes 30 seconds" in time
    assert "a training has 1 step and takes" in replace(FORECAST, steps=1).lines[0]
    assert "1.0 GiB per worker, 2.0 GiB in all" in memory


def test_what_is_not_known_is_not_guessed() -> None:
    first, *_ = replace(FORECAST, fault="ValueError: no").lines
    assert first == "the time is not known: a step failed with ValueError: no"


def test_a_dry_run_says_what_a_search_would_do_and_writes_nothing(
    npz: Path, tmp_path: Path, command: Callable[..., Ended]
) -> None:
    before = set(tmp_path.rglob("*"))
    ended = command("search", npz, "--trials", "7", "--seeds", "3", "--workers", "1", "--dry-run", folder=tmp_path)
    assert ended.code == 0, ended.stderr
    first = (
        "the search: 7 policies of its own and 5 known ones, and repetitions of the best (auto on the space 'standard')"
    )
    assert ended.stdout.startswith("the time: about ")
    assert first in ended.stdout
    assert "up to 8 policies on 3 seeds, 24 trainings; then two trainings of twice the length" in ended.stdout
    assert set(tmp_path.rglob("*")) == before


def test_a_comparison_is_forecast_too(
    npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    policies = ["none", "flip-crop", "randaugment"]
    monkeypatch.setattr(sys, "argv", ["autoaug", "compare", str(npz), *policies, "--seeds", "2", "--dry-run"])
    with pytest.raises(SystemExit, match="0"):
        main()
    time, confirmation, _memory = capsys.readouterr().out.splitlines()
    assert time.startswith("the time: about ")
    assert "search" not in time
    assert confirmation.startswith("the confirmation: up to 3 policies on 2 seeds, 6 trainings;")
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("budget", "trials", "trainings"),
    [
        ({"budget": "4x", "strategy": "tpe"}, 0, 4),
        ({"budget": "4x"}, 0.6 * 4 * 4, 0.4 * 4),  # three fifths of the budget on a quarter of the data
        ({"trials": 6, "strategy": "tpe"}, 0, 6 + 5),
        ({"trials": 6}, 6 + 5, 0.4 / 0.6 * (6 + 5) / 4),
    ],
)
def test_the_search_takes_its_budget(budget: dict[str, object], trials: float, trainings: float, npz: Path) -> None:
    found = api.forecast(npz, workers=2, **budget)
    in_turn = trials * found.trial_seconds + trainings * found.training_seconds
    assert found.search_seconds == pytest.approx(in_turn / 2)
    assert found.training_seconds > 0
    assert found.memory > 2**20


def test_only_a_strategy_that_repeats_is_said_to_repeat(npz: Path) -> None:
    said = [api.forecast(npz, strategy=strategy, trials=7, epochs=1).search for strategy in ("auto", "random")]
    assert ["repetitions" in words for words in said] == [True, False]


def test_a_model_that_cannot_be_trained_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_in_training.py").write_text(
        "import torch\n"
        "class Broken(torch.nn.Linear):\n"
        "    def forward(self, values):\n"
        "        if len(values) > 2:\n"  # two are tried before
        "            raise ValueError('not today')\n"
        "        return super().forward(values.flatten(1))\n"
        "def build(channels, classes):\n"
        "    return Broken(channels * 144, classes)\n"
    )
    found = api.forecast(write_npz(tmp_path / "bars.npz"), model="broken_in_training:build", trials=3, workers=1)
    assert "not today" in found.fault
    assert found.lines[0].startswith("the time is not known")


def test_a_time_limit_is_for_the_whole_run(npz: Path) -> None:
    found = api.forecast(npz, workers=2, time="3h")
    # What the forecast itself took is spent.
    assert 2.5 * 3600 < found.search_seconds + found.confirmation_seconds[0] <= 3 * 3600
    assert "at most 3.0 hours in all" in found.lines[0]


def test_for_large_samples_a_smaller_proxy_is_offered_and_what_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many steps of the same batches, timed on the smaller samples."""
    images, labels = bars(60, size=96, channels=3)
    write_folder(tmp_path / "large", images, labels)

    networks = []

    def timed(plan: TrainingPlan, setting: TrainingSetting, _batch_size: object = None) -> Timing:
        networks.append((setting.model, plan.samples.inputs.shape[-1]))
        return Timing(step=1e-4 * plan.samples.inputs.shape[-1] ** 2, prediction=0.0, memory=1)

    monkeypatch.setattr(forecast_timing, "_timed", timed)
    checked = api.check(tmp_path / "large")
    offer = next(line for line in checked.lines if "proxy" in line)
    assert "with --size 64 --model resnet9, a training takes" in offer
    assert set(networks) == {("resnet18", 96), ("resnet9", 64)}
    found = api.forecast(tmp_path / "large", epochs=1, workers=1, device="cpu")
    assert found.proxy is not None
    option, seconds = found.proxy
    assert option == "--size 64 --model resnet9"
    assert seconds == pytest.approx(found.training_seconds * (64 / 96) ** 2)
    own = api.forecast(tmp_path / "large", epochs=1, workers=1, device="cpu", model="torchvision:resnet18")
    assert own.proxy is not None
    assert own.proxy[0] == "--size 64", "with a network that was chosen"
    small = api.forecast(tmp_path / "large", epochs=1, workers=1, device="cpu", size=64)
    assert small.proxy is None
    assert small.steps == found.steps


def test_large_photographs_have_their_own_usual_baseline(tmp_path: Path) -> None:
    images, labels = bars(60, size=96, channels=3)
    write_folder(tmp_path / "large", images, labels)
    for size, name in ((None, "flip-resized-crop"), (64, "flip-crop")):
        config, *_ = prepare(SearchOptions(tmp_path / "large", size=size, device="cpu"))
        assert config.space is not None
        assert {"flip-crop", "flip-resized-crop"} & set(config.space.baselines) == {name}
