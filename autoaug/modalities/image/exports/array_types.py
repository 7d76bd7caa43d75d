"""Conversions to arrays, in NumPy; other libraries have two functions with these names."""

from __future__ import annotations

from typing import Any

import numpy as np


def cast(array: Any, dtype: str) -> Any:
    return np.asarray(array, dtype)


def from_numpy(values: Any) -> Any:
    return np.asarray(values, "float32")
