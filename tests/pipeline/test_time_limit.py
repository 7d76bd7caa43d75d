"""A time limit is for all of a run, in all of its sessions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import autoaug
from autoaug.errors import OptionError
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import SearchOptions
from autoaug.pipeline.time_limit import as_option, earlier_seconds, resumed_limit, time_limit
from autoaug.runs.config import RunConfig
from autoaug.search.budget import Budget
from autoaug.utils.clock import now
from tests.pipeline.test_forecast import FORECAST


@pytest.fixture
def config(npz: Path) -> RunConfig:
    return prepare(SearchOptions(data=npz, time="1h", workers=1, executor="inline"))[0]


def test_the_search_leaves_the_time_of_a_confirmation(config: RunConfig) -> None:
    limit = time_limit(config, FORECAST, now())
    assert limit is not None
    assert limit.reserve is not None
    assert limit.reserve.trainings == 1.5 * 8 * 5  # one worker, with a margin
    assert 3580 < limit.left() <= 3590, "ten seconds are for the report"
    assert limit.has_room([1000, 2000])
    assert not limit.has_room([2000, 2000])
    assert replace(limit, workers=2).has_room([2000, 2000])
    assert not replace(limit, workers=2).has_room([4000, 1])


def test_a_limit_without_time_for_a_confirmation_is_refused_with_the_least(config: RunConfig, npz: Path) -> None:
    short = config.model_copy(update={"budget": Budget(seconds=600)})
    with pytest.raises(
        OptionError,
        match=r"--time 10m is too short: a confirmation of 8 policies on 5 seeds may take 30m here, the shortest "
        r"search .*, and start and report (5\d|6\d)s; pass",
    ):
        time_limit(short, FORECAST, now() - 50)  # so long ago, with ten seconds for the report
    with pytest.raises(OptionError, match=r"pass --time .* or more"):
        autoaug.search(npz, time="1s", workers=1, executor="inline", out=npz.parent / "run")
    assert not (npz.parent / "run").exists()
    assert time_limit(short, replace(FORECAST, fault="ValueError: no"), now()) is not None, "nothing is known"


def test_a_run_that_goes_on_has_what_its_earlier_sessions_left(config: RunConfig) -> None:
    events = [{"event": name, "time": float(time)} for name, time in (("stage", 5), ("metric", 10), ("trial", 110))]
    later = [{"event": name, "time": float(time)} for name, time in (("metric", 5000), ("stage", 5200))]
    assert earlier_seconds([]) == 0
    assert earlier_seconds(events + later) == 100 + 200
    limit = resumed_limit(config, events + later, FORECAST)
    assert limit is not None
    assert limit.left() == pytest.approx(3600 - 300 - 10, abs=5)


@pytest.mark.parametrize(("seconds", "text"), [(0.1, "1s"), (119.5, "120s"), (121, "3m"), (5400, "1h30m")])
def test_times_are_written_as_the_option_takes_them(seconds: float, text: str) -> None:
    assert as_option(seconds) == text


def test_the_forecast_of_the_search_is_what_the_confirmation_leaves(config: RunConfig) -> None:
    limit = time_limit(config, FORECAST, now() - 90)
    assert limit is not None
    assert limit.bound(FORECAST).search_seconds == pytest.approx(3500 - 1.5 * 8 * 5 * 30, abs=5)
    assert limit.bound(replace(FORECAST, fault="ValueError: no")).search_seconds == FORECAST.search_seconds
