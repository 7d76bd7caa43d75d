"""How a pair of texts is stored, without torch: four rows of tokens ``[4, L, 3]``, each padded at the end.

The rows are the words of the source, the words of its translation (the target), the same translation in the pieces that
a network predicts, and another source for the same target, such as its translation back; the last one may be empty. So
operators on one side change one row, and a network finds all that it learns from in the sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoaug.modalities.text.protected import protected_words
from autoaug.modalities.text.tokens import NUMBERS, THERE, as_rows, text_of, tokenized

#: The rows of a pair.
SOURCE, TARGET, PIECES, BACK, ROWS = 0, 1, 2, 3, 4
#: The most bytes of a piece. The last number of its token is its index, from 1; 0 is a character that none has.
PIECE_ROOM = 15
#: A flag of pieces, which are no words for operators: a word begins with it. It is the flag of words, of which there is
#: one in each.
BEGINS = 2


def piece_token(piece: str, index: int, begins: bool) -> bytes:
    """The 24 bytes of a piece, which has a space at its front if its word has."""
    flags = THERE | BEGINS * begins | piece.startswith(" ")
    return (
        bytes([flags]) + piece.lstrip(" ").encode()[:PIECE_ROOM].ljust(PIECE_ROOM, b"\0") + index.to_bytes(8, "little")
    )


def stacked(rows: Sequence[Sequence[Sequence[bytes]]], length: int) -> np.ndarray:
    """Tokenized pairs, each of four rows, as int64 ``[n, 4, length, 3]``, cut at the end or padded."""
    return as_rows([row for pair in rows for row in pair], length).reshape(-1, ROWS, length, NUMBERS)


def as_pairs(pairs: Sequence[Sequence[str]], room: int = 1) -> np.ndarray:
    """Pairs of texts without pieces, int64 ``[n, 4, L, 3]``, where all fit `room` times; a third text is the target
    translated back.
    """
    nothing: list[bytes] = []
    protected = protected_words()
    split = [[*(tokenized(text, protected) for text in pair), nothing] for pair in pairs]
    rows = [(source, target, nothing, back) for source, target, back, *_ in split]
    return stacked(rows, room * max((len(row) for pair in rows for row in pair), default=0) + 1)


def texts_of(pair: np.ndarray) -> tuple[str, str]:
    """The two texts of a pair ``[4, L, 3]``."""
    return text_of(pair[SOURCE]), text_of(pair[TARGET])
