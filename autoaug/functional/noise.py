"""Noise without a generator: plain functions, which exported modules contain verbatim."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def scramble(x: Tensor) -> Tensor:
    """The 32-bit finalizer of MurmurHash3."""
    x = x & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return x ^ (x >> 16)


def random_bits(uniforms: Tensor, count: int) -> Tensor:
    """`count` 32-bit integers per sample, ``[n, count]``, determined by the first two of ``uniforms [n, 4]``.

    Their 48 bits are the key of a counter-based generator (MurmurHash3's finalizer of the index; Appleby, 2011), which
    gives the same numbers on every device.
    """
    key = (uniforms[:, :2].double() * 2**24).long()
    index = torch.arange(count, device=uniforms.device)
    return scramble(scramble(index + (key[:, :1] << 8)) ^ key[:, 1:2])


def uniform_noise(uniforms: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Uniform numbers in [0, 1), float64 ``[n, *shape]``; see `random_bits`."""
    return (random_bits(uniforms, math.prod(shape)).double() / 2**32).view(-1, *shape)


def normal_noise(uniforms: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Standard normal numbers, float64 ``[n, *shape]``, by the Box-Muller transform; see `random_bits`."""
    first = random_bits(uniforms, math.prod(shape))
    second = scramble(first ^ 0x5BD1E995)
    radius = torch.sqrt(-2 * torch.log((first.double() + 1) / 2**32))
    return (radius * torch.cos(2 * math.pi * second.double() / 2**32)).view(-1, *shape)
