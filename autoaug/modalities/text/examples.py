"""Example texts to show operators on."""

from __future__ import annotations

import numpy as np

from autoaug.modalities.text.tokens import as_rows, tokenized

_TEXTS = (
    "The company said prices rose quickly last year. Analysts did not expect that. The new plan could help them.",
    "酒店位置很好，房间干净。服务员不太热情，但是价格便宜。",
)


def examples() -> np.ndarray:
    """An English and a Chinese text with a negation, int64 ``[2, 32, 3]``."""
    return as_rows([tokenized(text) for text in _TEXTS], 32)
