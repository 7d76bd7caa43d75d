"""Fields that had another name in an older format: files of that format are still read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, Field


def renamed(name: str, old: str) -> Any:
    """Marks the field `name` of a Pydantic model, in its annotation, as one that was called `old`.

    >>> class Trial(BaseModel):
    ...     seed_index: Annotated[int, renamed("seed_index", "repeat")]
    """
    return Field(validation_alias=AliasChoices(name, old))


def upgraded(document: Any, newest: int) -> Any:
    """A document of an older format, whose fields are read under their old names too, as one of the `newest`."""
    is_older = isinstance(document, dict) and document.get("format") in range(1, newest)
    return {**document, "format": newest} if is_older else document


def with_names(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same values, where a key of `names` stands under the new name there."""
    return {names.get(key, key): value for key, value in values.items()}
