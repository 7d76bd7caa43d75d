"""Whether texts are in a language that the lexicon has synonyms of."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from autoaug.modalities.text.lexicon import FOLDER_VARIABLE, VARIABLE, own_file
from autoaug.modalities.text.tokens import WORD

#: Frequent words of English, and words of other languages in Latin letters that English does not have.
_ENGLISH = "the and of to is it that this with you for are not have be"
_OTHERS = (
    "der das und nicht ist ein eine ich mit het een van niet och att det som är ikke på le les et est des une pas dans "
    "pour qui el los las que por con una il di che per non del sono os não uma para com nie się jest ve bir bu için je "
    "na że yang dan ini"
)
#: Texts are foreign with such a share of words of other languages at least, and with such a one of English at most.
_FOREIGN, _OURS = 0.1, 0.03


def foreign(texts: Iterable[Sequence[bytes]]) -> Iterator[str]:
    """A warning if tokenized texts are neither English nor Chinese, in which synonyms are, and the user has no lexicon
    of their language.
    """
    ours, theirs = set(_ENGLISH.split()), set(_OTHERS.split())
    units = [unit for text in texts for unit in text if unit[0] & WORD]
    words = [unit[1:].rstrip(b"\0").decode(errors="replace").lower() for unit in units]
    others = sum(word in theirs or _is_far(word[0]) for word in words)
    english = sum(word in ours for word in words)
    if own_file() is None and others > _FOREIGN * len(words) and english < _OURS * len(words):
        yield (
            "the texts seem to be neither English nor Chinese, and there are no synonyms of other languages: words get "
            "none, or those of an English word that is spelled alike (the German 'die'); name your own synonyms with "
            f"{VARIABLE}=FILE, and leave WordNet out with {FOLDER_VARIABLE}=none"
        )


def _is_far(letter: str) -> bool:
    """Whether a letter is neither Latin nor Chinese."""
    return letter.isalpha() and not unicodedata.name(letter, "").startswith(("LATIN", "CJK"))
