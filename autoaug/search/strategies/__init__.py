"""Search strategies, one per file: what to try next, given all that has been tried."""

from __future__ import annotations

from importlib.metadata import entry_points

from autoaug.errors import UnknownName
from autoaug.search.strategies.auto import Auto
from autoaug.search.strategies.base import (
    OUTCOME,
    REQUEST,
    Draw,
    Fixed,
    History,
    Probe,
    SearchContext,
    Step,
    Stop,
    Strategy,
    TrialRecord,
)
from autoaug.search.strategies.cmaes import CmaEs
from autoaug.search.strategies.density import Density
from autoaug.search.strategies.gp import Gp
from autoaug.search.strategies.gradient import Gradient
from autoaug.search.strategies.grid import Grid
from autoaug.search.strategies.nsga2 import Nsga2
from autoaug.search.strategies.pbt import Pbt
from autoaug.search.strategies.random import Random
from autoaug.search.strategies.shift_matching import Matching
from autoaug.search.strategies.tpe import Tpe

_BUILTIN: tuple[type[Strategy], ...] = (Auto, Tpe, Random, Grid, Gp, CmaEs, Nsga2, Density, Gradient, Matching, Pbt)

#: All strategies by name; third parties register theirs as entry points of the group ``autoaug.strategies``.
STRATEGIES: dict[str, Strategy] = {
    kind.name: kind() for kind in (*_BUILTIN, *(entry.load() for entry in entry_points(group="autoaug.strategies")))
}


def get_strategy(name: str) -> Strategy:
    """The strategy with that name; raises `UnknownName`, suggesting the nearest one."""
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES)
    return STRATEGIES[name]


__all__ = [
    "OUTCOME",
    "REQUEST",
    "STRATEGIES",
    "Draw",
    "Fixed",
    "History",
    "Probe",
    "SearchContext",
    "Step",
    "Stop",
    "Strategy",
    "TrialRecord",
    "get_strategy",
]
