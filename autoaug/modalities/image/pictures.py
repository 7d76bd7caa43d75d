"""Images in the report; this module does not import torch."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
from PIL import Image


def data_uri(image: np.ndarray) -> str:
    """uint8 ``[C, H, W]`` as a PNG data URI; unless there are three channels, only the first is shown."""
    pixels = image.transpose(1, 2, 0) if image.shape[0] == 3 else image[0]
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def html(sample: np.ndarray, words: str) -> str:
    """uint8 ``[C, H, W]`` as an ``<img>``; small images are enlarged without blur."""
    if sample.ndim != 3 or sample.dtype != np.uint8:
        raise ValueError(f"an image must be uint8 [C, H, W], not {sample.dtype} {list(sample.shape)}")
    return f'<img src="{data_uri(sample)}" alt="{escape(words)}" style="image-rendering: pixelated">'
