"""Log-mel spectrograms: what proxies and probes look at."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from autoaug.modalities.audio.signals import hertz_of, mel

#: Bands of the mel scale, samples of a window (32 ms) and from one to the next (16 ms).
BANDS, WINDOW, HOP = 40, 512, 256
#: What is added to the power of a band before its logarithm is taken: -60 dB.
_FLOOR = 1e-6
#: What no band of silence exceeds: a little more than the logarithm of the floor.
_SILENCE = math.log(_FLOOR) + 0.3


class LogMel(nn.Module):
    """Waveforms ``[n, C, T]`` in [-1, 1] as the logarithms of the power in bands, ``[n, C, BANDS, frames]``;
    differentiable. The bands are triangles of equal width on the mel scale.
    """

    window: Tensor
    weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        edges = hertz_of(torch.linspace(0, float(mel(torch.tensor(8000.0))), BANDS + 2))
        bins = torch.linspace(0, 8000, WINDOW // 2 + 1)
        up = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
        down = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
        self.register_buffer("weights", torch.minimum(up, down).clamp(min=0), persistent=False)

    def forward(self, waves: Tensor) -> Tensor:
        n, channels, samples = waves.shape
        with torch.autocast(waves.device.type, enabled=False):  # there are no transforms of 16-bit numbers
            padded = torch.nn.functional.pad(waves.float().reshape(n * channels, samples), (WINDOW // 2, WINDOW // 2))
            frames = padded.unfold(1, WINDOW, HOP) * self.window
            spectrum = torch.fft.rfft(frames)
            powers = spectrum.real.square() + spectrum.imag.square()
            bands = torch.log(powers @ self.weights / WINDOW + _FLOOR)
        return bands.transpose(1, 2).reshape(n, channels, BANDS, -1)


def centered(bands: Tensor) -> Tensor:
    """Spectrograms ``[n, C, BANDS, frames]`` less the mean of each band over the frames with any sound; 0 in others."""
    sounds = (bands.amax(2, keepdim=True) > _SILENCE).float()
    mean = (bands * sounds).sum(3, keepdim=True) / sounds.sum(3, keepdim=True).clamp(min=1)
    return (bands - mean) * sounds


def before_end(bands: Tensor) -> Tensor:
    """Which frames of ``[n, C, BANDS, frames]`` are not after the last one with any sound, bool ``[n, frames]``."""
    sounds = (bands.amax((1, 2)) > _SILENCE).int()
    return sounds.flip(1).cummax(1).values.flip(1).bool()
