"""Cut text of any script into words and signs. Exported modules contain this module's functions verbatim."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

try:
    import rjieba
except ImportError:
    rjieba = None

#: Scripts that are written without spaces: Han, kana, Thai, Lao, Burmese and Khmer, as ranges of a regular expression.
HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
UNSPACED = HAN + r"\u3040-\u30ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"


def marks() -> str:
    """Combining marks and what else belongs to the letter before it, as a class of a regular expression. Its characters
    have at most 16 bits, without which the class would be searched one by one.
    """
    places = (*range(0x300, 0x3100), *range(0xA800, 0xAC00), *range(0xFE00, 0xFE30))
    found = [chr(place) for place in places if unicodedata.category(chr(place)).startswith("M")]
    return f"[{''.join(map(re.escape, found))}\u200c]"


#: Skin tones, tags and variation selectors of signs.
_TONES = "[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef]"


def pattern() -> re.Pattern[str]:
    """A run of Han characters, a character of another unspaced script, a word, or a sign."""
    after = f"{marks()}*"
    letter = f"[^\\W_{UNSPACED}]{after}"
    tail = f"(?:{marks()}|{_TONES})*"
    sign = f"\\S{tail}(?:\u200d\\S{tail})*"
    flag = "[\U0001f1e6-\U0001f1ff]{2}"
    return re.compile(
        f"(?P<han>[{HAN}]+)|[{UNSPACED}]{after}|(?P<word>(?:{letter})+(?:['’.\\-](?:{letter})+)*)|{flag}|{sign}"
    )


def han_words(text: str) -> list[str]:
    """The words of a run of Han characters, by ``rjieba`` where it is installed, or else the characters."""
    words: list[str] = list(text) if rjieba is None else rjieba.cut(text)
    return words


def pieces(text: str, at_most: int) -> list[str]:
    """The text in parts of at most `at_most` bytes of UTF-8, cut before letters rather than marks where it can be."""
    parts, part = [], b""
    for unit in LETTERS.findall(text):
        for piece in [unit] if len(unit.encode()) <= at_most else list(unit):
            if part and len(part) + len(piece.encode()) > at_most:
                parts.append(part.decode())
                part = b""
            part += piece.encode()
    return [*parts, part.decode()]


def segments(text: str, at_most: int = 23) -> Iterator[tuple[str, bool]]:
    """The words and signs of a text in NFC, in parts of at most `at_most` bytes, each with whether white space, or the
    beginning of the text, is before it. Unspaced scripts have none at the beginning.
    """
    end = 0
    for match in PATTERN.finditer(text):
        spaced = match.start() > end or (not end and match["word"] is not None)
        end = match.end()
        for word in han_words(match[0]) if match["han"] else [match[0]]:
            for piece in [word] if len(word.encode()) <= at_most else pieces(word, at_most):
                yield piece, spaced
                spaced = False


PATTERN, LETTERS = pattern(), re.compile(f".{marks()}*", re.DOTALL)
