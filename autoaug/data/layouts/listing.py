"""Listed files with labels, from any layout, and how they become a source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from autoaug.data.inputs import DECODERS, FileInputs, Reader
from autoaug.data.labels import Kind, as_numbers, index_labels, parse_labels
from autoaug.data.source import Part, Role, Source
from autoaug.data.spill import SpillFolder
from autoaug.data.texts import characters, encode_texts
from autoaug.errors import DataError, first_line, printable
from autoaug.utils.quantities import counted

#: What to do with a table that no modality recognizes.
OF_SAMPLES = "; if the samples themselves are in it, such as texts, name what they are with --modality"

#: What is known about a file after it was read once; never text, which stands for an error.
Header = TypeVar("Header")


@dataclass(frozen=True)
class Item:
    """One listed sample; `is_augmented` marks a copy made by `autoaug expand`."""

    path: Path
    label: str
    role: Role
    group: str | None = None
    is_augmented: bool = False


@dataclass(frozen=True)
class Listing:
    """The samples that a layout lists.

    Attributes:
        name: the name of the data.
        items: the samples.
        classes: names of classes that should have samples, besides those in `items`.
        left_out, assumed: see `Source`.
        kind: what is predicted, and so what the labels of the items are: a class, several labels joined by semicolons,
            a number, or a text.
        spill: the temporary folder that the files are in, if they are in one.
    """

    name: str
    items: tuple[Item, ...]
    classes: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    kind: Kind = "classification"
    spill: SpillFolder | None = None


@dataclass(frozen=True)
class Common:
    """How all files of a listing are read: the `reader`, and `forms`, `rule`, `unusual` and `scale` of the source."""

    reader: Reader
    forms: dict[str, dict[str, int]] = field(default_factory=dict)
    rule: str = ""
    unusual: tuple[str, ...] = ()
    scale: Mapping[str, float] = field(default_factory=dict)


def open_listing(
    listing: Listing,
    inspect: Callable[[Path], Header],
    agree: Callable[[Sequence[tuple[Item, Header]]], Common],
) -> Source:
    """Make a source from a listing. Every file is read once, so that damaged ones are known from the start.

    Args:
        listing: the files.
        inspect: reads what has to be known about a file; may raise anything if it is damaged.
        agree: decides how all readable files are read, from what is known about each.

    Raises:
        DataError: no file of a split can be read, or a class is missing from the training split.
    """
    if not listing.items:
        instead = f"; there are {', '.join(listing.left_out)}" if listing.left_out else ""
        raise DataError(f"{listing.name}: there are no files that can be samples of this modality{instead}")
    checked = _check(listing.items, inspect)
    readable = [(item, header) for item, header in checked if not isinstance(header, str)]
    unreadable = tuple(f"{printable(str(item.path))}: {cause}" for item, cause in checked if isinstance(cause, str))
    for role in ("train", *{item.role: None for item in listing.items}):
        if not any(item.role == role for item, _ in readable):
            first = f"; the first: {unreadable[0]}" if unreadable else ""
            what = "training" if role == "train" else role
            raise DataError(
                f"{listing.name}: none of {counted(len(checked), 'file')} can be read as a {what} sample{first}"
            )
    common = agree(readable)
    roles: list[Role] = [role for role in ("train", "validation", "test") if any(i.role == role for i, _ in readable)]
    by_role = {role: [item for item, _ in readable if item.role == role] for role in roles}
    texts = [[item.label for item in by_role[role]] for role in roles]
    labels, known = labels_of(listing.kind, texts, listing.name)
    return Source(
        name=listing.name,
        classes=known,
        parts={
            role: _part(by_role[role], label, common.reader, listing.spill)
            for role, label in zip(roles, labels, strict=True)
        },
        unreadable=unreadable,
        forms=common.forms,
        rule=common.rule,
        left_out=listing.left_out,
        assumed=listing.assumed,
        empty=tuple(sorted(_listed(listing) - set(known))),
        unusual=common.unusual,
        scale=common.scale,
    )


def labels_of(kind: Kind, texts: list[list[str]], name: str) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """The labels of the samples of each part, the training part first, and the names of the classes or columns.

    Args:
        kind: what the labels are; see `Listing`.
        texts: the labels as text.
        name: the name of the data.
    """
    if kind == "classification":
        return index_labels([np.array(part, dtype=object) for part in texts], None, name)
    if kind == "regression":
        return as_numbers([np.array(part, np.float64)[:, None] for part in texts], name), ("number",)
    joined, ends = [text for part in texts for text in part], np.cumsum([len(part) for part in texts])[:-1]
    if kind == "transcription":
        codes = np.split(encode_texts(joined), ends)
        return codes, characters(codes[0])
    every, names = parse_labels(joined)
    return index_labels(np.split(every, ends), list(names), name)


def _listed(listing: Listing) -> set[str]:
    """The names of all classes that should have samples."""
    if listing.kind in ("regression", "transcription"):
        return set()
    texts = [item.label for item in listing.items]
    return {*listing.classes, *(texts if listing.kind == "classification" else parse_labels(texts)[1])}


def format_left_out(counts: Counter[str]) -> tuple[str, ...]:
    """The counts of what was left out as text: ``3 x .txt``."""
    return tuple(f"{count} x {what}" for what, count in counts.most_common())


def _check(items: Sequence[Item], inspect: Callable[[Path], Header]) -> list[tuple[Item, Header | str]]:
    """Each item with what is known about its file, or with the error as text."""

    def check(item: Item) -> Header | str:
        try:
            return inspect(item.path)
        except Exception as fault:  # decoders do not catch the errors of their parsers
            return _why_unreadable(item.path, fault)

    with ThreadPoolExecutor(DECODERS) as pool:
        return list(zip(items, pool.map(check, items), strict=True))


def _why_unreadable(path: Path, fault: Exception) -> str:
    with suppress(OSError):  # the file may not be there, or have a name that is too long
        if path.is_file() and not path.stat().st_size:
            return "it is empty"
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return first_line(fault).replace(repr(str(path)), "file").replace(str(path), "file")


def _part(items: list[Item], labels: np.ndarray, reader: Reader, spill: SpillFolder | None) -> Part:
    grouped = any(item.group is not None for item in items)
    augmented = np.array([item.is_augmented for item in items])
    names = tuple(printable(str(item.path)) for item in items)
    return Part(
        inputs=FileInputs(tuple(str(item.path) for item in items), reader, spill),
        labels=labels,
        groups=np.array([item.group or name for item, name in zip(items, names, strict=True)]) if grouped else None,
        names=names,
        augmented=augmented if augmented.any() else None,
    )
