"""Modules in a library's own words, loaded for tests."""

from __future__ import annotations

import math
import os
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from autoaug.exporters import export_policy
from autoaug.policy.models import Policy
from tests.samples import photographs

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras is imported by the modules, and TensorFlow is not here

#: Smallest probability of a difference that a test lets pass as chance; there are a few hundred comparisons.
CHANCE = 1e-5
AS_EXACT = "As an exact module, since"


@cache
def image(square: bool = True) -> np.ndarray:
    """A photograph, uint8 ``[H, W, 3]``, with strong contrasts."""
    values = (photographs(1, size=(24, 24) if square else (20, 26))[0] * 255).to(torch.uint8)
    return values.permute(1, 2, 0).contiguous().numpy()


def loaded(policy: Policy, target: str) -> dict[str, Any]:
    """What the idiomatic module defines; skips policies that the library has no words for."""
    text = export_policy(policy, target)
    if AS_EXACT in text:
        pytest.skip(text.splitlines()[2])
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), namespace)  # the text under test
    return namespace


def check_alike(own: np.ndarray, their: np.ndarray, name: str, slack: float) -> None:
    """Check that two samples of a statistic are of one distribution, but for a `slack`."""
    apart = max(beyond(own, their, slack), beyond(their, own, slack))
    most = math.sqrt(math.log(2 / CHANCE) * (1 / len(own) + 1 / len(their)) / 2)  # of two samples of one distribution
    shown = [np.quantile(values, [0.05, 0.5, 0.95]).round(4) for values in (own, their)]
    assert apart < most, f"{name}: {apart:.3f} of the draws are elsewhere; {shown[0]} and {shown[1]}"


def beyond(first: np.ndarray, second: np.ndarray, slack: float) -> float:
    """The one-sided Kolmogorov-Smirnov distance of two samples, beyond the `slack` for rounding."""
    places = np.sort(first)
    below = [
        np.searchsorted(np.sort(values), at, side="right") / len(values)
        for values, at in ((first, places), (second, places + slack))
    ]
    return float((below[0] - below[1]).max())
