"""The words of training texts and how often they occur, as text, and what follows from that for TF-IDF word replacement
(Xie et al., 2020). Exported modules contain these definitions if they need them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence


class Vocabulary:
    """Words with what TF-IDF needs of them, as whole numbers, with which all computers find the same.

    Attributes:
        words: in lower case, as far as ASCII goes.
        idf: by word, in units of 2**-20: the logarithm of the number of texts, divided by that of the texts with
            the word.
        rare: the same for a word that is not there, as if it were in one text.
        ends: for each word the end of its share of the numbers below 2**32. Its size is in proportion to the highest
            score less the word's; the score is how often the word occurs, times `idf`. Shares are equal if scores are.
    """

    def __init__(self, counts: str) -> None:
        """See `counted` for `counts`. Raises ValueError if it is not such a text."""
        first, *lines = counts.splitlines()
        texts, found = int(first), dict[str, tuple[int, int]]()
        for line in lines:
            within, often, *words = line.split()
            found.update(dict.fromkeys(words, (int(within), int(often))))
        if not found or max(len(word.encode()) for word in found) > 23:
            raise ValueError("there are no words, or one is longer than 23 bytes")
        if max(texts, *(often for _, often in found.values())) >= 2**31:
            raise ValueError("a count is 2**31 or more")
        if not all(1 <= within <= min(texts, often) for within, often in found.values()):
            raise ValueError(f"a word is in more than {texts} texts, or occurs less often than that")
        self.words = list(found)
        self.idf = {word: round(2**20 * math.log(texts / within)) for word, (within, _) in found.items()}
        self.rare = round(2**20 * math.log(texts))
        scores = [self.idf[word] * often for word, (_, often) in found.items()]
        below = [max(scores) - score for score in scores]
        sizes = below if any(below) else [1] * len(below)
        total, end, self.ends = sum(sizes), 0, list[int]()
        for size in sizes:
            end += size
            self.ends.append(2**32 * end // total)


def counted(texts: Iterable[Sequence[str]], most: int = 5000) -> str:
    """The first line is the number of texts. Each other line has the number of texts that its words occur in, how often
    they occur in all texts, and then the words. At most `most` words are kept, those in the most texts. Empty if there
    are none.
    """
    many, within, often = 0, Counter[str](), Counter[str]()
    for text in texts:
        many += 1
        within.update(set(text))
        often.update(text)
    ordered = sorted(within, key=lambda word: (-within[word], -often[word], word))[:most]
    groups: dict[tuple[int, int], list[str]] = {}
    for word in ordered:
        groups.setdefault((within[word], often[word]), []).append(word)
    lines = [
        f"{of_texts} {in_all} {' '.join(words[start : start + 8])}"
        for (of_texts, in_all), words in groups.items()
        for start in range(0, len(words), 8)
    ]
    return "\n".join([str(many), *lines]) if lines else ""
