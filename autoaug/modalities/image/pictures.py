"""Images in the report; this module does not import torch."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
from PIL import Image


def data_uri(image: np.ndarray) -> str:
    """uint8 ``[C, H, W]`` as a PNG data URI; unless there are three channels, only the first is shown."""
    return animated_uri(image[None], 0)


def animated_uri(frames: np.ndarray, milliseconds: int) -> str:
    """uint8 ``[T, C, H, W]`` as a PNG data URI, which shows each frame so long, over and over."""
    pixels = frames.transpose(0, 2, 3, 1) if frames.shape[1] == 3 else frames[:, 0]
    first, *others = (Image.fromarray(np.ascontiguousarray(frame)) for frame in pixels)
    content, moving = io.BytesIO(), {"save_all": True, "append_images": others, "duration": milliseconds, "loop": 0}
    first.save(content, "PNG", **(moving if others else {}))
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def html(sample: np.ndarray, words: str) -> str:
    """uint8 ``[C, H, W]`` as an ``<img>``; small images are enlarged without blur."""
    if sample.ndim != 3 or sample.dtype != np.uint8:
        raise ValueError(f"an image must be uint8 [C, H, W], not {sample.dtype} {list(sample.shape)}")
    return f'<img src="{data_uri(sample)}" alt="{escape(words)}" style="image-rendering: pixelated">'
