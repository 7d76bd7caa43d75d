"""``auto`` with one of its stages left out, as strategies of their own: what is each worth?

Benches register them and take them by name: ``--strategies "auto,auto without repeats"``.
"""

from __future__ import annotations

from contextlib import nullcontext
from unittest import mock

from autoaug.search.probes.affinity import NAME as AFFINITY
from autoaug.search.probes.shift import NAME as MATCHING
from autoaug.search.strategies import STRATEGIES, History, SearchContext, Step
from autoaug.search.strategies import auto as module
from autoaug.search.strategies.auto import Auto

#: A probe that found nothing.
_NOTHING = {"policy": None, "strength": None, "sample_passes": 0, "failed": "left out"}
_FOUND = {"matching": MATCHING, "affinity": AFFINITY}
_CHANGED = {
    "the portfolio": {"portfolio": lambda space, *_: iter([next(PORTFOLIO(space))])},
    "repeats": {"_repeat": lambda _: None},
    "shares of the data": {"DATA_FRACTION": 1.0},
}
PORTFOLIO = module.portfolio


class AutoWithout(Auto):
    """The default strategy without one of its stages."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def next(self, history: History, context: SearchContext) -> Step | None:
        if self.stage in _FOUND:
            history = history._replace(probe_results={_FOUND[self.stage]: _NOTHING, **history.probe_results})
        changes = _CHANGED.get(self.stage)
        with mock.patch.multiple(module, **changes) if changes else nullcontext():
            return super().next(history, context)


def register() -> None:
    """Make the variants known by name."""
    for stage in (*_FOUND, *_CHANGED):
        STRATEGIES[f"auto without {stage}"] = AutoWithout(stage)
