"""``auto`` with one of its stages left out, as strategies of their own: what is each stage worth?

Once they are registered, benchmarks take them by name: ``--strategies "auto,auto without repeats"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any
from unittest import mock

from autoaug.search.probes.affinity import NAME as AFFINITY
from autoaug.search.probes.shift import NAME as MATCHING
from autoaug.search.strategies import STRATEGIES, History, SearchContext, Step
from autoaug.search.strategies import auto as module
from autoaug.search.strategies.auto import Auto, portfolio

#: The result of a probe that found nothing.
_NOTHING = {"policy": None, "strength": None, "sample_passes": 0, "failed": "left out"}
#: The stages that are probes, with the names of these.
_PROBES = {"matching": MATCHING, "affinity": AFFINITY}
#: The other stages, with what stands in the place of the module's own constants and functions.
_CHANGES: Mapping[str, Mapping[str, Any]] = {
    "the portfolio": {"portfolio": lambda space, *_: iter([next(portfolio(space))])},
    "repeats": {"_repeat": lambda _: None},
    "shares of the data": {"DATA_FRACTION": 1.0},
}


class AutoWithout(Auto):
    """The default strategy without one of its stages."""

    def __init__(self, stage: str) -> None:
        self.name = f"auto without {stage}"
        self._stage = stage

    def next(self, history: History, context: SearchContext) -> Step | None:
        """What to try next, as `Auto` says without that stage."""
        if self._stage in _PROBES:
            nothing = {_PROBES[self._stage]: _NOTHING}
            history = history._replace(probe_results={**nothing, **history.probe_results})
        changes = _CHANGES.get(self._stage)
        with mock.patch.multiple(module, **changes) if changes else nullcontext():
            return super().next(history, context)


def register() -> None:
    """Make the variants known by name."""
    for stage in (*_PROBES, *_CHANGES):
        strategy = AutoWithout(stage)
        STRATEGIES[strategy.name] = strategy
