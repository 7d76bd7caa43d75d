"""The operator that replaces words which tell little about their text, by what is known of the training texts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from autoaug.data.inputs import Inputs, in_blocks
from autoaug.errors import OptionError
from autoaug.modalities.operators import learning
from autoaug.modalities.text.bits import bits_at, flags_of, keys_of, may_change, on_host, placed, random_bits
from autoaug.modalities.text.segmentation import changeable, lowered
from autoaug.modalities.text.synonyms import meaning, with_words
from autoaug.modalities.text.tokens import as_rows, token, words_of
from autoaug.modalities.text.vocabulary import Vocabulary, counted

_NAME = "TfIdfReplacement"


class _Table(NamedTuple):
    """A vocabulary. On a device: keys of its words in order, int64 ``[V]``, with their `idf`. On the host: the tokens
    of the words, ``[V, 3]``, with their `ends`; and the idf of other words. See `Vocabulary`.
    """

    keys: Tensor
    idf: Tensor
    tokens: np.ndarray
    ends: np.ndarray
    rare: int

    def idf_of(self, keys: Tensor) -> Tensor:
        """The idf of words with these keys, int64 of the same shape."""
        place = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        return torch.where(self.keys[place] == keys, self.idf[place], self.rare)


@lru_cache(8)
def _table(learned: str, device: torch.device) -> _Table:
    try:
        known = Vocabulary(learned)
    except ValueError as fault:
        raise OptionError(f"what {_NAME} knows of its texts is damaged ({fault}); take the policy of a run") from None
    tokens = as_rows([[token(word, False) for word in known.words]], len(known.words))[0]
    keys, order = keys_of(torch.from_numpy(tokens)).sort()
    idf = torch.tensor(list(known.idf.values()))[order]
    return _Table(keys.to(device), idf.to(device), tokens, np.array(known.ends), known.rare)


def _words(texts: Inputs) -> Iterator[list[str]]:
    """The words of each text that operators may change and insert."""
    for block in in_blocks(texts):
        for row in block:
            units = words_of(row)
            yield [lowered(units[i][0]) for i in changeable(units) if "�" not in units[i][0]]


@meaning(_NAME)
@learning(lambda texts: counted(_words(texts)))
def tf_idf_replacement(tokens: Tensor, share: Tensor, uniforms: Tensor, learned: str = "") -> Tensor:
    """Replace on average so many words, the less telling the likelier (TF-IDF; Xie et al., 2020); negations stay.

    A word is replaced with a probability in proportion to the highest TF-IDF of its text less its own, of at most 1. If
    all words tell the same, none is. The other word is drawn from those of the training texts; see `Vocabulary`.
    """
    if not learned:
        raise OptionError(
            f"{_NAME} knows no texts to take words from: search, compare and expand learn them from the training texts,"
            " and policy.yaml of a run has them"
        )
    known, allowed = _table(learned, tokens.device), placed(may_change(flags_of(tokens)), tokens)
    keys, n = torch.where(allowed, keys_of(tokens), 0), allowed.sum(1, keepdim=True)
    ordered = keys.sort(1).values
    often = torch.searchsorted(ordered, keys, right=True) - torch.searchsorted(ordered, keys)
    scores = often * known.idf_of(keys)
    below = torch.where(allowed, torch.where(allowed, scores, 0).amax(1, keepdim=True) - scores, 0)
    chance = share.double()[:, None] * n * below / below.sum(1, keepdim=True).clamp(min=1) * 2**32
    drawn, length = on_host(uniforms), tokens.shape[1]
    places = np.flatnonzero(on_host(allowed) & (random_bits(drawn, length) < on_host(chance)))
    bits = bits_at(drawn[:, 2:], length, places)
    return with_words(tokens, places, known.tokens[np.searchsorted(known.ends, bits, side="right")])
