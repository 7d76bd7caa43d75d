"""Numbers and choices that operators on tokens share.

Which words an operator chooses follows from their flags, and is decided on the host: of NumPy's functions on bytes and
numbers of 32 bits, most take a third of the time of torch's on a CPU, or less. Only whole tokens stay on their device.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.text.tokens import PART, PROTECTED, WIDTH, WORD

_FLAGS = 0xFF
#: Odd numbers that spread bits, the 64-bit ones of Knuth's generator and of SplitMix (Steele et al., 2014).
_SPREAD = (6364136223846793005, -7046029254386353131, -4658895280553007687)


def on_host(numbers: Tensor) -> np.ndarray:
    """The numbers as an array."""
    array: np.ndarray = numbers.detach().cpu().numpy()
    return array


def placed(array: np.ndarray, like: Tensor) -> Tensor:
    """An array, which must be new memory, as a tensor on the device of another one."""
    return torch.from_numpy(array).to(like.device)


def flags_of(tokens: Tensor) -> np.ndarray:
    """The flags of tokens ``[n, L, 3]``, uint8 ``[n, L]``."""
    return on_host(tokens[..., 0].to(torch.uint8))


def has(flags: np.ndarray, flag: int) -> np.ndarray:
    """Whether each token has a flag, bool ``[n, L]``."""
    there: np.ndarray = (flags & flag) != 0
    return there


def may_change(flags: np.ndarray) -> np.ndarray:
    """Whether each token is a word that is not protected, and not a part of a long one, bool ``[n, L]``."""
    allowed: np.ndarray = (flags & (WORD | PROTECTED | PART)) == WORD
    allowed[:, :-1] &= flags[:, 1:] < PART  # the highest flag
    return allowed


def begins_word(flags: np.ndarray) -> np.ndarray:
    """Whether each token is a word, or the first part of a long one, bool ``[n, L]``."""
    begins: np.ndarray = (flags & (WORD | PART)) == WORD
    return begins


def as_bytes(tokens: Tensor) -> Tensor:
    """Tokens as uint8 ``[..., 24]``, the first of which are the flags; the same memory."""
    return tokens.contiguous().view(torch.uint8)


def keys_of(tokens: Tensor) -> Tensor:
    """A number per word, int64 ``[n, L]``, whatever its flags and the case of its ASCII letters."""
    first, second, third = _lower(tokens).unbind(-1)
    key = (first & ~_FLAGS).mul_(_SPREAD[0]).add_(second, alpha=_SPREAD[1]).add_(third, alpha=_SPREAD[2])
    key = (key ^ ((key >> 29) & 0x7FFFFFFFF)).mul_(_SPREAD[1])
    return key ^ ((key >> 32) & 0xFFFFFFFF)


def _lower(eight: Tensor) -> Tensor:
    """Eight bytes in each int64, with ASCII letters in lower case; all bytes at once, in new memory."""
    seven = eight & 0x7F7F7F7F7F7F7F7F
    above = (seven + 0x2525252525252525) ^ seven.add_(0x3F3F3F3F3F3F3F3F)  # the high bits: not above Z, but from A on
    capital = above.bitwise_and_(-0x7F7F7F7F7F7F7F80).bitwise_and_(~eight)
    return (capital >> 2).bitwise_and_(0x2020202020202020).bitwise_or_(eight)


def random_bits(uniforms: np.ndarray, count: int) -> np.ndarray:
    """The numbers of `autoaug.functional.noise.random_bits`, uint32 ``[n, count]``."""
    return _bits(uniforms, np.arange(count, dtype=np.uint32))


def bits_at(uniforms: np.ndarray, length: int, places: np.ndarray) -> np.ndarray:
    """Of `random_bits`, those at ``places [m]`` among all tokens of the batch, int64 ``[m]``."""
    row, place = np.divmod(places, length)
    return _bits(uniforms[row], place[:, None].astype(np.uint32))[:, 0].astype(np.int64)


def _bits(uniforms: np.ndarray, index: np.ndarray) -> np.ndarray:
    key = (uniforms[:, :2].astype(np.float64) * 2**24).astype(np.uint32)
    return _scrambled(_scrambled(index + (key[:, :1] << 8)) ^ key[:, 1:2])


def _scrambled(x: np.ndarray) -> np.ndarray:
    x ^= x >> 16
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> 13
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> 16
    return x


def count(share: np.ndarray, there: np.ndarray) -> np.ndarray:
    """How many of ``there [n]`` words a share means, ``[n]``: ``max(1, int(share * words))`` (Wei and Zou, 2019), and
    none for a share of 0.
    """
    wanted = np.maximum((share.astype(np.float64) * there).astype(np.int64), 1)
    return np.where(share > 0, np.minimum(wanted, there), 0)


def drawn_from(allowed: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """The places ``[n, L]`` of each text in a random order, those that are ``allowed [n, L]`` before all others."""
    return np.sort(_lots(allowed, uniforms), 1) & 0xFFFF


def chosen(allowed: np.ndarray, share: np.ndarray, there: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Whether each place is among those chosen, bool ``[n, L]``: as many of the `allowed` ones as `share` of ``there
    [n]`` words is, the first in the order of `drawn_from`.
    """
    many = np.minimum(count(share, there), allowed.sum(1))[:, None]
    lots = _lots(allowed, uniforms)
    last = np.take_along_axis(np.sort(lots, 1), np.maximum(many - 1, 0), 1)
    return lots <= np.where(many > 0, last, -(2**63))


def _lots(allowed: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """A random number per place, different within a text, int64 ``[n, L]``: the place is its lowest 16 bits, and those
    that are allowed have the smallest.
    """
    lots = random_bits(uniforms, allowed.shape[1]).astype(np.int64)
    lots <<= 16
    lots += np.arange(allowed.shape[1])
    lots -= allowed.astype(np.int64) << 62  # in place, since these are the largest arrays here
    return lots


def are_there(tokens: Tensor) -> Tensor:
    """Whether each token ``[n, L, 3]`` is no padding, bool ``[n, L]``, on their device."""
    return tokens[..., 0].bool()


def lengths_of(tokens: Tensor) -> Tensor:
    """The number of tokens of each text, int64 ``[n]``; padding is at the end."""
    return are_there(tokens).sum(1)


assert WIDTH == 24, "what is above counts on three numbers per token"
