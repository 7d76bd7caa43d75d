"""Texts as labels: the code points of their characters, int32 ``[n, length]``, with -1 after the end; of texts and
their translations, ``[n, 2, length]``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

#: What follows the last character.
END = -1


def plain_text(text: str) -> str:
    """The text in Unicode's composed form (NFC), with one space for each run of white space, and none at its ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def encode_texts(texts: Sequence[str], length: int | None = None) -> np.ndarray:
    """Texts as code points; `length` is that of the longest one if it is not given."""
    return encode_codes([np.frombuffer(text.encode("utf-32-le"), "<i4") for text in texts], length)


def encode_codes(texts: Sequence[Sequence[int] | np.ndarray], length: int | None = None) -> np.ndarray:
    """Texts whose codes are known, such as numbers of their words, in the same form."""
    codes = np.full((len(texts), max([1, *map(len, texts)]) if length is None else length), END, np.int32)
    for row, text in zip(codes, texts, strict=True):
        row[: len(text)] = text
    return codes


def encode_pairs(pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    """Texts and their translations as code points, int32 ``[n, 2, length]``."""
    return encode_texts([text for pair in pairs for text in pair]).reshape(len(pairs), 2, -1)


def decode_texts(codes: np.ndarray) -> list[str]:
    """The texts of ``codes [n, length]``."""
    return ["".join(map(chr, row[:end])) for row, end in zip(codes.tolist(), text_lengths(codes).tolist(), strict=True)]


def text_lengths(codes: np.ndarray) -> np.ndarray:
    """The number of characters ``[n]`` of each text."""
    lengths: np.ndarray = (codes != END).sum(1)
    return lengths


def frames_needed(codes: np.ndarray) -> np.ndarray:
    """The number ``[n]`` of frames in which CTC can spell each text: one per character, and one between two that are
    the same.
    """
    repeated = (codes[:, 1:] == codes[:, :-1]) & (codes[:, 1:] != END)
    frames: np.ndarray = text_lengths(codes) + repeated.sum(1)
    return frames


def characters(codes: np.ndarray) -> tuple[str, ...]:
    """The different characters of texts, by code point."""
    return tuple(map(chr, np.setdiff1d(codes, END).tolist()))
