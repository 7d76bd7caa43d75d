"""What a run will do, and about how long it takes."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from autoaug.utils.quantities import about, duration

#: The number of candidates that are usually trained on more seeds than the first ones.
GOING_ON = 3
#: The two trainings of twice the length at the end of a run, in trainings.
_LONGER = 4


@dataclass(frozen=True)
class Parts:
    """The parts of a run: the fractions of its time at which its search and its confirmation end."""

    search: float = 0.3
    confirmation: float = 0.9

    @classmethod
    def of(cls, search: float, confirmation: float, longer: float) -> Parts:
        """The parts that take so many seconds; the usual ones if that is not known."""
        total = search + confirmation + longer
        return cls(search / total, (search + confirmation) / total) if total else cls()


@dataclass(frozen=True)
class Forecast:
    """What a run will do.

    Attributes:
        search: what the search may try, as text; empty for a comparison.
        search_seconds: the time of the search, with all workers; 0 for a comparison.
        candidates: the most policies that are confirmed.
        seeds: the fewest and the most seeds that each is confirmed on.
        steps: the optimizer steps of a training at full length.
        training_seconds: the time of such a training with its scores, in one worker; NaN if no step could be timed.
        trial_seconds: the same for a trial on the share of the data on which the strategy tries policies.
        workers: the number of trainings at a time.
        memory: the bytes of a worker.
        fault: why no step could be timed; empty if it could.
        limit: the seconds that all of it may take; None without a limit.
        proxy: a smaller form of the samples, as an option, and the seconds of a training with it; None if there is
            none, or none is needed.
    """

    search: str
    search_seconds: float
    candidates: int
    seeds: tuple[int, int]
    steps: int
    training_seconds: float
    trial_seconds: float
    workers: int
    memory: int
    fault: str = ""
    limit: float | None = None
    proxy: tuple[str, float] | None = None

    @property
    def confirmation_seconds(self) -> tuple[float, float]:
        """The time of the confirmation with the fewest and the most seeds."""
        least, most = (
            (self.candidates * seeds + _LONGER) * self.training_seconds / self.workers for seeds in self.seeds
        )
        return least, most

    @property
    def parts(self) -> Parts:
        """The parts of the run by time. Of the confirmation on more seeds, few candidates are a part."""
        fewest, most = self.seeds
        trainings = self.candidates * fewest + GOING_ON * (most - fewest), _LONGER
        seconds = 0.0 if self.fault else self.training_seconds / self.workers
        confirming, longer = (count * seconds for count in trainings)
        return Parts.of(self.search_seconds if seconds else 0.0, confirming, longer)

    @property
    def seconds(self) -> float:
        """The time of all of it with the fewest seeds; NaN if it is not known."""
        return self.search_seconds + self.confirmation_seconds[0]

    @property
    def lines(self) -> list[str]:
        """All of this as text; the time, for which most people look, comes first."""
        least, most = self.seeds
        more = f", up to {self.candidates * most} on {most} seeds where the result is not clear" if most > least else ""
        lines = [f"the search: {self.search}"] if self.search else []
        lines.append(
            f"the confirmation: up to {self.candidates} policies on {least} seeds, {self.candidates * least} trainings"
            f"{more}; then two trainings of twice the length"
        )
        if self.fault:
            return [*self.time_lines, *lines]
        free = psutil.virtual_memory().available
        lines.append(
            f"the memory: about {self.memory / 2**30:.1f} GiB per worker, {self.workers * self.memory / 2**30:.1f} GiB "
            f"in all; {free / 2**30:.1f} GiB are free"
        )
        return [*self.time_lines, *lines]

    @property
    def time_lines(self) -> list[str]:
        """How long it takes, and how long with smaller samples, as text."""
        if self.fault:
            return [f"the time is not known: a step failed with {self.fault}"]
        begun = f"{about(self.search_seconds)} for the search and " if self.search else "about "
        short, long = map(duration, self.confirmation_seconds)
        if short != long and short.split()[1] == long.split()[1]:
            short = short.split()[0]  # the unit is told once
        steps = f"{self.steps} step{'s' * (self.steps != 1)}"
        within = f", at most {duration(self.limit)} in all" if self.limit is not None else ""
        lines = [
            f"the time: {begun}{short if short == long else f'{short} to {long}'} for the confirmation{within}, "
            f"{self.workers} at a time; a training has {steps} and takes {duration(self.training_seconds)}"
        ]
        if self.proxy is not None:
            option, seconds = self.proxy
            lines.append(
                f"a smaller proxy: with {option}, a training takes {duration(seconds)}, and everything is about "
                f"{self.training_seconds / seconds:.0f} times faster; the policy that it finds can be used at the full "
                "size, and autoaug compare can confirm it there"
            )
        return lines
