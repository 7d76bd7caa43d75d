"""Images in separate files, which are converted to one shape and depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autoaug.data.layouts.listing import Common, Item, Listing, open_listing
from autoaug.data.source import Source
from autoaug.modalities.base import Reading
from autoaug.modalities.image.decoding import (
    Header,
    ImageForm,
    common_depth,
    common_shape,
    decode,
    describe_depth,
    how_resized,
    image_endings,
    read_header,
)

#: More sizes than this are reported as a range.
_MANY_SIZES = 10


@dataclass(frozen=True)
class ImageReader:
    """Reads image files as uint8 ``[C, H, W]`` of the target shape; see `Reader`."""

    target: ImageForm

    @property
    def shape(self) -> tuple[int, ...]:
        return self.target.channels, self.target.height, self.target.width

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8)

    def read(self, path: Path) -> np.ndarray:
        return decode(path, self.target)

    def rewritten(self, path: Path) -> np.ndarray | None:
        """The image in its own size; None if the file already has the data set's format (gray or color, 8 bits)."""
        if path.suffix.lower() in image_endings() and read_header(path).is_stored_as_read(self.target.channels):
            return None
        return decode(path, replace(self.target, resized=False))


def open_images(listing: Listing, reading: Reading) -> Source:
    """Open image files as a source, resized as `reading` says."""
    return open_listing(listing, read_header, partial(_agree, reading=reading))


def _agree(readable: Sequence[tuple[Item, Header]], reading: Reading) -> Common:
    """Choose the common shape from the training images, and the common depth from all images."""
    headers = [header for _, header in readable]
    shape = common_shape([header for item, header in readable if item.role == "train"], reading)
    is_one_size = len({(h.height, h.width) for h in headers}) == 1
    shape = replace(shape, resized=shape.resized or not is_one_size, depth=common_depth(headers))
    forms = {
        "sizes": count_sizes([(h.height, h.width) for h in headers]),
        "modes": dict(Counter(h.mode for h in headers).most_common()),
    }
    return Common(ImageReader(shape), forms, _rule(shape, headers), scale=asdict(shape.depth))


def count_sizes(sizes: Sequence[tuple[int, int]]) -> dict[str, int]:
    """How many pictures have which height and width; only the ranges of these if there are many."""
    counts = Counter(f"{height}x{width}" for height, width in sizes)
    if len(counts) <= _MANY_SIZES:
        return dict(counts.most_common())
    (low, high), (narrow, wide) = ((min(sides), max(sides)) for sides in zip(*sizes, strict=True))
    return {f"heights from {low} to {high}, widths from {narrow} to {wide}": len(sizes)}


def _rule(shape: ImageForm, headers: Sequence[Header]) -> str:
    words = describe_depth(headers)
    if shape.resized:
        words.insert(0, how_resized(shape.how, shape.height, shape.width))
    return "; ".join(words)
