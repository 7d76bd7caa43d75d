"""Targets in containers of any kind: plain functions, which exported modules contain verbatim."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, MutableMapping, MutableSequence
from copy import copy
from typing import Any


def parts_of(targets: Any) -> list[Any] | None:
    """The items of a list, tuple, mapping or dataclass, in order; None if `targets` is none of these."""
    if isinstance(targets, MutableMapping):
        return list(targets.values())
    if isinstance(targets, tuple | MutableSequence):
        return None if isinstance(targets, bytearray) else list(targets)
    if dataclasses.is_dataclass(targets) and not isinstance(targets, type):
        return [getattr(targets, field.name) for field in dataclasses.fields(targets)]
    return None


def with_parts(targets: Any, parts: Iterable[Any]) -> Any:
    """A copy of the container with its items replaced by `parts`."""
    if isinstance(targets, tuple):
        return targets._make(parts) if hasattr(targets, "_make") else type(targets)(parts)
    made = copy(targets)
    if isinstance(targets, MutableMapping | MutableSequence):
        keys = list(targets) if isinstance(targets, MutableMapping) else range(len(targets))
        for key, part in zip(keys, parts, strict=True):
            made[key] = part
    else:
        for field, part in zip(dataclasses.fields(targets), parts, strict=True):
            object.__setattr__(made, field.name, part)  # works for frozen dataclasses, too
    return made


def of_each(targets: Any, n: int) -> list[Any]:
    """The targets of each of `n` samples; raises ValueError unless `targets` is a list or tuple of length `n`."""
    if not isinstance(targets, tuple | MutableSequence) or len(targets) != n:
        number = f" of {len(targets)}" if hasattr(targets, "__len__") else ""
        kind = f"{type(targets).__name__}{number}"
        raise ValueError(f"targets of a batch must be a list of {n}, one for each sample, not a {kind}")
    return list(targets)
