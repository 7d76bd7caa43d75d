"""Pieces of words, by byte-pair encoding (Sennrich et al., 2016) of characters: frequent words are one piece, and rare
ones are spelled of several.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from autoaug.modalities.text.segmentation import cleaned, segments
from autoaug.modalities.translation.pairs import PIECE_ROOM, piece_token

#: The most pieces, and how often two must be side by side to become one.
MOST_PIECES, LEAST_PAIRS = 1000, 5

#: Two pieces side by side.
_Pair = tuple[str, str]


def spelled(text: str) -> list[str]:
    """The words and signs of a text, each with a space at its front if there is one, or it is the first word."""
    return [" " * (before & 1) + word for word, before in segments(cleaned(text))]


def learn_merges(texts: Iterable[str], most: int = MOST_PIECES) -> list[_Pair]:
    """The pairs of pieces to join, in order: the most frequent ones of the `texts`, until there would be `most` pieces.
    The first in the alphabet is taken of equally frequent ones.
    """
    counts = Counter(word for text in texts for word in spelled(text))
    split = {word: list(word) for word in counts}
    pairs, places = Counter[_Pair](), defaultdict[_Pair, set[str]](set)
    for word, own in split.items():
        for pair in itertools.pairwise(own):
            pairs[pair] += counts[word]
            places[pair].add(word)
    merges: list[_Pair] = []
    room = most - len({character for word in counts for character in word})
    waiting = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(waiting)
    while waiting and len(merges) < room:
        count, best = heapq.heappop(waiting)
        if pairs[best] != -count:
            if pairs[best] >= LEAST_PAIRS:
                heapq.heappush(waiting, (-pairs[best], best))
            continue
        if -count < LEAST_PAIRS:
            break
        if len("".join(best).strip().encode()) > PIECE_ROOM:
            continue
        merges.append(best)
        changed: set[_Pair] = set()
        for word in places.pop(best):
            old, split[word] = split[word], joined(split[word], best)
            for own, sign in ((old, -1), (split[word], 1)):
                for pair in itertools.pairwise(own):
                    pairs[pair] += sign * counts[word]
                    if sign > 0:
                        places[pair].add(word)
                        changed.add(pair)
        for pair in sorted(changed):
            heapq.heappush(waiting, (-pairs[pair], pair))
    return merges


def joined(pieces: Sequence[str], pair: _Pair) -> list[str]:
    """The pieces with each occurrence of the pair as one."""
    made: list[str] = []
    place = 0
    while place < len(pieces):
        if place + 1 < len(pieces) and (pieces[place], pieces[place + 1]) == pair:
            made.append(pieces[place] + pieces[place + 1])
            place += 2
        else:
            made.append(pieces[place])
            place += 1
    return made


class Speller:
    """Spells texts in the pieces that the `texts` of a training split have taught it.

    Attributes:
        pieces: the pieces, in the order of their indices from 1; a word's first one has the space before the word.
    """

    def __init__(self, texts: Sequence[str], most: int = MOST_PIECES) -> None:
        self._ranks = {pair: rank for rank, pair in enumerate(learn_merges(texts, most))}
        self._known: dict[str, list[bytes]] = {}
        single = sorted({character for text in texts for word in spelled(text) for character in word})
        self.pieces = tuple(dict.fromkeys([*single, *("".join(pair) for pair in self._ranks)]))
        self._index = {piece: index for index, piece in enumerate(self.pieces, 1)}

    def tokens(self, text: str) -> list[bytes]:
        """The tokens of the text's pieces."""
        return [token for word in spelled(text) for token in self._of_word(word)]

    def _of_word(self, word: str) -> list[bytes]:
        if word not in self._known:
            pieces = list(word)
            while len(pieces) > 1:
                pair = min(itertools.pairwise(pieces), key=lambda own: self._ranks.get(own, len(self._ranks)))
                if pair not in self._ranks:
                    break
                pieces = joined(pieces, pair)
            self._known[word] = [
                piece_token(piece, self._index.get(piece, 0), begins=not place) for place, piece in enumerate(pieces)
            ]
        return self._known[word]
