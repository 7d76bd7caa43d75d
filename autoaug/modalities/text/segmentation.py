"""Cut text of any script into words and signs. Exported modules contain these definitions if they need them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from autoaug.modalities.text.words import FunctionWords


class Chinese:
    """The words of Chinese, where ``rjieba`` is installed."""

    cut: Any = None
    try:
        import rjieba

        cut = rjieba.cut
    except ImportError:
        pass


class Scripts:
    """Scripts that are written without spaces, as ranges of a regular expression: Han, and all of these, with kana,
    Thai, Lao, Burmese and Khmer.
    """

    han = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    unspaced = han + r"\u3040-\u30ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"


def marks() -> str:
    """Combining marks and what else belongs to the letter before it, as a class of a regular expression. Its characters
    have at most 16 bits, without which the class would be searched one by one.
    """
    places = (*range(0x300, 0x3100), *range(0xA800, 0xAC00), *range(0xFE00, 0xFE30))
    found = [chr(place) for place in places if unicodedata.category(chr(place)).startswith("M")]
    return f"[{''.join(map(re.escape, found))}\u200c]"


def pattern() -> str:
    """A run of Han characters, a character of another unspaced script, a word, or a sign."""
    after = f"{marks()}*"
    letter = f"[^\\W_{Scripts.unspaced}]{after}"
    tones = "[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef]"  # and tags, and variation selectors
    tail = f"(?:{marks()}|{tones})*"
    sign = f"\\S{tail}(?:\u200d\\S{tail})*"
    flag = "[\U0001f1e6-\U0001f1ff]{2}"
    word = f"(?P<word>(?:{letter})+(?:['’.\\-](?:{letter})+)*)"
    return f"(?P<han>[{Scripts.han}]+)|[{Scripts.unspaced}]{after}|{word}|{flag}|{sign}"


class Patterns:
    """The pieces of a text, the same of ASCII alone, which is faster, the letters of a piece with their marks, and the
    letters of unspaced scripts.
    """

    piece = re.compile(pattern())
    ascii = re.compile(r"(?P<word>[A-Za-z0-9]+(?:['.\-][A-Za-z0-9]+)*)|\S")
    letter = re.compile(f".{marks()}*", re.DOTALL)
    unspaced = re.compile(f"[{Scripts.unspaced}]")


def pieces(text: str, at_most: int) -> list[str]:
    """The text in parts of at most `at_most` bytes of UTF-8, cut before letters rather than marks where it can be."""
    parts, part = [], b""
    for unit in Patterns.letter.findall(text):
        for piece in [unit] if len(unit.encode()) <= at_most else list(unit):
            if part and len(part) + len(piece.encode()) > at_most:
                parts.append(part.decode())
                part = b""
            part += piece.encode()
    return [*parts, part.decode()]


def segments(text: str, at_most: int = 23) -> Iterator[tuple[str, int]]:
    """The words and signs of a text in NFC, in parts of at most `at_most` bytes, each with what is before it: 1 for
    white space, or the beginning of the text, 128 for another part of the same word, and else 0. Texts whose first
    letter is of an unspaced script have no white space at the beginning. Runs of Han characters are cut into words by
    ``rjieba`` where it is installed, or else into characters.
    """
    end = 0
    for match in (Patterns.ascii if text.isascii() else Patterns.piece).finditer(text):
        found, kind = match[0], match.lastgroup
        before = int(match.start() > end or (not end and (kind == "word" or is_spaced(text))))
        end = match.end()
        if len(found) <= at_most and found.isascii():  # most are, and nothing else is to be done
            yield found, before
            continue
        words = [found]
        if kind == "han":
            words = list(found) if Chinese.cut is None else Chinese.cut(found)
        for word in words:
            for piece in [word] if len(word.encode()) <= at_most else pieces(word, at_most):
                yield piece, before
                before = 128
            before = 0


def is_spaced(text: str) -> bool:
    """Whether the first letter or digit of a text is not of an unspaced script."""
    first = next((character for character in text if character.isalnum()), "")
    return Patterns.unspaced.match(first) is None


def flags_of_word(word: str, before: int) -> int:
    """The flags of a word or sign: 1 for white space before it, 2 for a word, 4 if it must stay, 8 if it says little,
    16 if a sentence ends with it, always 64, and 128 if another part of the same word is before it.
    """
    lower, flags = word.lower(), 64 + before
    if any(character.isalnum() for character in word):
        negates = lower in FunctionWords.negations or not FunctionWords.negating.isdisjoint(word)
        negates |= lower.replace("’", "'").endswith("n't")
        return flags + 2 + 4 * negates + 8 * (lower in FunctionWords.common)
    return flags + 16 * (word[0] in ".!?…。！？؟।")


def changeable(units: Sequence[tuple[str, int]]) -> list[int]:
    """The places of words that are not protected, and not parts of a long one, among words and signs with flags."""
    flags = [flag for _, flag in units] + [0]
    return [i for i, flag in enumerate(flags[:-1]) if flag & 134 == 2 and not flags[i + 1] & 128]


def text_from(units: Iterable[tuple[str, int]]) -> str:
    """The text of words and signs, each with its flags."""
    return "".join(" " * (flags & 1) + word for word, flags in parted(units)).strip()


def parted(units: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Words and signs with their flags, and with a space between words that operators have put side by side, such as
    those of ``a (b) c`` without its signs: no text has two words that nothing parts.
    """
    before = ""
    for word, flags in units:
        yield word, flags if flags & 1 or not before or may_follow(before, word, flags) else flags | 1
        before = word


def may_follow(before: str, word: str, flags: int, at_most: int = 23) -> bool:
    """Whether a word or sign may follow another one without a space: two words only in scripts that have none, and as
    parts of a long word, of which an operator may have taken a few letters.
    """
    if not (before[0].isalnum() and word[0].isalnum()):
        return True
    if Patterns.unspaced.match(before[-1]) or Patterns.unspaced.match(word[0]):
        return True
    return bool(flags & 128) and len((before + Patterns.letter.findall(word)[0]).encode()) > at_most - 3


def lowered(word: str) -> str:
    """The word with its ASCII letters in lower case, which is how words are looked up."""
    return word.encode().lower().decode()


@lru_cache(4)  # a list is asked for with every batch
def units_of(text: str) -> frozenset[str]:
    """The words and signs of a list, one or several per line, in lower case."""
    return frozenset(unit.lower() for unit, _ in segments(cleaned(text)))


def cleaned(text: str) -> str:
    """The text in NFC; what is no character is replaced by a sign for that."""
    return unicodedata.normalize("NFC", text).replace("\0", "\ufffd").encode(errors="replace").decode()
