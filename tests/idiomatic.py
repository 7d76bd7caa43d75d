"""Modules in a library's own words, loaded for tests."""

from __future__ import annotations

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
