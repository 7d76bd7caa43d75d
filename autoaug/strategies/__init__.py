"""One file a strategy: what to try next, given all that has been tried."""

from __future__ import annotations

from importlib.metadata import entry_points

from autoaug.errors import UnknownName
from autoaug.strategies.auto import Auto
from autoaug.strategies.base import ASKED, Brief, Draw, Fixed, History, Inquiry, Past, Step, Strategy
from autoaug.strategies.cmaes import CmaEs
from autoaug.strategies.density import Density
from autoaug.strategies.gp import Gp
from autoaug.strategies.gradient import Gradient
from autoaug.strategies.grid import Grid
from autoaug.strategies.matching import Matching
from autoaug.strategies.nsga2 import Nsga2
from autoaug.strategies.pbt import Pbt
from autoaug.strategies.random import Random
from autoaug.strategies.tpe import Tpe

_BUILTIN: tuple[type[Strategy], ...] = (Auto, Tpe, Random, Grid, Gp, CmaEs, Nsga2, Density, Gradient, Matching, Pbt)

#: All strategies by name; third parties name theirs as entry points of the group ``autoaug.strategies``.
STRATEGIES: dict[str, Strategy] = {
    kind.name: kind() for kind in (*_BUILTIN, *(entry.load() for entry in entry_points(group="autoaug.strategies")))
}


def get_strategy(name: str) -> Strategy:
    """The strategy of that name; raises `UnknownName` with the nearest one."""
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES)
    return STRATEGIES[name]


__all__ = [
    "ASKED",
    "STRATEGIES",
    "Brief",
    "Draw",
    "Fixed",
    "History",
    "Inquiry",
    "Past",
    "Step",
    "Strategy",
    "get_strategy",
]
