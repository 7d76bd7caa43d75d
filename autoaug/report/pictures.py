"""What the pages share: images as data URIs, and the templates."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image


class Picture(NamedTuple):
    """An image as a data URI, with its caption."""

    uri: str
    caption: str


def environment(autoescape: bool = True) -> Environment:
    """The templates; what they are given is escaped, unless they are no HTML, and what they lack is an error."""
    loader = PackageLoader("autoaug.report")
    return Environment(loader=loader, autoescape=autoescape, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701


def data_uri(image: np.ndarray) -> str:
    """uint8 ``[C, H, W]`` as a PNG; of other than three channels the first is shown."""
    pixels = image.transpose(1, 2, 0) if image.shape[0] == 3 else image[0]
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
