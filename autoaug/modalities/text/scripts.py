"""The scripts of texts, and whether a data set mixes them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from autoaug.modalities.text.segmentation import Scripts

#: Scripts that are written together in one language.
_TOGETHER = dict.fromkeys(("Cjk", "Hiragana", "Katakana"), "Chinese or Japanese")
#: Links, addresses and names of accounts, which are Latin everywhere.
_LINKS = re.compile(r"\S*(?:://|www\.|@)\S*")
#: A word, or a letter of a script without spaces.
_WORDS = re.compile(f"[{Scripts.unspaced}]|[^\\W\\d_{Scripts.unspaced}]+")
#: A text is in another script with less than such a share of its words in the one of most texts, so that names of
#: brands change nothing. It has so many words at least, unless texts here usually have fewer: "OK" stands everywhere.
_SHARE, _FEWEST = 0.2, 4
_LOOKED_AT = 2000
#: A class is told by its script if so many of its texts are in another one, so many times as often as others.
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


def mixed_scripts(
    texts: Sequence[str], labels: Sequence[str], names: Sequence[str], what: str = "texts"
) -> Iterator[str]:
    """A warning if some texts are in another script than most, and one if those have the label of a class that others
    rarely have. `names` are the texts' places, and `what` is what they are called.
    """
    words = [_words_by_script(text) for text in texts]
    mains = Counter(max(own, key=lambda name: own[name]) for own in words if own)
    if len(mains) < 2:
        return
    main = max(mains, key=lambda name: mains[name])
    enough = min(_FEWEST, float(np.median([own.total() for own in words if own])))
    others = [own.total() >= enough and own[main] < _SHARE * own.total() for own in words]
    if not any(others):
        return
    found = Counter(
        max(own, key=lambda name: own[name]) for own, is_other in zip(words, others, strict=True) if is_other
    )
    counts = ", ".join(f"{script} {many}" for script, many in found.most_common(5))
    yield (
        f"{sum(others)} of {len(texts)} {what} are in another script ({counts}) than most, which are in {main}; "
        f"the first: {names[others.index(True)]}"
    )
    yield from _told_by_script(others, labels)


def _told_by_script(others: Sequence[bool], labels: Sequence[str]) -> Iterator[str]:
    """The class that has most of the texts in another script."""
    own = Counter(label for label, is_other in zip(labels, others, strict=True) if is_other)
    label, many = own.most_common(1)[0]
    size, rest = labels.count(label), len(labels) - labels.count(label)
    if label and many >= _FEW and many * rest > _TIMES * (own.total() - many) * size:
        yield (
            f"{many} of {size} texts of {label!r} are in another script than most, and {own.total() - many} of the "
            f"{rest} others; a model may tell this class by its script alone"
        )


def _words_by_script(text: str) -> Counter[str]:
    """The number of words of a text by script, apart from links."""
    plain = unicodedata.normalize("NFKC", _LINKS.sub(" ", text[:_LOOKED_AT]))
    names = (_named(word[0]) for word in _WORDS.findall(plain))
    return Counter(_TOGETHER.get(name, name) for name in names)


@cache
def _named(letter: str) -> str:
    """The first word of Unicode's name of a letter, which is its script."""
    return unicodedata.name(letter, "unknown").split()[0].capitalize()
