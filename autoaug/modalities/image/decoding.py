"""Decode image files to arrays, and bring images of different sizes, modes and depths to one form."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image, ImageOps

from autoaug.functional.bounds import within_rounding
from autoaug.modalities.base import AS_SUITS, Reading
from autoaug.utils.files import regular_file

#: Larger images are scaled down to this many pixels on the shorter side, which is enough for a proxy network.
LARGEST_SIDE = 224

#: Formats that Pillow only recognizes, or passes to another program to render.
_NOT_DECODED = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"})
_INTEGERS = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
_FLOATS = frozenset({"F"})
_GRAY_MODES = frozenset({"1", "L", "LA"}) | _INTEGERS | _FLOATS
_WITH_ALPHA = frozenset({"LA", "PA", "RGBA", "La", "RGBa"})
#: Raw modes with 16 bits per color channel, such as ``RGB;16B``, of which Pillow reads 8; ``BGR;16`` has 16 per pixel.
_DEEP_COLOR = re.compile(r";16[BLNS]")

#: The Exif tag of how a picture was held, its values but for upright, and those that exchange width and height.
_ORIENTATION, _TURNED, _LYING = 0x0112, range(2, 9), range(5, 9)

#: What Pillow may raise on files that are damaged, truncated, absurdly large, or not images: its plugins do not catch
#: the errors of their parsers.
UNREADABLE = (Exception,)


@cache
def image_formats() -> tuple[str, ...]:
    """The formats that Pillow itself can decode on this machine, in its own order."""
    Image.init()
    return tuple(name for name in Image.ID if name not in _NOT_DECODED)


@cache
def image_endings() -> frozenset[str]:
    """The file suffixes of those formats, such as ``.png``."""
    formats = set(image_formats())
    return frozenset(ending for ending, name in Image.registered_extensions().items() if name in formats)


@dataclass(frozen=True)
class Header:
    """What is known about an image file after it was read once.

    Attributes:
        width, height: in pixels, after turning the image upright.
        mode: Pillow's name for the pixel format.
        high: the largest value of a gray image with more than 8 bits, otherwise 0.
        is_deep_color: whether it has 16 bits per color channel, of which Pillow reads the upper 8.
        has_alpha: whether pixels can be transparent.
        has_frames: whether the file contains more than one image.
        is_turned: whether an Exif tag says that it has to be turned or mirrored, which not every reader does.
    """

    width: int
    height: int
    mode: str
    high: float = 0
    is_deep_color: bool = False
    has_alpha: bool = False
    has_frames: bool = False
    is_turned: bool = False

    @property
    def is_gray(self) -> bool:
        return self.mode in _GRAY_MODES

    def is_stored_as_read(self, channels: int) -> bool:
        """Whether any other reader gets from the file what `decode` returns for this number of channels."""
        as_read = self.mode == ("L" if channels == 1 else "RGB")
        return as_read and not (self.is_deep_color or self.has_frames or self.is_turned)


@dataclass(frozen=True)
class Depth:
    """How gray values with more than 8 bits are converted to 0 to 255, for a whole data set: integers lose their lowest
    `shift` bits; floats are multiplied by `factor` and rounded.
    """

    shift: int = 0
    factor: float = 255.0


@dataclass(frozen=True)
class ImageForm:
    """The form of all images of a data set: channels, height and width, whether images are resized to it, how gray
    values with more than 8 bits are converted, and how images are resized.
    """

    channels: int
    height: int
    width: int
    resized: bool
    depth: Depth = Depth()
    how: str = "crop"


def read_header(path: Path) -> Header:
    """Read the header of a file, after decoding all of it once; raises one of `UNREADABLE`."""
    with _opened(path) as opened:
        size, mode, is_deep, has_alpha = opened.size, opened.mode, _is_deep_color(opened), _has_alpha(opened)
        opened.draft(None, (1, 1))  # a JPEG file is decoded at an eighth of its size, which shows damage as well
        image = ImageOps.exif_transpose(opened)
        held = opened.getexif().get(_ORIENTATION)
        upright = size[::-1] if held in _LYING else size
        high = _largest(image) if mode in _INTEGERS | _FLOATS else 0
        if mode not in _GRAY_MODES:
            _converted(image, "RGB")
        has_frames = bool(getattr(opened, "is_animated", False))  # last, since it moves to the second frame
    return Header(*upright, mode, high, is_deep, has_alpha, has_frames, held in _TURNED)


def common_shape(headers: Sequence[Header], reading: Reading = AS_SUITS) -> ImageForm:
    """The common shape of all images.

    If all images have the same size with a shorter side up to 224 pixels, it is kept. Otherwise, or if `reading` has a
    size, images are resized to it; without one, to a square whose side is the median of the shorter sides, at most 224.
    If any image is in color, all become color images.
    """
    channels = 1 if all(header.is_gray for header in headers) else 3
    sizes = {(header.height, header.width) for header in headers}
    height, width = next(iter(sizes))
    if not reading.lengths and len(sizes) == 1 and min(height, width) <= LARGEST_SIDE:
        return ImageForm(channels, height, width, resized=False)
    side = min(LARGEST_SIDE, round(median(min(h.width, h.height) for h in headers)))
    lengths = reading.lengths or (side,)
    return ImageForm(channels, lengths[0], lengths[-1], resized=True, how=reading.how)


def common_depth(headers: Sequence[Header]) -> Depth:
    """How to convert all gray values with more than 8 bits in a data set.

    Integers keep the upper 8 of the bits that the largest value needs, or of 16 if there are color images with 16 bits,
    of which Pillow keeps the upper 8. Floats are in [0, 1], or in [0, 255] if one is above 1.
    """
    bits = max((int(header.high).bit_length() for header in headers if header.mode in _INTEGERS), default=0)
    if any(header.is_deep_color for header in headers):
        bits = max(bits, 16)
    highest = max((header.high for header in headers if header.mode in _FLOATS), default=0)
    return Depth(max(0, bits - 8), 255.0 if within_rounding(0, highest) else 1.0)


#: What is done with transparency, as text.
TRANSPARENT = "transparency is dropped: a transparent pixel gets its stored color"


def describe_depth(headers: Sequence[Header]) -> list[str]:
    """Describe how `common_depth` converts images, and how transparency and several frames are treated."""
    depth, words = common_depth(headers), []
    deep = [header for header in headers if header.mode in _INTEGERS]
    if deep or any(header.is_deep_color for header in headers):
        highest = f", of which the largest is {max(header.high for header in deep):.0f}," if deep else ""
        words.append(f"values with more than 8 bits{highest} are divided by {2**depth.shift} and rounded down")
    floats = [header.high for header in headers if header.mode in _FLOATS]
    if floats:
        words.append(f"floats, of which the largest is {max(floats):g}, are multiplied by {depth.factor:g} and rounded")
    if any(header.has_alpha for header in headers):
        words.append(TRANSPARENT)
    if any(header.has_frames for header in headers):
        words.append("only the first frame of a file is used")
    return words


def decode(path: Path, shape: ImageForm) -> np.ndarray:
    """Decode the image as uint8 ``[C, H, W]``, upright, and resize it if ``shape.resized``.

    Raises one of `UNREADABLE`.
    """
    with _opened(path) as opened:
        if shape.resized:
            _read_smaller(opened, shape)
        return as_pixels(ImageOps.exif_transpose(opened), shape)


def as_pixels(image: Image.Image, shape: ImageForm) -> np.ndarray:
    """An upright image as uint8 ``[C, H, W]``, resized if ``shape.resized``."""
    if image.mode in _INTEGERS | _FLOATS:
        image = _shallow(image, shape.depth)
    image = _converted(image, "L" if shape.channels == 1 else "RGB")
    if shape.resized:
        image = _RESIZE[shape.how](image, (shape.width, shape.height), Image.Resampling.BILINEAR)
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


@dataclass(frozen=True)
class Resizing:
    """Resizes uint8 ``[..., H, W]`` to a height and width, each channel on its own; see `how_resized`."""

    height: int
    width: int
    how: str

    def __call__(self, images: np.ndarray) -> np.ndarray:
        out = np.empty((*images.shape[:-2], self.height, self.width), np.uint8)
        for place in np.ndindex(images.shape[:-2]):
            channel = Image.fromarray(images[place])
            out[place] = np.asarray(_RESIZE[self.how](channel, (self.width, self.height), Image.Resampling.BILINEAR))
        return out


def how_resized(how: str, height: int, width: int, noun: str = "image") -> str:
    """What is done to images, or what else they are called, that are resized, as text."""
    size = f"{height} x {width} pixels"
    return {
        "crop": f"each {noun} is scaled to cover {size} and center-cropped",
        "letterbox": f"each {noun} is scaled to fit into {size}, and the rest is black",
        "squash": f"each {noun} is scaled to {size}, whatever its shape",
    }[how]


#: The ways to resize a picture to a width and height, with a filter.
_RESIZE: Mapping[str, Callable[[Image.Image, tuple[int, int], Image.Resampling], Image.Image]] = {
    "crop": ImageOps.fit,
    "letterbox": ImageOps.pad,
    "squash": lambda image, size, method: image.resize(size, method),
}
#: A JPEG file is read at a half, a quarter or an eighth of its size while that is at least this many times the wanted
#: one, as Pillow's thumbnails are: large photographs take a fraction of the time and memory, and look the same.
_GAP = 2


def _read_smaller(opened: Image.Image, shape: ImageForm) -> None:
    """Have a large JPEG file read at a smaller size."""
    side = _GAP * max(shape.width, shape.height)  # it may be turned upright later
    opened.draft(None, (side, side))


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """The image in another mode. The transparency of its colors is dropped, of which Pillow would warn."""
    image.info.pop("transparency", None)
    return image.convert(mode)


def _opened(path: Path) -> Image.Image:
    return Image.open(regular_file(path), formats=image_formats())


def _is_deep_color(image: Image.Image) -> bool:
    if image.mode in _INTEGERS | _FLOATS:
        return False
    found = [tile[3] for tile in getattr(image, "tile", ())]  # the decoder's arguments; older tiles have no names
    arguments = [part for given in found for part in (given if isinstance(given, tuple) else (given,))]
    is_wide = image.format == "PPM" and any(isinstance(part, int) and part > 255 for part in arguments)
    return is_wide or any(isinstance(part, str) and _DEEP_COLOR.search(part) is not None for part in arguments)


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _WITH_ALPHA or "transparency" in image.info


def _largest(image: Image.Image) -> float:
    """The largest gray value of an image with more than 8 bits; raises `ValueError` if values cannot be converted."""
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("it has NaN or infinite values; repair it")
    if not within_rounding(low, high, 255 if image.mode in _FLOATS else math.inf):
        raise ValueError(f"its values are from {low:g} to {high:g}; scale them to [0, 1], or store integers from 0")
    return high


def _shallow(image: Image.Image, depth: Depth) -> Image.Image:
    """Convert a gray image with more than 8 bits to 8 bits."""
    values = np.asarray(image)
    is_float = image.mode in _FLOATS
    scaled = (values * depth.factor).round() if is_float else values.astype(np.int64) >> depth.shift
    return Image.fromarray(scaled.clip(0, 255).astype(np.uint8))
