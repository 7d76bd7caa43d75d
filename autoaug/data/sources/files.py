"""Sample files with labels, from whichever listing: what folders and manifests have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from autoaug.data.inputs import DECODERS, FileImages
from autoaug.data.source import Part, Role, Source, index_labels
from autoaug.errors import DataError, first_line, printable
from autoaug.modalities.image.decoding import (
    UNREADABLE,
    Header,
    Shape,
    common_depth,
    common_shape,
    describe_depth,
    read_header,
)


@dataclass(frozen=True)
class Item:
    """One listed sample."""

    path: Path
    label: str
    role: Role
    group: str | None = None


def open_files(
    name: str,
    items: list[Item],
    size: int | None,
    classes: Iterable[str] = (),
    left_out: tuple[str, ...] = (),
    assumed: tuple[str, ...] = (),
) -> Source:
    """A source from a listing; every file is decoded once, so that what is damaged is known from the start.

    Args:
        name: what to call the source.
        items: the listing.
        image_size: as for `common_shape`.
        classes: names that should have samples, beside those that are in `items`.
        left_out: of `Source`.
        assumed: likewise.
    """
    checked = _check(items)
    readable = [(item, header) for item, header in checked if isinstance(header, Header)]
    unreadable = tuple(f"{printable(str(item.path))}: {cause}" for item, cause in checked if isinstance(cause, str))
    for role in ("train", *{item.role: None for item in items}):
        if not any(item.role == role for item, _ in readable):
            first = f"; the first: {unreadable[0]}" if unreadable else ""
            what = "training" if role == "train" else role
            raise DataError(f"{name}: none of {len(items)} files can be read as a {what} sample{first}")
    headers = [header for _, header in readable]
    shape = common_shape([header for item, header in readable if item.role == "train"], size)
    is_one_size = len({(h.height, h.width) for h in headers}) == 1
    shape = replace(shape, resized=shape.resized or not is_one_size, depth=common_depth(headers))
    roles: list[Role] = [role for role in ("train", "validation", "test") if any(i.role == role for i, _ in readable)]
    by_role = {role: [item for item, _ in readable if item.role == role] for role in roles}
    texts = [np.array([i.label for i in by_role[role]], dtype=object) for role in roles]
    labels, known = index_labels(texts, None, name)
    return Source(
        name=name,
        classes=known,
        parts={role: _part(by_role[role], label, shape) for role, label in zip(roles, labels, strict=True)},
        unreadable=unreadable,
        sizes=dict(Counter(f"{h.height}x{h.width}" for h in headers).most_common()),
        modes=dict(Counter(h.mode for h in headers).most_common()),
        rule=_rule(shape, headers),
        left_out=left_out,
        assumed=assumed,
        empty=tuple(sorted({*classes, *(item.label for item in items)} - set(known))),
    )


def spelt_out(left_out: Counter[str]) -> tuple[str, ...]:
    """What was left out, with how often: ``3 x .txt``."""
    return tuple(f"{count} x {what}" for what, count in left_out.most_common())


def _rule(shape: Shape, headers: Sequence[Header]) -> str:
    words = describe_depth(headers)
    if shape.resized:
        words.insert(
            0,
            f"each sample is scaled so that it covers {shape.height} x {shape.width} pixels and cropped to them about "
            "its center",
        )
    return "; ".join(words)


def _check(items: Sequence[Item]) -> list[tuple[Item, Header | str]]:
    def check(item: Item) -> Header | str:
        try:
            return read_header(item.path)
        except UNREADABLE as fault:
            return first_line(fault).replace(repr(str(item.path)), "file").replace(str(item.path), "file")

    with ThreadPoolExecutor(DECODERS) as pool:
        return list(zip(items, pool.map(check, items), strict=True))


def _part(items: list[Item], labels: np.ndarray, shape: Shape) -> Part:
    grouped = any(item.group is not None for item in items)
    names = tuple(printable(str(item.path)) for item in items)
    return Part(
        inputs=FileImages(tuple(str(item.path) for item in items), shape),
        labels=labels,
        groups=np.array([item.group or name for item, name in zip(items, names, strict=True)]) if grouped else None,
        names=names,
    )
