"""Image files to arrays, and the rule by which images of different sizes become one size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image, ImageOps

EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})

#: Larger images are scaled down to this many pixels on the shorter side: a proxy network sees no more.
LARGEST_SIDE = 224

_GREY_MODES = frozenset({"1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L"})

#: What Pillow raises on files that are damaged, cut off, absurdly large, or no images.
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, EOFError)


@dataclass(frozen=True)
class Header:
    """Size and mode of an image file, after turning it upright."""

    width: int
    height: int
    mode: str

    @property
    def is_grey(self) -> bool:
        return self.mode in _GREY_MODES


@dataclass(frozen=True)
class Shape:
    """What every image of a data set becomes: channels, height and width, and whether it is cropped to that."""

    channels: int
    height: int
    width: int
    resized: bool


def read_header(path: Path) -> Header:
    """Size and mode without decoding; raises one of `UNREADABLE`."""
    with Image.open(path) as image:
        width, height = image.size
        turned = image.getexif().get(0x0112, 1) >= 5
        return Header(height, width, image.mode) if turned else Header(width, height, image.mode)


def common_shape(headers: list[Header], image_size: int | None = None) -> Shape:
    """The shape that all images take.

    One size up to 224 pixels stays as it is. Otherwise (sizes differ, or are larger, or `image_size` is given) each
    image is scaled so that its shorter side is S and the central S x S square is kept; S is `image_size`, else the
    median of the shorter sides, at most 224. One colour image makes all colour.
    """
    channels = 1 if all(header.is_grey for header in headers) else 3
    sizes = {(header.height, header.width) for header in headers}
    height, width = next(iter(sizes))
    if image_size is None and len(sizes) == 1 and min(height, width) <= LARGEST_SIDE:
        return Shape(channels, height, width, resized=False)
    side = image_size or min(LARGEST_SIDE, round(median(min(h.width, h.height) for h in headers)))
    return Shape(channels, side, side, resized=True)


def decode(path: Path, shape: Shape | None = None) -> np.ndarray:
    """The image as uint8 ``[C, H, W]``, upright; in its own size and mode where `shape` is None.

    Raises one of `UNREADABLE`.
    """
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        grey = shape.channels == 1 if shape else image.mode in _GREY_MODES
        image = _grey_image(image) if grey else image.convert("RGB")
        if shape and shape.resized:
            image = ImageOps.fit(image, (shape.width, shape.height), Image.Resampling.BILINEAR)
        pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def as_picture(image: np.ndarray) -> Image.Image:
    """uint8 ``[C, H, W]`` of 1 or 3 channels as a picture to be saved."""
    return Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))


def _grey_image(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.int64)
        return Image.fromarray((deep >> 8 if deep.max(initial=0) > 255 else deep).clip(0, 255).astype(np.uint8))
    return image.convert("L")
