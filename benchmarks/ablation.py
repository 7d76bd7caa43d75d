"""``auto`` with one of its stages left out, as strategies of their own: what is each stage worth?

Once they are registered, benchmarks take them by name: ``--strategies "auto,auto without repeats"``.
"""

from __future__ import annotations

from autoaug.search.strategies import STRATEGIES
from autoaug.search.strategies.auto import Auto, AutoConfig

#: What is left out, by name.
WITHOUT = {
    "matching": AutoConfig(looks_for_shift=False),
    "affinity": AutoConfig(measures_affinity=False),
    "the portfolio": AutoConfig(most_shapes=1),
    "repeats": AutoConfig(repeats=0),
    "shares of the data": AutoConfig(data_fraction=1.0),
}


def register() -> None:
    """Make the variants known by name."""
    for stage, config in WITHOUT.items():
        strategy = Auto(config)
        strategy.name = f"auto without {stage}"
        STRATEGIES[strategy.name] = strategy
