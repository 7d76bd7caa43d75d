"""Noise without a generator: plain functions, which exported modules contain verbatim."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def scramble(x: Tensor) -> Tensor:
    """The 32-bit finalizer of MurmurHash3, int32 like `x`, whose bits are those of unsigned numbers. torch has no
    unsigned arithmetic of 32 bits; in int64, with masks, this takes two to three times as long.
    """
    x = (x >> 16).bitwise_and_(0xFFFF).bitwise_xor_(x).mul_(-0x7A143595)  # in place, in half the time
    x = (x >> 13).bitwise_and_(0x7FFFF).bitwise_xor_(x).mul_(-0x3D4D51CB)
    return (x >> 16).bitwise_and_(0xFFFF).bitwise_xor_(x)


def random_bits(uniforms: Tensor, count: int) -> Tensor:
    """`count` numbers of 32 bits per sample, int64 ``[n, count]``, determined by the first two of ``uniforms [n, 4]``.

    Their 48 bits are the key of a counter-based generator (MurmurHash3's finalizer of the index; Appleby, 2011), which
    gives the same numbers on every device.
    """
    key = (uniforms[:, :2].double() * 2**24).long()
    index = torch.arange(count, dtype=torch.int32, device=uniforms.device)
    return _unsigned(scramble(scramble(index + (key[:, :1] << 8).int()) ^ key[:, 1:2].int()))


def uniform_noise(uniforms: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Uniform numbers in [0, 1), float64 ``[n, *shape]``; see `random_bits`."""
    return (random_bits(uniforms, math.prod(shape)).double() / 2**32).view(-1, *shape)


def normal_noise(uniforms: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Standard normal numbers, float64 ``[n, *shape]``, by the Box-Muller transform; see `random_bits`."""
    first = random_bits(uniforms, math.prod(shape))
    second = _unsigned(scramble(first.int() ^ 0x5BD1E995))
    radius = torch.sqrt(-2 * torch.log((first.double() + 1) / 2**32))
    return (radius * torch.cos(2 * math.pi * second.double() / 2**32)).view(-1, *shape)


def _unsigned(bits: Tensor) -> Tensor:
    """The bits of int32 as numbers without a sign, int64."""
    return bits.long().bitwise_and_(0xFFFFFFFF)
