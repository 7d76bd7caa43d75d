"""Pairs as rows of a table; see `autoaug.modalities.base.Tables`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autoaug.errors import printable
from autoaug.modalities.text.tokens import text_of
from autoaug.modalities.translation.corpus import BACK as BACK_COLUMN
from autoaug.modalities.translation.corpus import read_corpus
from autoaug.modalities.translation.pairs import BACK, texts_of


def rows(data: str) -> dict[str, Mapping[str, str]]:
    """The pairs as they are in the data, whatever their form."""
    return {printable(pair.where): _cells(pair.source, pair.target, pair.back) for pair in read_corpus(data).pairs}


def cells(samples: np.ndarray) -> list[Mapping[str, str]]:
    """Tokens ``[n, 4, L, 3]`` as pairs."""
    return [_cells(*texts_of(sample), text_of(sample[BACK])) for sample in samples]


def _cells(source: str, target: str, back: str) -> dict[str, str]:
    return {"source": source, "target": target, BACK_COLUMN: back}
