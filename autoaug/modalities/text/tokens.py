"""Texts as rows of tokens: how a word is stored, without torch.

A token is 24 bytes, as three little-endian int64: flags, and the UTF-8 of a word (or of 23 bytes of a longer one) with
zeros after it. So operators find all that they need in the tokens themselves, in any process, and inserted words need
no vocabulary. A token of zeros is padding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from autoaug.modalities.text.segmentation import cleaned, flags_of_word, segments, text_from

#: The bytes and the numbers of a token, and the most bytes of UTF-8 in it.
WIDTH, NUMBERS, ROOM = 24, 3, 23
#: The flags: white space is before it, it is a word rather than a sign, it must stay, it says little, a sentence ends
#: with it, an operator made it, it is there (all tokens are), and another part of the same long word is before it.
SPACED, WORD, PROTECTED, COMMON, END, MADE, THERE, PART = 1, 2, 4, 8, 16, 32, 64, 128
#: A token, the zeros at the end of its word left out.
_UNIT = np.dtype([("flags", "u1"), ("word", f"S{ROOM}")])


@lru_cache(2**16)
def token(word: str, before: int, stays: bool = False) -> bytes:
    """The 24 bytes of a word, after what `segments` says is before it; negations stay in any case."""
    return bytes([flags_of_word(word, before) | PROTECTED * stays]) + word.encode().ljust(ROOM, b"\0")


def tokenized(text: str, protected: frozenset[str] = frozenset()) -> list[bytes]:
    """The tokens of a text. Words and signs in `protected`, which are in lower case, must stay, as negations must."""
    if not protected:
        return [token(word, before) for word, before in segments(cleaned(text))]
    return [token(word, before, word.lower() in protected) for word, before in segments(cleaned(text))]


def as_rows(texts: Iterable[Sequence[bytes]], length: int) -> np.ndarray:
    """Tokenized texts as int64 ``[n, length, 3]``, cut at the end or padded."""
    whole = b"".join(b"".join(text[:length]).ljust(length * WIDTH, b"\0") for text in texts)
    return np.frombuffer(whole, "<i8").reshape(-1, length, NUMBERS).copy()


def words_of(row: np.ndarray) -> list[tuple[str, int]]:
    """The words of a row ``[L, 3]``, each with its flags."""
    return [(word.decode(errors="replace"), flags) for flags, word in _units(row) if flags]


def _units(row: np.ndarray) -> list[tuple[int, bytes]]:
    """The flags and the word of each token of a row ``[L, 3]``, also of padding."""
    units: list[tuple[int, bytes]] = np.frombuffer(np.ascontiguousarray(row, "<i8").tobytes(), _UNIT).tolist()
    return units


def text_of(row: np.ndarray) -> str:
    """The text of a row ``[L, 3]``."""
    return text_from(words_of(row))
