"""Progress on the console: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from autoaug.results import ACCURACY, MetricRecord, TrialSummary, known_policies
from autoaug.search.progress import Progress
from autoaug.utils.quantities import duration
from autoaug.utils.terminal import Heartbeat, say

_PREPARING = "preparing"
#: The columns that a short bar, the percentage and the times take, and the fewest for what is going on.
_BESIDE, _LEAST = 44, 16
#: What the forecast counts for, as a part of the run.
_FORECAST = 0.1


class ConsoleProgress(Progress):
    """Shows one bar for all of a run with the time left, the number of trials, and on the share of the data that the
    last one was trained on, the best one and the best baseline. With ``progress=True``, Python programs get one too.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            disable=not (self._console.is_terminal or self._console.is_jupyter),
        )
        self._task = self._bar.add_task(_PREPARING, total=1.0, left="")
        self._heartbeat = Heartbeat(self._console, _PREPARING)
        self._metric = ACCURACY
        self._part = 0.0, 1.0
        self._begun = time.monotonic(), 0.0
        self._expected, self._ends = 0.0, math.inf
        self._trials, self._is_at_work = 0, False
        self._known: set[str] = set()
        self._best: dict[tuple[float, bool], float] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        self._heartbeat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._heartbeat.stop()
        if error is None:
            self._bar.update(self._task, completed=1.0, left="")
        self._bar.stop()

    def measured_by(self, metric: MetricRecord) -> None:
        """What scores are, and how they are shown."""
        self._metric = metric

    def expects(self, seconds: float, limit: float | None) -> None:
        """How long the run takes, as forecast."""
        self._expected = seconds if math.isfinite(seconds) else 0.0
        self._ends = math.inf if limit is None else time.monotonic() + limit

    def part_begins(self, start: float, stop: float) -> None:
        """Another part of the run begins. The time left is judged by the time since the first one of this session in
        which anything is done.
        """
        if not self._is_at_work:
            self._begun = time.monotonic(), start
        self._part = start, stop
        self._trials, self._best = 0, {}
        self._bar.update(self._task, completed=start)

    def say(self, message: str) -> None:
        """A stage begins or ends."""
        self._heartbeat.doing(message)
        self._print(message)

    def doing(self, what: str) -> None:
        """What is going on."""
        self._heartbeat.doing(what)
        if not self._trials:
            self._bar.update(self._task, description=self._fitting(what))

    def trials_before(self, trials: Sequence[TrialSummary]) -> None:
        """Earlier sessions ended these trials; they count, and their scores may be the best."""
        for trial in trials:
            self._count(trial)

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        """A trial of the search ended; `fraction` of its budget is spent."""
        self._count(trial)
        on = "" if trial.data_fraction == 1 else f"on {100 * trial.data_fraction:g} % of the data: "
        kinds = {"best": (trial.data_fraction, False), "best baseline": (trial.data_fraction, True)}
        best = [f"{what} {self._metric.shown(self._best[kind])}" for what, kind in kinds.items() if kind in self._best]
        text = f"{self._trials} trial{'s' * (self._trials > 1)}; {on}{', '.join(best) or 'none has a score yet'}"
        outcome = trial.status if trial.score is None else self._metric.shown(trial.score)
        reason = f" ({trial.reason})" if trial.reason else ""
        again = f", with seed {trial.seed_index + 1}" if trial.seed_index else ""
        line = f"trial {trial.number}, {trial.label}{again}: {outcome}{reason}; {text}"
        self._show(text, fraction, line, is_first=trial.number == 0)

    def _count(self, trial: TrialSummary) -> None:
        self._trials += 1
        self._known |= known_policies([trial])
        if trial.score is not None:
            kind = trial.data_fraction, trial.fingerprint in self._known
            self._best[kind] = max(self._best.get(kind, -math.inf), trial.score)

    def training_ended(self, name: str, done: int, total: int) -> None:
        """A training of the confirmation, or of those that follow it, ended."""
        text = f"training {done} of {total}"
        self._show(text, done / total, f"{text}: {name}", is_first=done == 1)

    def _show(self, text: str, fraction: float, line: str, is_first: bool) -> None:
        """Show what ended, the first thing of its part of the run or not. If another one is the first of this session,
        those before it were done by an earlier session, and say nothing of the speed of this one.
        """
        start, stop = self._part
        done = start + min(1.0, fraction) * (stop - start)
        if not (is_first or self._is_at_work):
            self._begun = time.monotonic(), done
        self._is_at_work = True
        left = self._left(done)
        if not self._console.is_terminal:
            self._print(f"{line}, {100 * done:.0f} % done{left and f', {left}'}")
        self._bar.update(self._task, completed=done, description=self._fitting(text), left=left)

    def _fitting(self, text: str) -> str:
        """The text beside a bar, percentage and times, with an ellipsis where the terminal is too narrow for all."""
        fitting = Text(text)
        fitting.truncate(max(_LEAST, self._console.width - _BESIDE), overflow="ellipsis")
        return escape(fitting.plain)

    def _print(self, line: str) -> None:
        say(self._console, line)
        self._heartbeat.said()

    def _left(self, done: float) -> str:
        """The time left of the whole run, if the rest is as fast as what this session has done. The forecast counts as
        much as a tenth of the run, so that the first trials, for which workers are started, say little.
        """
        begun, before = self._begun
        now, known = time.monotonic(), _FORECAST if self._expected else 0.0
        if done - before + known <= 0:
            return ""
        whole = (now - begun + known * self._expected) / (done - before + known)
        return f"{duration(max(1.0, min((1 - done) * whole, self._ends - now)))} left"
