"""Variants of ``auto``, each without one of its stages: what is each stage worth?

Once registered, they are strategies that benchmarks accept by name: ``--strategies "auto,auto without repeats"``.
"""

from __future__ import annotations

from autoaug.search.strategies import STRATEGIES
from autoaug.search.strategies.auto import Auto, AutoConfig

#: The configuration without a stage, by the name of that stage.
WITHOUT = {
    "matching": AutoConfig(looks_for_shift=False),
    "affinity": AutoConfig(measures_affinity=False),
    "the portfolio": AutoConfig(first_shapes=1),
    "the model": AutoConfig(models=False),
    "repeats": AutoConfig(repeats=0),
    "shares of the data": AutoConfig(data_fraction=1.0),
}


def register() -> None:
    """Register the variants as strategies."""
    for stage, config in WITHOUT.items():
        strategy = Auto(config)
        strategy.name = f"auto without {stage}"
        STRATEGIES[strategy.name] = strategy
