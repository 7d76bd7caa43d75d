"""Groups of words that mean the same, and the synonyms in them. Exported modules contain these functions."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator


def groups_in(text: str) -> Iterator[list[str]]:
    """The groups of a lexicon: one per line, of words separated by commas or semicolons, or else by white space. A code
    that ends in ``=`` and text after ``#`` are left out. Words are in NFC, as those of texts are.
    """
    signs = "[,;，；、]"
    for line in unicodedata.normalize("NFC", text).splitlines():
        line = line.partition("#")[0].rpartition("=")[2]
        words = [word.strip() for word in re.split(signs if re.search(signs, line) else r"\s+", line)]
        if len(group := list(dict.fromkeys(filter(None, words)))) > 1:
            yield group


def wordnet_groups(text: str) -> Iterator[list[str]]:
    """The groups of single words in one of WordNet's data files (see wndb(5WN)): offset, file, part of speech, the
    number of words in hexadecimal digits, and each word with a number.
    """
    for line in text.splitlines():
        if line.startswith(" "):  # the license
            continue
        fields = line.partition("|")[0].split()
        words = [re.sub(r"\(\w+\)$", "", word) for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]
        if len(single := [word for word in words if "_" not in word]) > 1:
            yield single


def synonyms(groups: Iterable[list[str]]) -> dict[str, list[str]]:
    """The synonyms of each word, in lower case and as it is looked up, with only its ASCII letters so, in the order of
    the groups.
    """
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for group in groups:
        fitting = [word for word in group if max(map(len, (word.encode(), word.lower().encode()))) <= 23]
        fitting = [word for word in fitting if word.split() == [word]]
        for word in fitting:
            for key in dict.fromkeys((word.lower(), word.encode().lower().decode())):
                found[key].update((other, None) for other in fitting if other.lower() != word.lower())
    return {word: list(others) for word, others in found.items() if others}
