"""Corruptions at five severities, as policies of a modality's operators."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.policy.models import Operation, Policy, in_turn

#: The operators of a corruption, with their magnitudes at the five severities; a negative number means the negative
#: sign.
Operators = Sequence[tuple[str, tuple[float, ...]]]


def corrupt(operators: Operators, modality: str, values: Tensor, severity: int) -> Tensor:
    """Corrupt ``values [n, ...]`` at a severity from 1 to 5, in the same way each time."""
    return apply_plan(corruption_plan(operators, modality, len(values), severity), values, check=False)


def corruption_plan(operators: Operators, modality: str, n: int, severity: int) -> Plan:
    """What `corrupt` applies to n samples."""
    operations = []
    for operator, magnitudes in operators:
        value = magnitudes[severity - 1]
        size = (abs(value), abs(value))
        operations.append(Operation(operator=operator, magnitude=size, sign="negative" if value < 0 else "positive"))
    return draw_plan(Policy(layers=in_turn(*operations)), n, torch.Generator().manual_seed(0), modality)
