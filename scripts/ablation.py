"""``auto`` with one of its stages left out, as strategies of their own: what is each worth?

Benches register them and name them: ``--strategies "auto,auto without repeats"``.
"""

from __future__ import annotations

from autoaug.search.strategies import STRATEGIES
from autoaug.search.strategies.auto import Auto, AutoConfig

WITHOUT = {
    "matching": AutoConfig(looks_for_shift=False),
    "affinity": AutoConfig(measures_affinity=False),
    "the portfolio": AutoConfig(most_shapes=1),
    "repeats": AutoConfig(repeats=0),
    "shares of the data": AutoConfig(data_fraction=1.0),
}


def register() -> None:
    """Make the variants known by name."""
    STRATEGIES.update({f"auto without {stage}": Auto(config) for stage, config in WITHOUT.items()})
