"""Samples in tuples and mappings, with their labels and annotations beside them."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

from autoaug.errors import OptionError
from autoaug.functional.containers import parts_of, with_parts
from autoaug.modalities.base import Values

#: The types of structures; a tuple, since ``tuple | MutableMapping`` would be made anew with each call.
STRUCTURES = (tuple, MutableMapping)


@dataclass(frozen=True)
class Structure:
    """A tuple or mapping with a sample, or a batch of them.

    Attributes:
        whole: the tuple or mapping.
        place: the place of the sample among its parts.
    """

    whole: Any
    place: int

    @property
    def sample(self) -> Any:
        """The sample."""
        return (parts_of(self.whole) or [])[self.place]

    @property
    def others(self) -> list[Any]:
        """All other parts."""
        return [part for place, part in enumerate(parts_of(self.whole) or []) if place != self.place]

    def made(self, sample: Any, others: Iterable[Any]) -> Any:
        """The same with another sample and other parts."""
        parts = list(others)
        return with_parts(self.whole, [*parts[: self.place], sample, *parts[self.place :]])


def structure_of(given: Any, values: Values) -> Structure:
    """The structure, one of `STRUCTURES`, that a transform was called with. Raises `OptionError` unless exactly one of
    its parts can be a sample.
    """
    names = list(given) if isinstance(given, MutableMapping) else range(len(given))
    found = [place for place, part in enumerate(parts_of(given) or []) if values.is_sample(part)]
    if len(found) != 1:
        there = ", ".join(repr(names[place]) for place in found) or "none"
        cure = "wrap masks and the like as tv_tensors, so that they move along" if found else "pass a sample"
        raise OptionError(
            f"a {type(given).__name__} must have one part that is a sample, and of {list(names)} these can be one: "
            f"{there}; {cure}"
        )
    return Structure(given, found[0])
