"""Cheap, fixed features of sounds, which need no training."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from autoaug.modalities.audio.signals import as_float, is_inside, lengths_of, power
from autoaug.modalities.audio.spectrogram import LogMel


@cache
def _log_mel() -> LogMel:
    return LogMel()


def features(waves: Tensor) -> list[Tensor]:
    """Blocks of features ``[n, d]`` of ``waves [n, C, T]`` in [-1, 1]: a coarse spectrogram, the mean and deviation of
    each band, how bands change over time, loudness and length, and the extremes and roughness of the waveform.
    """
    n, lengths = len(waves), lengths_of(waves)
    bands = _log_mel().to(waves.device)(waves)
    loudness = (power(waves, lengths) + 1e-8).log()
    steps = (waves[..., 1:] - waves[..., :-1]) * is_inside(lengths, waves.shape[-1] - 1)
    rough = (power(steps, lengths) + 1e-8).log() - loudness
    peak = waves.abs().amax((1, 2))
    return [
        adaptive_avg_pool2d(bands, (8, 8)).reshape(n, -1),
        torch.cat([bands.mean(3), (bands.var(3, correction=0) + 1e-6).sqrt()], 2).reshape(n, -1),
        (bands[..., 1:] - bands[..., :-1]).abs().mean(3).reshape(n, -1)
        if bands.shape[3] > 1
        else bands.mean(3).flatten(1),
        torch.stack([loudness, lengths.to(waves) / waves.shape[-1]], 1),
        torch.stack([rough, peak, (peak + 1e-4).log() - 0.5 * loudness], 1),
    ]


def copy_vectors(stored: np.ndarray) -> np.ndarray:
    """Vectors ``[n, d]`` of int16 ``[n, C, T]``, whose distances distinguish copies from new sounds: coarse
    spectrograms, in which a copy that is shifted by a few milliseconds is still one.
    """
    with torch.no_grad():
        bands = _log_mel()(as_float(torch.from_numpy(stored)))
        return adaptive_avg_pool2d(bands, (20, 16)).flatten(1).numpy()


def roughness(stored: np.ndarray) -> np.ndarray:
    """How much each of int16 ``stored [n, C, T]`` is like noise, ``[n]``: the flatness of its mean spectrum, from 0 for
    a tone to 1 for white noise.
    """
    powers = np.abs(np.fft.rfft(stored.astype(np.float32), axis=2)) ** 2 + 1e-3
    flat: np.ndarray = (np.exp(np.log(powers).mean(2)) / powers.mean(2)).mean(1)
    return flat
