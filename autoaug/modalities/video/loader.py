"""Open data sets of clips."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from autoaug.data.layouts import no_such_data
from autoaug.data.layouts.arrays import converted, open_npz
from autoaug.data.layouts.listing import Common, Item, open_listing
from autoaug.data.source import Source
from autoaug.errors import DataError
from autoaug.modalities.base import AS_SUITS, Reading
from autoaug.modalities.image.decoding import TRANSPARENT, ImageForm, how_resized
from autoaug.modalities.image.sources.arrays import check_values, resized
from autoaug.modalities.image.sources.files import count_sizes
from autoaug.modalities.video.decoding import ClipReader, Header, evenly, is_clip_file, read_header, write
from autoaug.modalities.video.listing import list_clips, recognizes

__all__ = ["as_array", "extra_arrays", "open", "recognizes", "suffix", "write"]

suffix = ".mkv"
extra_arrays: Mapping[str, np.ndarray] = {}

#: The most frames, and the longest side in pixels, that clips get unless they are given.
_FRAMES, _SIDE = 8, 112
#: With more lengths, their range is told instead of each.
_MANY_LENGTHS = 12
#: A crop that takes more than this share of a frame's height or width is told.
_MUCH = 1 / 3
_SINGLE = "a single frame, in which nothing moves"


def open(data: str, memory_limit: int, reading: Reading = AS_SUITS) -> Source:  # noqa: A001 (the seam's name)
    """Open a folder of clips per class, which are video files or folders of frames, a CSV or TSV manifest, or an
    ``.npz`` of arrays ``[N, T, H, W, C]`` or ``[N, T, C, H, W]``.

    Args:
        data: a path.
        memory_limit: bytes; larger arrays are mapped from disk instead of loaded.
        reading: the size of all clips: the side in pixels; the height and the width; or the number of frames, the
            height and the width.

    Raises:
        DataError: the data do not exist, or break a rule of their format.
    """
    size = "x".join(map(str, reading.lengths))
    if len(reading.lengths) > 3:
        raise DataError(f"--size {size}: clips have a number of frames, a height and a width; give one, two or three")
    path = Path(data)
    if path.suffix.lower() == ".npz" and path.is_file():
        source = open_npz(path, memory_limit, _prepare, "clip")
        return replace(_resized(source, reading), unusual=tuple(_still(source)))
    listing = list_clips(data)
    if listing is None:
        raise no_such_data(data, ())
    if importlib.util.find_spec("av") is None and any(is_clip_file(item.path) for item in listing.items):
        raise DataError(f"{data}: video files need PyAV: pip install 'autoaug[video]'")
    return open_listing(listing, read_header, partial(_agree, reading=reading))


def _agree(readable: Sequence[tuple[Item, Header]], reading: Reading) -> Common:
    """Choose the number of frames and the size from the training clips, and the mode from all."""
    headers = [header for _, header in readable]
    training = [header for item, header in readable if item.role == "train"]
    frames = (
        reading.lengths[0] if len(reading.lengths) == 3 else min(_FRAMES, round(median(h.frames for h in training)))
    )
    reader = ClipReader(max(1, frames), _shape(headers, training, reading))
    forms = {
        "sizes": _sizes(headers),
        "frames": _lengths([header.frames for header in headers]),
        "codecs": dict(Counter(header.codec for header in headers).most_common()),
    }
    return Common(reader, forms, _rule(reader, headers), tuple(_unusual(readable, reader.target)))


def _shape(headers: Sequence[Header], training: Sequence[Header], reading: Reading) -> ImageForm:
    """The common shape of frames: the one size that all have, up to 112 pixels on the shorter side; else a square whose
    side is the median of the shorter sides, at most 112.
    """
    channels = 1 if all(header.is_gray for header in headers) else 3
    sizes = frozenset().union(*(header.sizes for header in headers))
    height, width = min(sizes)
    if not reading.lengths and len(sizes) == 1 and min(height, width) <= _SIDE:
        return ImageForm(channels, height, width, resized=False)
    side = min(_SIDE, round(median(min(size) for header in training for size in header.sizes)))
    lengths = reading.lengths[-2:] or (side,)
    return ImageForm(channels, lengths[0], lengths[-1], resized=True, how=reading.how)


def _sizes(headers: Sequence[Header]) -> dict[str, int]:
    """How many clips have frames of which height and width, and in how many these change."""
    fixed = [size for header in headers if len(header.sizes) == 1 for size in header.sizes]
    changing = {"changing": len(headers) - len(fixed)} if len(fixed) < len(headers) else {}
    return (count_sizes(fixed) if fixed else {}) | changing


def _lengths(frames: Sequence[int]) -> dict[str, int]:
    """How many clips have how many frames; only the range if there are many lengths."""
    counts = Counter(map(str, frames))
    if len(counts) <= _MANY_LENGTHS:
        return dict(counts.most_common())
    return {f"from {min(frames)} to {max(frames)}, half of them up to {round(median(frames))}": len(frames)}


def _rule(reader: ClipReader, headers: Sequence[Header]) -> str:
    words = []
    if {header.frames for header in headers} != {reader.frames}:
        words.append(_how_taken(reader.frames))
    if reader.target.resized:
        words.append(how_resized(reader.target.how, reader.target.height, reader.target.width, "frame"))
    if any(header.has_alpha for header in headers):
        words.append(TRANSPARENT)
    return "; ".join(words)


def _how_taken(frames: int) -> str:
    return f"{frames} frames of each clip, spread evenly; shorter ones show some twice"


def _resized(source: Source, reading: Reading) -> Source:
    """Clips of arrays with the number of frames, the height and the width in `reading`."""
    count = source.parts["train"].inputs.shape[0]
    if len(reading.lengths) == 3 and reading.lengths[0] != count:
        rows = evenly(count, reading.lengths[0])
        source = converted(source, partial(np.take, indices=rows, axis=1), _how_taken(len(rows)))
    return resized(source, reading, "frame")


def _cropped(header: Header, form: ImageForm) -> float:
    """The largest share of the height or the width of a frame that is cut off."""
    if not form.resized or form.how != "crop":
        return 0.0
    shapes = [height * form.width / (width * form.height) for height, width in header.sizes]
    return 1 - min(min(shape, 1 / shape) for shape in shapes)


def _unusual(readable: Sequence[tuple[Item, Header]], form: ImageForm) -> Iterator[str]:
    """What is readable and hardly meant, each with the number of clips and the first of them."""
    kinds: dict[str, Callable[[Header], bool]] = {
        _SINGLE: lambda header: header.frames == 1,
        "frames of several sizes; each is resized on its own": lambda header: len(header.sizes) > 1,
        "over a third of a frame's height or width cut off; --resize letterbox or squash keeps it": lambda header: (
            _cropped(header, form) > _MUCH
        ),
    }
    for words, is_so in kinds.items():
        paths = [item.path for item, header in readable if is_so(header)]
        if paths:
            yield f"{len(paths)} of {len(readable)} clips have {words}; the first: {paths[0]}"


def _still(source: Source) -> Iterator[str]:
    """Whether the clips of arrays have a single frame."""
    if source.parts["train"].inputs.shape[0] == 1:
        names = [name for part in source.parts.values() for name in part.names]
        yield f"{len(names)} of {len(names)} clips have {_SINGLE}; the first: {names[0]}"


def _prepare(array: np.ndarray, where: str) -> Callable[[np.ndarray], np.ndarray]:
    """Check the array, and return a function that converts its rows to uint8 ``[n, T, C, H, W]``."""
    axis = -1 if array.ndim == 5 and array.shape[-1] <= 4 else 2
    if array.ndim != 5 or array.shape[axis] > 4:
        raise DataError(
            f"{where} must be [N, T, H, W, C] or [N, T, C, H, W] with up to 4 channels, not {list(array.shape)}"
        )
    check_values(array, where, "clip")
    return partial(_as_clips, axis=axis)


def _as_clips(array: np.ndarray, axis: int) -> np.ndarray:
    first = np.moveaxis(array, axis, 2)
    if first.dtype != np.uint8:
        first = (first * 255).round().clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(first)


def as_array(samples: np.ndarray) -> np.ndarray:
    """Convert uint8 ``[n, T, C, H, W]`` to the format of ``.npz`` files: ``[n, T, H, W, C]``."""
    return np.ascontiguousarray(samples.transpose(0, 1, 3, 4, 2))
