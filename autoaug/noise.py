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


def normal_noise(draws: Tensor, like: Tensor) -> Tensor:
    """Normal numbers of the shape of `like` ``[n, C, H, W]`` that follow from the first two of ``draws [n, 4]`` alone.

    The draws' 48 bits key a counter-based generator (MurmurHash3's finaliser over the pixel's index; Appleby, 2011),
    which the Box-Muller transform makes normal: the same numbers on every device.
    """
    key = (draws[:, :2].double() * 2**24).long()
    index = torch.arange(like[0].numel(), device=like.device)
    first = scramble(scramble(index[None, :] + (key[:, :1] << 8)) ^ key[:, 1:2])
    second = scramble(first ^ 0x5BD1E995)
    radius = torch.sqrt(-2 * torch.log((first.double() + 1) / 2**32))
    return (radius * torch.cos(2 * math.pi * second.double() / 2**32)).view_as(like).to(like.dtype)
