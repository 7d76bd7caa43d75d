"""Example pairs to show operators on."""

from __future__ import annotations

import numpy as np

from autoaug.modalities.translation.pairs import as_pairs

_PAIRS = (
    (
        "The company said prices rose quickly last year.",
        "La empresa dijo que los precios subieron.",
        "The company said that the prices went up.",
    ),
    ("Analysts did not expect that.", "Los analistas no lo esperaban.", "The analysts did not wait for it."),
)


def examples() -> np.ndarray:
    """Two English texts with their Spanish translations, and these translated back, int64 ``[2, 4, L, 3]``."""
    return as_pairs(_PAIRS, room=2)
