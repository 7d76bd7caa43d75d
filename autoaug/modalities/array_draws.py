"""The random draws of exported NumPy modules; see `autoaug.functional.sampling`."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
Table = list[list[tuple[float, list[tuple[int, float, float, float, float]]]]]


def draw_operations(table: Table, n: int, generator: np.random.Generator) -> tuple[Array, Array, Array]:
    """For n samples and S steps, draw the operator (``[S, n]``, -1 for none), its signed magnitude (``[S, n]``), and
    four uniform numbers for the operator's own use (``[S, n, 4]``).
    """
    choices, magnitudes, uniforms = [], [], []
    for sub_policies in table:
        weights = np.array([weight for weight, _ in sub_policies])
        sub_policy = generator.choice(len(sub_policies), n, p=weights / weights.sum())
        for step in range(max(len(operations) for _, operations in sub_policies)):
            nothing = (-1, 0.0, 0.0, 0.0, 0.0)
            rows = [operations[step] if step < len(operations) else nothing for _, operations in sub_policies]
            operator, probability, low, high, negative = np.array(rows)[sub_policy].T
            chance = generator.random((n, 7))
            sign = np.where(chance[:, 2] < negative, -1.0, 1.0)
            choices.append(np.where(chance[:, 0] < probability, operator, -1).astype(int))
            magnitudes.append(sign * (low + chance[:, 1] * (high - low)))
            uniforms.append(chance[:, 3:])
    empty = np.empty((0, n), int), np.empty((0, n)), np.empty((0, n, 4))
    return (np.stack(choices), np.stack(magnitudes), np.stack(uniforms)) if choices else empty
