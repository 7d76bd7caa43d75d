"""Fourier transforms, of tensors and of arrays."""

from __future__ import annotations


def fft_length(samples: int) -> int:
    """A length for Fourier transforms of so many samples and 64 ms of what rings on: an even product of 2, 3 and 5."""
    length = (samples + 1025) // 2 * 2
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 2
