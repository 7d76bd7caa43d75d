"""Calls as type checkers see them: mypy checks this file; it is never run. An unneeded ignore is an error."""

from __future__ import annotations

from typing import assert_type

import autoaug
from autoaug.pipeline.objective import ObjectiveResult


def constant(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
    """An objective."""
    return 0.5


assert_type(autoaug.search("digits", trials=3), autoaug.SearchResult)
assert_type(autoaug.search(objective=constant, trials=3), ObjectiveResult)
assert_type(autoaug.compare("digits", ["none", autoaug.load_policy("flip-crop")]), autoaug.SearchResult)
autoaug.search("digits", trails=3)  # type: ignore[call-overload]
autoaug.search("digits", trials="3")  # type: ignore[call-overload]
autoaug.search("digits", equal="time")  # type: ignore[call-overload]
autoaug.compare("digits", ["none", "flip-crop"], space="light")  # type: ignore[call-arg]
