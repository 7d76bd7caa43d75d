"""The page of operators: each at several magnitudes on real samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoaug.modalities.image.pictures import data_uri
from autoaug.report.pictures import Picture, environment
from autoaug.utils.files import write_whole
from autoaug.version import __version__


class Strip(NamedTuple):
    """An operator: its row of the catalog, magnitudes with their captions, and what they make of the samples.

    `inputs` is uint8 ``[magnitudes, n, C, H, W]``.
    """

    row: dict[str, Any]
    captions: list[str]
    inputs: np.ndarray


def write_operators_page(path: Path, originals: np.ndarray, strips: list[Strip]) -> None:
    """Write the page for samples ``originals [n, C, H, W]``, uint8."""
    shown = [
        (
            strip.row,
            [
                [Picture(data_uri(sample), caption) for sample in inputs]
                for caption, inputs in zip(strip.captions, strip.inputs, strict=True)
            ],
        )
        for strip in strips
    ]
    page = environment().get_template("operators.html")
    text = page.render(version=__version__, originals=[data_uri(sample) for sample in originals], strips=shown)
    write_whole(path, text)
