"""Noise without a generator: plain functions, which exported code carries along word for word."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def scramble(x: Tensor) -> Tensor:
    """The 32-bit finaliser of MurmurHash3."""
    x = x & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return x ^ (x >> 16)


def random_bits(uniforms: Tensor, count: int) -> Tensor:
    """`count` integers of 32 bits a sample, ``[n, count]``, that follow from the first two of ``draws [n, 4]`` alone.

    The draws' 48 bits key a counter-based generator (MurmurHash3's finaliser over the index; Appleby, 2011): the same
    numbers on every device.
    """
    key = (uniforms[:, :2].double() * 2**24).long()
    index = torch.arange(count, device=uniforms.device)
    return scramble(scramble(index + (key[:, :1] << 8)) ^ key[:, 1:2])


def uniform_noise(uniforms: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Numbers in [0, 1), float64 ``[n, *shape]``: see `random_bits`."""
    return (random_bits(uniforms, math.prod(shape)).double() / 2**32).view(-1, *shape)


def normal_noise(uniforms: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Normal numbers, float64 ``[n, *shape]``, by the Box-Muller transform: see `random_bits`."""
    first = random_bits(uniforms, math.prod(shape))
    second = scramble(first ^ 0x5BD1E995)
    radius = torch.sqrt(-2 * torch.log((first.double() + 1) / 2**32))
    return (radius * torch.cos(2 * math.pi * second.double() / 2**32)).view(-1, *shape)
