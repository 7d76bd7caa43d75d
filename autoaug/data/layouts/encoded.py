"""Encoded samples inside other files: they are extracted to separate files, and then read like any files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from autoaug.data.layouts.listing import Item, Listing, format_left_out
from autoaug.data.source import ROLE_NAMES, Role
from autoaug.data.spill import SpillFolder
from autoaug.errors import DataError


class Encoded(NamedTuple):
    """One sample as the content of a file, with its label."""

    content: bytes
    label: str
    role: Role


def list_encoded(
    name: str,
    samples: Iterable[Encoded],
    parts: Sequence[str],
    left_out: Counter[str] | None = None,
    unused: Collection[str] = (),
) -> Listing:
    """Write samples to a temporary folder and list them; raises `DataError` if there are none.

    The folder is removed with the samples.

    Args:
        name: the name of the data.
        samples: the samples.
        parts: the names of shards or splits from which the roles were taken.
        left_out: counts what is left out while `samples` are read.
        unused: the columns that are not used, gathered while `samples` are read.
    """
    spill, items = SpillFolder(), []
    for number, sample in enumerate(samples):
        path = spill.path / f"{sample.role}-{number:07}"
        path.write_bytes(sample.content)
        items.append(Item(path, sample.label, sample.role))
    if not items:
        raise DataError(f"{name}: there are no samples in it")
    words = (*format_left_out(left_out or Counter()), *(f"column {column!r}" for column in unused))
    return Listing(name, tuple(items), left_out=words, assumed=_assumed(parts), spill=spill)


def role_in(name: str) -> Role:
    """The role in a file name such as ``test-00000-of-00001.parquet``; train if there is none."""
    return next((ROLE_NAMES[word] for word in _words(name) if word in ROLE_NAMES), "train")


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", name.lower())


def _assumed(parts: Sequence[str]) -> tuple[str, ...]:
    """The message about names without a role, if only some of several names have one."""
    silent = [part for part in parts if ROLE_NAMES.keys().isdisjoint(_words(part))]
    if len(parts) < 2 or len(silent) in {0, len(parts)}:
        return ()
    more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
    return (f"{silent[0]}{more}: no split (train, val or test) in the name, so it is used as training data",)
