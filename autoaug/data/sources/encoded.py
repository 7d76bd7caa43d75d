"""Encoded images that lie in other files: written out one by one, then read as any image files are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from autoaug.data.source import ROLE_NAMES, Role, Source
from autoaug.data.sources.files import Item, open_files
from autoaug.data.spill import spill_folder
from autoaug.errors import DataError


class Encoded(NamedTuple):
    """One image as a file's content, PNG or JPEG or any that Pillow reads, with its label."""

    content: bytes
    label: str
    role: Role


def open_encoded(name: str, samples: Iterable[Encoded], image_size: int | None) -> Source:
    """A source from images in files of another kind; raises `DataError` where there are none.

    They are written to a temporary folder, which is removed when this process ends.
    """
    folder, items = spill_folder(), []
    for number, sample in enumerate(samples):
        path = folder / f"{sample.role}-{number:07}"
        path.write_bytes(sample.content)
        items.append(Item(path, sample.label, sample.role))
    if not items:
        raise DataError(f"{name}: there are no images in it")
    return open_files(name, items, image_size)


def role_in(name: str) -> Role:
    """The role that a file's name tells, as ``test-00000-of-00001.parquet`` does; train where it tells none."""
    words = name.lower().replace("_", "-").replace(".", "-").split("-")
    return next((ROLE_NAMES[word] for word in words if word in ROLE_NAMES), "train")
