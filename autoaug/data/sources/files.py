"""Image files with labels, from whichever listing: what folders and manifests have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoaug.data.images import DECODERS, FileImages
from autoaug.data.source import Part, Role, Source, index_labels
from autoaug.errors import DataError
from autoaug.modalities.image.decoding import UNREADABLE, Header, Shape, common_shape, decode, read_header


@dataclass(frozen=True)
class Item:
    """One listed image."""

    path: Path
    label: str
    role: Role
    group: str | None = None


def open_files(name: str, items: list[Item], image_size: int | None) -> Source:
    """A source from a listing; every file is decoded once, so that what is damaged is known from the start."""
    checked = _check(items)
    readable = [(item, header) for item, header in checked if isinstance(header, Header)]
    unreadable = tuple(f"{item.path}: {cause}" for item, cause in checked if isinstance(cause, str))
    if not any(item.role == "train" for item, _ in readable):
        first = f"; the first: {unreadable[0]}" if unreadable else ""
        raise DataError(f"{name}: none of {len(items)} files can be read as a training image{first}")
    headers = [header for _, header in readable]
    shape = common_shape([header for item, header in readable if item.role == "train"], image_size)
    if not shape.resized and len({(h.height, h.width) for h in headers}) > 1:
        shape = Shape(shape.channels, shape.height, shape.width, resized=True)
    roles: list[Role] = [role for role in ("train", "validation", "test") if any(i.role == role for i, _ in readable)]
    by_role = {role: [item for item, _ in readable if item.role == role] for role in roles}
    labels, classes = index_labels([np.array([i.label for i in by_role[role]]) for role in roles], None, name)
    return Source(
        name=name,
        classes=classes,
        parts={role: _part(by_role[role], label, shape) for role, label in zip(roles, labels, strict=True)},
        unreadable=unreadable,
        sizes=dict(Counter(f"{h.height}x{h.width}" for h in headers).most_common()),
        modes=dict(Counter(h.mode for h in headers).most_common()),
        rule=_rule(shape),
    )


def _rule(shape: Shape) -> str:
    if not shape.resized:
        return ""
    return (
        f"each image is scaled so that it covers {shape.height} x {shape.width} pixels and cropped to them about its "
        "centre"
    )


def _check(items: Iterable[Item]) -> list[tuple[Item, Header | str]]:
    def check(item: Item) -> Header | str:
        try:
            header = read_header(item.path)
            decode(item.path)
        except UNREADABLE as fault:
            return str(fault).replace(str(item.path), "file") or type(fault).__name__
        return header

    items = list(items)
    with ThreadPoolExecutor(DECODERS) as pool:
        return list(zip(items, pool.map(check, items), strict=True))


def _part(items: list[Item], labels: np.ndarray, shape: Shape) -> Part:
    grouped = any(item.group is not None for item in items)
    return Part(
        images=FileImages(tuple(str(item.path) for item in items), shape),
        labels=labels,
        groups=np.array([item.group or str(item.path) for item in items]) if grouped else None,
        names=tuple(str(item.path) for item in items),
    )
