"""A time limit for the whole run: how much of it the search gets, and when no training begins any more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autoaug.errors import OptionError
from autoaug.evaluation.confirmation import Deadline
from autoaug.pipeline.forecast import Forecast
from autoaug.runs.config import RunConfig
from autoaug.search.budget import Reserve
from autoaug.utils.clock import now

#: The time for the report: so many seconds, at most that part of the limit.
_REPORT_SECONDS, _REPORT_PART = 10.0, 0.1
#: A search needs at least the time of so many trainings: the first baselines, and a policy at full length.
_LEAST_SEARCH = 3.0
#: Trainings of a confirmation are also scored on the test split, and other work on the machine may slow them down. What
#: they leave of the time is for more seeds.
_MARGIN = 1.5
#: An interval needs so many seeds.
_LEAST_SEEDS = 2


@dataclass(frozen=True)
class TimeLimit:
    """The time limit of a run.

    Attributes:
        ends: when its last training should have ended, by `now`.
        confirming: the longest time of a confirmation on the fewest seeds, in trainings one after another.
        training_seconds: the time of a training at full length, as forecast; 0 if it could not be timed.
        workers: the number of trainings at a time.
        least_seeds: the fewest seeds that a verdict needs: those are trained even if the time is up.
    """

    ends: float
    confirming: float
    training_seconds: float
    workers: int
    least_seeds: int

    def left(self) -> float:
        """The seconds until the last training should have ended."""
        return max(0.0, self.ends - now())

    @property
    def reserve(self) -> Reserve | None:
        """What a search leaves to the confirmation; None if that is not known."""
        return Reserve(self.confirming, self.training_seconds) if self.training_seconds else None

    def bound(self, forecast: Forecast, spent: float = 0.0) -> Forecast:
        """The forecast of the whole run, whose search takes what the confirmation leaves; earlier sessions took `spent`
        seconds.
        """
        if forecast.fault:
            return forecast
        return replace(forecast, search_seconds=max(0.0, spent + self.left() - self.confirming * self.training_seconds))

    def deadline(self, is_first: bool) -> Deadline:
        """When no training of a confirmation begins any more; `is_first` if no seed has been trained yet."""
        return Deadline(self.ends, self.training_seconds, self.least_seeds if is_first else 0)

    def has_room(self, seconds: Sequence[float]) -> bool:
        """Whether there is time for trainings that take so long."""
        return self.left() >= max(sum(seconds) / self.workers, *seconds)


def time_limit(config: RunConfig, forecast: Forecast, begun: float) -> TimeLimit | None:
    """The time limit of a run that began at `begun`; None if it has none. Raises `OptionError` if it is too short for
    the shortest search and a confirmation.
    """
    if config.budget is None or config.budget.seconds is None:
        return None
    limit = config.budget.seconds
    found = _limit(config, forecast, begun + limit - _for_report(limit))
    confirming = found.confirming * found.training_seconds
    search = max(1.0, _LEAST_SEARCH / config.workers) * found.training_seconds
    rest = now() - begun + _for_report(limit)
    least = confirming + search + rest
    if least > limit:
        raise OptionError(
            f"--time {as_option(limit)} is too short: a confirmation of {forecast.candidates} policies on "
            f"{forecast.seeds[0]} seeds may take {as_option(confirming)} here, the shortest search "
            f"{as_option(search)}, and start and report {as_option(rest)}; pass --time {as_option(1.1 * least)} or "
            "more, or fewer --seeds, --finalists or --epochs"
        )
    return found


def _limit(config: RunConfig, forecast: Forecast, ends: float) -> TimeLimit:
    return TimeLimit(
        ends,
        _MARGIN * forecast.candidates * forecast.seeds[0] / config.workers,
        0.0 if forecast.fault else forecast.training_seconds,
        config.workers,
        max(_LEAST_SEEDS, config.folds or 1),
    )


def _for_report(limit: float) -> float:
    return min(_REPORT_SECONDS, _REPORT_PART * limit)


def resumed_limit(config: RunConfig, events: Sequence[Mapping[str, Any]], forecast: Forecast) -> TimeLimit | None:
    """The time limit of a run that goes on: the time of its earlier sessions is spent. It may be over."""
    if config.budget is None or config.budget.seconds is None:
        return None
    seconds = config.budget.seconds
    return _limit(config, forecast, now() - earlier_seconds(events) + seconds - _for_report(seconds))


def earlier_seconds(events: Sequence[Mapping[str, Any]]) -> float:
    """The time of the sessions in a log of events. Each begins with the metric."""
    seconds, first, last = 0.0, math.nan, math.nan
    for event in events:
        if event["event"] == "metric":
            seconds += 0.0 if math.isnan(first) else last - first
            first = event["time"]
        last = event["time"]
    return seconds if math.isnan(first) else seconds + last - first


def as_option(seconds: float) -> str:
    """A time as `--time` takes it, rounded up: ``45s``, ``12m``, ``1h30m``."""
    if seconds < 120:
        return f"{math.ceil(seconds)}s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m"
