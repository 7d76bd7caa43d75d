"""One file a strategy: how the next policy is drawn, given the trials so far."""

from __future__ import annotations

from autoaug.errors import UnknownName
from autoaug.strategies import random, tpe
from autoaug.strategies.base import Strategy

STRATEGIES: dict[str, Strategy] = {strategy.name: strategy for strategy in (tpe.STRATEGY, random.STRATEGY)}


def get_strategy(name: str) -> Strategy:
    """The strategy of that name; raises `UnknownName` with the nearest one."""
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES)
    return STRATEGIES[name]


__all__ = ["STRATEGIES", "Strategy", "get_strategy"]
