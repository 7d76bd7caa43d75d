"""Proxy networks for sounds, and the user's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autoaug.modalities.audio.spectrogram import BANDS, LogMel, before_end, centered
from autoaug.modalities.blocks import Residual, conv_block
from autoaug.modalities.from_scratch import FromScratch, Network

#: The logit of each character where there is none for sure: finite, so that losses are.
_NEVER = -20.0


class MelNet(nn.Module):
    """A small residual convolutional network on log-mel spectrograms, which a batch normalization brings to one scale.

    Maps waveforms ``[n, channels, T]`` to logits ``[n, classes]``. The greatest responses over time and frequency
    count, so that it does not matter where in the padded waveform a sound is.
    """

    def __init__(self, channels: int, classes: int, width: int = 8) -> None:
        super().__init__()
        self.spectrogram = LogMel()
        self.scale = nn.BatchNorm2d(channels)
        self.layers = nn.Sequential(
            conv_block(channels, width),
            _pool(),
            conv_block(width, 2 * width),
            _pool(),
            Residual(2 * width),
            conv_block(2 * width, 4 * width),
            _pool(),
            conv_block(4 * width, 8 * width),
            _pool(),
            Residual(8 * width),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Linear(8 * width, classes),
        )

    def forward(self, waves: Tensor) -> Tensor:
        bands = self.spectrogram(waves).contiguous(memory_format=torch.channels_last)  # the fastest for convolutions
        logits: Tensor = self.layers(self.scale(bands))
        return logits


class CTCNet(nn.Module):
    """A small residual convolutional network on log-mel spectrograms that tells the character of each stretch of 32 ms.
    Each band is centered on its mean over the sound, so that other voices, microphones and distances sound alike
    (cepstral mean normalization; Atal, 1974).

    Maps waveforms ``[n, channels, T]`` to logits ``[n, frames, outputs]``. In the silence after the end there is no
    character for sure, and the head begins at 0. Otherwise CTC strengthens what random weights happen to prefer: it
    aligns characters with the edges and with the padding, and learns the training sounds by heart.
    """

    def __init__(self, channels: int, outputs: int, width: int = 8, hidden: int = 96) -> None:
        super().__init__()
        self.spectrogram = LogMel()
        self.scale = nn.BatchNorm2d(channels)
        self.bands = nn.Sequential(_halved(channels, width, (2, 2)), _halved(width, 2 * width, (2, 1)))
        self.time = nn.Sequential(
            _over_time(2 * width * BANDS // 4, hidden, 1), *(_ResidualOverTime(hidden) for _ in range(3))
        )
        self.head = nn.Linear(hidden, outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, waves: Tensor) -> Tensor:
        bands = self.spectrogram(waves)
        scaled = self.scale(centered(bands).contiguous(memory_format=torch.channels_last))
        frames = self.time(self.bands(scaled).flatten(1, 2))
        logits: Tensor = self.head(frames.transpose(1, 2))
        silence = torch.full_like(logits[:1, :1], _NEVER)
        silence[..., 0] = 0
        return torch.where(before_end(bands)[:, ::2, None], logits, silence)


class _ResidualOverTime(nn.Module):
    """A convolution over time with a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = _over_time(width, width, 5)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.body(x)
        return out


def _halved(inputs: int, outputs: int, step: tuple[int, int]) -> nn.Sequential:
    """A 3 x 3 convolution with a step, batch normalization and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, step, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _over_time(inputs: int, outputs: int, size: int) -> nn.Sequential:
    """A convolution over time, batch normalization and ReLU."""
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, size, padding=size // 2, bias=False), nn.BatchNorm1d(outputs), nn.ReLU(inplace=True)
    )


def _pool() -> nn.Module:
    return nn.MaxPool2d(2, ceil_mode=True)


_BANDS = f"a small convolutional network on spectrograms of {BANDS} log-mel bands"
#: Waveforms are not standardized: their mean is 0, and loudness is brought to one scale in the spectrogram.
_NETWORKS = FromScratch(
    "sounds",
    {
        "melnet": Network(lambda shape, outputs, *_: MelNet(shape[0], outputs), _BANDS),
        "ctcnet": Network(lambda shape, outputs, *_: CTCNet(shape[0], outputs), f"{_BANDS}, which spells by CTC"),
    },
)
build, check, is_own, resolve, start = _NETWORKS.functions
