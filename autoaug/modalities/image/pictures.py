"""Images in the report; this module does not import torch."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
from PIL import Image

#: Pixels of the longest side: what is larger is shrunk to the first, and loses details where it is above the second.
_LARGEST, _EXACT = 256, 64


def html(sample: np.ndarray, words: str) -> str:
    """uint8 ``[C, H, W]`` as an ``<img>``; small images are enlarged without blur."""
    if sample.ndim != 3 or sample.dtype != np.uint8:
        raise ValueError(f"an image must be uint8 [C, H, W], not {sample.dtype} {list(sample.shape)}")
    return shown([shrunk(sample, _LARGEST)], words)


def shrunk(frame: np.ndarray, side: int) -> Image.Image:
    """uint8 ``[C, H, W]`` with no side longer than this; unless there are three channels, only the first is kept."""
    pixels = frame.transpose(1, 2, 0) if len(frame) == 3 else frame[0]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((side, side), Image.Resampling.BOX)
    return image


def shown(frames: list[Image.Image], words: str, milliseconds: int = 0) -> str:
    """Frames of one size as an ``<img>``, which shows each so long, over and over. A page has hundreds of these, so
    only small ones are PNG files, and others WebP with losses that are hardly seen.
    """
    kind = "png" if max(frames[0].size) <= _EXACT else "webp"
    content, moving = io.BytesIO(), {"save_all": True, "append_images": frames[1:], "duration": milliseconds, "loop": 0}
    lossy = {"quality": 70, "minimize_size": True} if kind == "webp" else {}
    frames[0].save(content, kind, **lossy, **(moving if frames[1:] else {}))
    encoded = base64.b64encode(content.getvalue()).decode()
    return f'<img src="data:image/{kind};base64,{encoded}" alt="{escape(words)}" style="image-rendering: pixelated">'
