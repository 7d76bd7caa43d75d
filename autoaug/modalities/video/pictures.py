"""Clips in the report: an animation beside a strip of frames. This module does not import torch."""

from __future__ import annotations

from html import escape

import numpy as np

from autoaug.modalities.image.pictures import animated_uri

#: The most frames of a strip, the pixels between two, and how long the animation shows each.
_FRAMES, _GAP, _MILLISECONDS = 5, 2, 200


def html(sample: np.ndarray, words: str) -> str:
    """uint8 ``[T, C, H, W]`` as an ``<img>``: the clip as it moves, then some frames from the first to the last. Time
    goes to the right, and on in a second row. Of a clip that does not move one frame is shown.
    """
    if sample.ndim != 4 or sample.dtype != np.uint8:
        raise ValueError(f"a clip must be uint8 [T, C, H, W], not {sample.dtype} {list(sample.shape)}")
    rows = np.linspace(0, len(sample) - 1, min(len(sample), _FRAMES)).round().astype(int)
    moving = [_strip(np.stack([frame, *sample[rows]])) for frame in sample] if len(sample) > 1 else [*sample]
    uri = animated_uri(np.stack(moving), _MILLISECONDS)
    return f'<img src="{uri}" alt="{escape(words)}" style="image-rendering: pixelated">'


def _strip(frames: np.ndarray) -> np.ndarray:
    """Frames ``[k, C, H, W]`` in rows of three, or in one of up to four."""
    count, channels, height, width = frames.shape
    across = count if count <= 4 else 3
    down = -(-count // across)
    strip = np.full((channels, down * (height + _GAP) - _GAP, across * (width + _GAP) - _GAP), 255, np.uint8)
    for place, frame in enumerate(frames):
        top, left = place // across * (height + _GAP), place % across * (width + _GAP)
        strip[:, top : top + height, left : left + width] = frame
    return strip
