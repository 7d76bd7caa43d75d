"""Clips in the report: an animation beside a strip of frames. This module does not import torch."""

from __future__ import annotations

import numpy as np
from PIL import Image

from autoaug.modalities.image.pictures import shown, shrunk

#: The most frames of a strip and of an animation, pixels of the longest side of a frame and between two, and how long
#: the animation shows each.
_FRAMES, _MOVING, _SIDE, _GAP, _MILLISECONDS = 5, 16, 80, 2, 200


def html(sample: np.ndarray, words: str) -> str:
    """uint8 ``[T, C, H, W]`` as an ``<img>``: the clip as it moves, then some frames from the first to the last. Time
    goes to the right, and on in a second row. Of a clip that does not move one frame is shown.
    """
    if sample.ndim != 4 or sample.dtype != np.uint8:
        raise ValueError(f"a clip must be uint8 [T, C, H, W], not {sample.dtype} {list(sample.shape)}")
    moving, still = ([shrunk(frame, _SIDE) for frame in _some(sample, most)] for most in (_MOVING, _FRAMES))
    pages = [_strip([frame, *still]) for frame in moving] if len(sample) > 1 else moving
    return shown(pages, words, _MILLISECONDS)


def _some(frames: np.ndarray, most: int) -> np.ndarray:
    """At most so many frames, evenly from the first to the last."""
    kept: np.ndarray = frames[np.linspace(0, len(frames) - 1, min(len(frames), most)).round().astype(int)]
    return kept


def _strip(frames: list[Image.Image]) -> Image.Image:
    """Frames in rows of three, or in one of up to four."""
    across = len(frames) if len(frames) <= 4 else 3
    width, height = (side + _GAP for side in frames[0].size)
    down = -(-len(frames) // across)
    white = (255,) * len(frames[0].getbands())
    strip = Image.new(frames[0].mode, (across * width - _GAP, down * height - _GAP), white)
    for place, frame in enumerate(frames):
        strip.paste(frame, (place % across * width, place // across * height))
    return strip
