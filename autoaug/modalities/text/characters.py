"""Operators on the letters within words, as typing and scanning change them. Words of at least four ASCII letters are
changed, once each, and neither in the first letter nor in the last one (Belinkov and Bisk, 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.operators import operator
from autoaug.modalities.text.bits import as_bytes, begins_word, bits_at, chosen, flags_of, may_change, on_host, placed
from autoaug.modalities.text.letters import Letters
from autoaug.modalities.text.tokens import MADE

letters = partial(
    operator, modality="text", family="letters", kind="tokens", unit="of the words", limit=0.5, jumps=True
)


@cache
def _others(scanned: bool) -> tuple[Tensor, Tensor]:
    """For each byte, the bytes ``[256, 4]`` that may replace it, and their number ``[256]``."""
    others, many = torch.arange(256)[:, None].repeat(1, 4), torch.ones(256, dtype=torch.int64)
    for letter, found in (Letters.scanned if scanned else Letters.keyboard).items():
        for given, replaced in ((letter, found), (letter.upper(), found.upper())):
            others[ord(given), : len(found)] = torch.tensor([ord(other) for other in replaced])
            many[ord(given)] = len(found)
    return others.to(torch.uint8), many


#: Changes bytes of words ``[c, 24]``, given their number of letters ``[c]`` and random bits ``[c]``.
_Change = Callable[[Tensor, Tensor, Tensor], Tensor]


def changed(tokens: Tensor, share: Tensor, uniforms: Tensor, change: _Change, fewest: int = 4) -> Tensor:
    """Change so many of the words that have ASCII letters only, at least `fewest` of them."""
    content = as_bytes(tokens)[..., 1:]
    lower = content | 32
    are_letters = ((lower >= 97) & (lower <= 122)) | (content == 0)
    sizes = (content != 0).sum(-1)
    flags, drawn = flags_of(tokens), on_host(uniforms)
    allowed = may_change(flags) & on_host(are_letters.all(-1) & (sizes >= fewest))
    at = np.flatnonzero(chosen(allowed, on_host(share), begins_word(flags).sum(1), drawn))
    places, bits = placed(at, tokens), placed(bits_at(drawn[:, 2:], tokens.shape[1], at), tokens)
    flat = tokens.reshape(-1, tokens.shape[2])
    made = change(as_bytes(flat.index_select(0, places)), sizes.flatten()[places], bits)
    made[:, 0] |= MADE
    return flat.index_copy(0, places, made.view(torch.int64)).view_as(tokens)


def _replaced(scanned: bool) -> _Change:
    def change(words: Tensor, sizes: Tensor, bits: Tensor) -> Tensor:
        others, many = (part.to(words.device) for part in _others(scanned))
        place = 2 + bits % (sizes - 2)
        given = words.gather(1, place[:, None])[:, 0].long()
        return words.scatter(1, place[:, None], others[given, (bits >> 8) % many[given]][:, None])

    return change


@letters("KeyboardTypo")
def keyboard_typo(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Press a neighboring key once in so many words, on a keyboard with the layout QWERTY."""
    return changed(tokens, share, uniforms, _replaced(scanned=False))


@letters("ScannerError")
def scanner_error(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Take a letter for one that looks like it once in so many words, as text recognition does."""
    return changed(tokens, share, uniforms, _replaced(scanned=True))


@letters("LetterSwap")
def letter_swap(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Swap two neighboring letters in so many words."""

    def change(words: Tensor, sizes: Tensor, bits: Tensor) -> Tensor:
        first = (2 + bits % (sizes - 3))[:, None]
        place = torch.arange(words.shape[1], device=words.device)
        return words.gather(1, place + (place == first).long() - (place == first + 1).long())

    return changed(tokens, share, uniforms, change)


@letters("LetterDeletion")
def letter_deletion(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Leave out a letter in so many words."""

    def change(words: Tensor, sizes: Tensor, bits: Tensor) -> Tensor:
        place = torch.arange(words.shape[1] - 1, device=words.device)
        left = words.gather(1, place + (place >= (2 + bits % (sizes - 2))[:, None]).long())
        return torch.nn.functional.pad(left, (0, 1))

    return changed(tokens, share, uniforms, change)


@letters("CaseChange")
def case_change(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Write so many words in capitals, or those that have any without."""

    def change(words: Tensor, sizes: Tensor, bits: Tensor) -> Tensor:
        own = words[:, 1:]
        capital = ((own >= 65) & (own <= 90)).any(1, keepdim=True)
        made = torch.where(own == 0, own, torch.where(capital, own | 32, own & 0xDF))
        return torch.cat([words[:, :1], made], 1)

    return changed(tokens, share, uniforms, change, fewest=1)
