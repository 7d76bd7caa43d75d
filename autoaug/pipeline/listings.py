"""Lists of operators and strategies, and the schemas of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autoaug.errors import OptionError


@dataclass(frozen=True)
class OperatorRow:
    """An operator in the list of all; `range` has its lowest and highest value, in its `unit`."""

    name: str
    modality: str
    family: str
    signed: bool
    range: tuple[float, float]
    unit: str
    summary: str


def operator_rows() -> tuple[OperatorRow, ...]:
    """All operators, in the order of modalities and families."""
    from autoaug.modalities.operators import all_operators

    ordered = sorted(all_operators().values(), key=lambda o: (o.modality, o.family, o.name))
    return tuple(
        OperatorRow(o.name, o.modality, o.family, o.signed, (-o.limit if o.signed else 0.0, o.limit), o.unit, o.summary)
        for o in ordered
    )


@dataclass(frozen=True)
class StrategyRow:
    """A search strategy: when to use it, and what it optimizes."""

    name: str
    summary: str
    objectives: tuple[str, ...]


def strategy_rows() -> tuple[StrategyRow, ...]:
    """All strategies."""
    from autoaug.search.strategies import STRATEGIES

    return tuple(StrategyRow(s.name, s.summary, s.objectives) for s in STRATEGIES.values())


def file_schema(of: str) -> dict[str, Any]:
    """The JSON Schema of the files of a ``policy`` or a ``space``."""
    from pydantic import BaseModel

    from autoaug.policy.models import Policy
    from autoaug.search.space import SearchSpace

    words: dict[str, type[BaseModel]] = {"policy": Policy, "space": SearchSpace}
    if of not in words:
        raise OptionError(f"schema {of!r} must be one of: {', '.join(words)}")
    return words[of].model_json_schema()
