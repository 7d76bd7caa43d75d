"""Renamed fields: files in older formats remain readable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, Field


def renamed(name: str, old: str) -> Any:
    """Mark the field `name` of a Pydantic model, in its annotation, as formerly called `old`.

    >>> class Trial(BaseModel):
    ...     seed_index: Annotated[int, renamed("seed_index", "repeat")]
    """
    return Field(validation_alias=AliasChoices(name, old))


def upgraded(document: Any, newest: int) -> Any:
    """Set the format of an older document to `newest`; its fields can be read under their old names."""
    is_older = isinstance(document, dict) and document.get("format") in range(1, newest)
    return {**document, "format": newest} if is_older else document


def with_names(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same values, with each key in `names` replaced by its new name."""
    return {names.get(key, key): value for key, value in values.items()}
