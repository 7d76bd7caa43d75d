"""Progress on the console: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from autoaug.results import ACCURACY, MetricRecord, TrialSummary
from autoaug.search.progress import Progress
from autoaug.utils.terminal import say

_PARTS = 1000


class ConsoleProgress(Progress):
    """Shows the finished trials, the best trial and the best baseline, and the time left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:3.0f} %"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._begun = time.monotonic()
        self._trials = 0
        self._best: float | None = None
        self._best_baseline: float | None = None
        self._metric = ACCURACY

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def measured_by(self, metric: MetricRecord) -> None:
        """What scores are, and how they are shown."""
        self._metric = metric

    def say(self, message: str) -> None:
        """A stage begins or ends."""
        say(self._console, message)
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = None
        self._begun = time.monotonic()
        self._trials, self._best, self._best_baseline = 0, None, None

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        """A trial of the search ended; `fraction` of the budget is spent."""
        self._trials += 1
        if trial.score is not None:
            if trial.is_baseline:
                self._best_baseline = _larger(self._best_baseline, trial.score)
            else:
                self._best = _larger(self._best, trial.score)
        best, best_baseline = self._shown(self._best), self._shown(self._best_baseline)
        text = f"{self._trials} trials, best {best}, best baseline {best_baseline}"
        outcome = trial.status if trial.score is None else self._shown(trial.score)
        reason = f" ({trial.reason})" if trial.reason else ""
        what = trial.words or trial.name
        self._show(text, fraction, f"trial {trial.number}, {what}: {outcome}{reason}; {text}")

    def training_ended(self, name: str, done: int, total: int) -> None:
        """A training of the confirmation ended."""
        text = f"confirmation {done} of {total}"
        self._show(text, done / total, f"{text}: {name}")

    def _shown(self, score: float | None) -> str:
        return "-" if score is None else self._metric.shown(score)

    def _show(self, text: str, fraction: float, line: str) -> None:
        if not self._console.is_terminal:
            passed = time.monotonic() - self._begun
            left = "" if fraction <= 0 else f", {_duration(passed * (1 - fraction) / fraction)} left"
            say(self._console, f"{line}, {100 * fraction:.0f} % done{left}")
            return
        if self._task is None:
            self._task = self._bar.add_task(text, total=_PARTS)
        self._bar.update(self._task, description=text, completed=round(fraction * _PARTS))


def _larger(one: float | None, other: float) -> float:
    return other if one is None else max(one, other)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
