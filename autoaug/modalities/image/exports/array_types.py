"""Arrays of a type, in NumPy; another library has two functions of these names."""

from __future__ import annotations

from typing import Any

import numpy as np


def cast(array: Any, dtype: str) -> Any:
    return np.asarray(array, dtype)


def from_numpy(values: Any) -> Any:
    return np.asarray(values, "float32")
