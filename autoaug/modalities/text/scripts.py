"""The scripts of texts, and whether a data set mixes scripts or languages."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from autoaug.modalities.text.languages import language_of
from autoaug.modalities.text.segmentation import Scripts

#: Scripts that are written together in one language.
_TOGETHER = dict.fromkeys(("Cjk", "Hiragana", "Katakana"), "Chinese or Japanese")
#: Links, addresses and names of accounts, which are Latin everywhere.
_LINKS = re.compile(r"\S*(?:://|www\.|@)\S*")
#: A word, or a letter of a script without spaces.
_WORDS = re.compile(f"[{Scripts.unspaced}]|[^\\W\\d_{Scripts.unspaced}]+")
#: A text is in another script with less than such a share of its words in the one of most texts, so that names of
#: brands change nothing. It has this many words at least, unless texts here usually have fewer: "OK" stands everywhere.
_SHARE, _FEWEST = 0.2, 4
_LOOKED_AT = 2000
#: A language is another one with this share of the texts whose language is known, and this many; the commonest one is
#: that of such a share of all texts, unless theirs is none that is known.
_NOTABLE, _COMMON = 0.01, 0.05
#: The most texts that are named.
_NAMED = 3
#: A class is told by its script or language if so many of its texts are in another one, so many times as often as
#: others.
_FEW, _TIMES = 3, 5


def script_of(text: str) -> str:
    """The name of the script of most letters, as in Unicode's names of characters, and Han for what is Cjk there;
    ``none`` without letters.
    """
    scripts: Counter[str] = Counter()
    for letter, many in Counter(text).items():
        if letter.isalpha():
            scripts[_named(letter)] += many
    named = max(scripts, key=lambda name: scripts[name], default="none")
    return "Han" if named == "Cjk" else named


def mixed(texts: Sequence[str], labels: Sequence[str], names: Sequence[str], what: str = "texts") -> Iterator[str]:
    """Warnings if some texts are in another script than most, or else in another language, and if those have the label
    of a class that others rarely have. `names` are the texts' places, and `what` is what they are called.
    """
    words = [_words(text) for text in texts]
    main, others = _other_scripts(words)
    yield from _told("script", f"are in {main}", others, labels, names, what)
    in_main = [[] if other else own for own, other in zip(words, others, strict=True)]
    main, others = _other_languages(in_main)
    yield from _told("language", f"seem to be in {main}", others, labels, names, what)


def _other_scripts(texts: Sequence[Sequence[str]]) -> tuple[str, list[str]]:
    """The script of most texts, and that of each text if it is another one, else nothing."""
    words = [Counter(_script(word) for word in text) for text in texts]
    firsts = [max(own, key=lambda name: own[name], default="") for own in words]
    main = _most(firsts)
    enough = min(_FEWEST, float(np.median([own.total() for own in words if own] or [0])))
    return main, [
        first if own.total() >= enough and own[main] < _SHARE * own.total() else ""
        for own, first in zip(words, firsts, strict=True)
    ]


def _other_languages(texts: Sequence[Sequence[str]]) -> tuple[str, list[str]]:
    """The commonest language, and that of each text if it is another one with a notable share, else nothing."""
    languages = [language_of(words) for words in texts]
    found = Counter(filter(None, languages))
    main = _most(languages)
    enough = max(_FEW, _NOTABLE * found.total())
    if found[main] < _COMMON * sum(map(bool, texts)):
        return main, [""] * len(texts)
    return main, [name if name != main and found[name] >= enough else "" for name in languages]


def _most(names: Sequence[str]) -> str:
    """The commonest of the names that are not empty."""
    return next((name for name, _ in Counter(filter(None, names)).most_common(1)), "")


def _told(
    kind: str, most: str, others: Sequence[str], labels: Sequence[str], names: Sequence[str], what: str
) -> Iterator[str]:
    """The warnings if some texts have another script or language; `most` says what the others have."""
    found = Counter(filter(None, others))
    if not found:
        return
    counts = ", ".join(f"{name} {many}" for name, many in found.most_common(5))
    first = "; ".join([name for name, other in zip(names, others, strict=True) if other][:_NAMED])
    yield (
        f"{found.total()} of {len(others)} {what} are in another {kind} ({counts}) than most, which {most}; "
        f"the first: {first}"
    )
    own = Counter(label for label, other in zip(labels, others, strict=True) if other)
    label, many = own.most_common(1)[0]
    size, rest = labels.count(label), len(labels) - labels.count(label)
    if label and many >= _FEW and many * rest > _TIMES * (own.total() - many) * size:
        yield (
            f"{many} of {size} texts of {label!r} are in another {kind} than most, and {own.total() - many} of the "
            f"{rest} others; a model may tell this class by its {kind} alone"
        )


def _words(text: str) -> list[str]:
    """The words of a text in lower case, apart from links."""
    return _WORDS.findall(unicodedata.normalize("NFKC", _LINKS.sub(" ", text[:_LOOKED_AT])).lower())


def _script(word: str) -> str:
    """The script of a word, by its first letter."""
    name = _named(word[0])
    return _TOGETHER.get(name, name)


@cache
def _named(letter: str) -> str:
    """The first word of Unicode's name of a letter, which is its script."""
    return unicodedata.name(letter, "unknown").split()[0].capitalize()
