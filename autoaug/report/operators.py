"""The page of operators, each at several magnitudes on real samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from autoaug.modalities.operators import Operator
from autoaug.modalities.registry import get_modality
from autoaug.report.frame import NO_PLOTLY, render
from autoaug.report.pictures import Picture, draw
from autoaug.utils.files import write_atomically


class DrawnOperator(NamedTuple):
    """An operator, its magnitudes as text, and samples augmented with each: ``[magnitudes, n, ...]``."""

    operator: Operator
    captions: Sequence[str]
    samples: np.ndarray


class DrawnModality(NamedTuple):
    """The original samples ``[n, ...]`` of a modality, and its operators applied to them."""

    originals: np.ndarray
    operators: Sequence[DrawnOperator]


class _Shown(NamedTuple):
    """A modality on the page; each operator has one column of pictures per magnitude."""

    name: str
    originals: list[Picture]
    operators: list[tuple[Operator, list[list[Picture]]]]


def write_operators_page(path: Path, drawn: Mapping[str, DrawnModality]) -> None:
    """Write the page for modalities by name."""
    write_atomically(path, render("operators.html", NO_PLOTLY, modalities=[_shown(*item) for item in drawn.items()]))


def _shown(name: str, given: DrawnModality) -> _Shown:
    pictures = get_modality(name).pictures
    originals = draw(pictures, given.originals, [f"original {i + 1}" for i in range(len(given.originals))])
    operators = []
    for one in given.operators:
        columns = zip(one.captions, one.samples, strict=True)
        before = f"{one.operator.name} "
        operators.append(
            (one.operator, [draw(pictures, samples, [words] * len(samples), before) for words, samples in columns])
        )
    return _Shown(name, originals, operators)
