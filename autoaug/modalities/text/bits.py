"""Numbers and choices that operators on tokens share: plain functions on int64 ``[n, L, 3]``."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autoaug.functional.noise import random_bits
from autoaug.modalities.text.tokens import PART, PROTECTED, WIDTH, WORD

_FLAGS = 0xFF
#: Odd numbers that spread bits, the 64-bit ones of Knuth's generator and of SplitMix (Steele et al., 2014).
_SPREAD = (6364136223846793005, -7046029254386353131, -4658895280553007687)


def has(tokens: Tensor, flag: int) -> Tensor:
    """Whether each token has a flag, bool ``[n, L]``."""
    return (tokens[..., 0] & flag).bool()


def may_change(tokens: Tensor) -> Tensor:
    """Whether each token is a word that is not protected, and not a part of a long one, bool ``[n, L]``."""
    flags = tokens[..., 0]
    allowed = (flags & (WORD | PROTECTED | PART)) == WORD
    allowed[:, :-1] &= (flags[:, 1:] & PART) == 0
    return allowed


def begins_word(tokens: Tensor) -> Tensor:
    """Whether each token is a word, or the first part of a long one, bool ``[n, L]``."""
    return (tokens[..., 0] & (WORD | PART)) == WORD


def as_bytes(tokens: Tensor) -> Tensor:
    """Tokens as uint8 ``[..., 24]``, the first of which are the flags; the same memory."""
    return tokens.contiguous().view(torch.uint8)


def keys_of(tokens: Tensor) -> Tensor:
    """A number per word, int64 ``[n, L]``, whatever its flags and the case of its ASCII letters."""
    first, second, third = (_lower(part) for part in (tokens[..., 0] & ~_FLAGS, tokens[..., 1], tokens[..., 2]))
    key = first * _SPREAD[0] + second * _SPREAD[1] + third * _SPREAD[2]
    key = (key ^ ((key >> 29) & 0x7FFFFFFFF)) * _SPREAD[1]
    return key ^ ((key >> 32) & 0xFFFFFFFF)


def _lower(eight: Tensor) -> Tensor:
    """Eight bytes in each int64, with ASCII letters in lower case; all bytes at once."""
    seven = eight & 0x7F7F7F7F7F7F7F7F
    above = (seven + 0x2525252525252525) ^ (seven + 0x3F3F3F3F3F3F3F3F)  # the high bits: not above Z, but from A on
    return eight | ((above & ~eight & -0x7F7F7F7F7F7F7F80) >> 2 & 0x2020202020202020)


def count(share: Tensor, there: Tensor) -> Tensor:
    """How many of ``there [n]`` words a share means, ``[n]``: ``max(1, int(share * words))`` (Wei and Zou, 2019), and
    none for a share of 0.
    """
    wanted = (share.detach().double() * there).floor().long().clamp(min=1)
    return torch.where(share > 0, torch.minimum(wanted, there), 0)


def drawn_from(allowed: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """A random order of the places that are ``allowed [n, L]``, with all others behind them: the places in that order,
    and the rank of each place, ``[n, L]``.
    """
    order = _sorted(_lots(allowed, uniforms)) & 0xFFFF
    place = torch.arange(order.shape[1], device=order.device).expand_as(order)
    return order, torch.empty_like(order).scatter_(1, order, place)


def chosen(allowed: Tensor, share: Tensor, there: Tensor, uniforms: Tensor) -> Tensor:
    """Whether each place is among those chosen, bool ``[n, L]``: as many of the `allowed` ones as `share` of ``there
    [n]`` words is, the first in the order of `drawn_from`.
    """
    many = torch.minimum(count(share, there), allowed.sum(1))[:, None]
    lots = _lots(allowed, uniforms)
    last = _sorted(lots).gather(1, (many - 1).clamp(min=0))
    return lots <= torch.where(many > 0, last, -1)


def _lots(allowed: Tensor, uniforms: Tensor) -> Tensor:
    """A random number per place, different within a text, int64 ``[n, L]``: the place is its lowest 16 bits, and those
    that are not allowed have the largest.
    """
    place = torch.arange(allowed.shape[1], device=allowed.device)
    return torch.where(allowed, random_bits(uniforms, allowed.shape[1]) << 16, 2**62) + place


def _sorted(numbers: Tensor) -> Tensor:
    """The numbers ``[n, L]``, sorted within rows; on a CPU by NumPy, which takes a tenth of torch's time."""
    return torch.from_numpy(np.sort(numbers.numpy())) if numbers.device.type == "cpu" else numbers.sort(1).values


def places_of(mask: Tensor) -> Tensor:
    """Where ``mask [n, L]`` is true, as places among all tokens of the batch, int64 ``[m]``; on a CPU by NumPy, which
    takes a sixth of torch's time.
    """
    flat = mask.flatten()
    return torch.from_numpy(np.flatnonzero(flat.numpy())) if flat.device.type == "cpu" else flat.nonzero()[:, 0]


def lengths_of(tokens: Tensor) -> Tensor:
    """The number of tokens of each text, int64 ``[n]``; padding is at the end."""
    return (tokens[..., 0] != 0).sum(1)


assert WIDTH == 24, "what is above counts on three numbers per token"
