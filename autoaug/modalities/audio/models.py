"""Proxy networks for sounds, and the user's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

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
    aligns characters with the edges and with the padding, and learns the training sounds by heart. The silence counts
    in no batch normalization either, and is 0 after each: what is told of a sound does not depend on its padding.
    """

    def __init__(self, channels: int, outputs: int, width: int = 8, hidden: int = 96) -> None:
        super().__init__()
        self.spectrogram = LogMel()
        self.scale = nn.BatchNorm2d(channels)
        self.halved = _Normed.halved(channels, width, (2, 2))
        self.quartered = _Normed.halved(width, 2 * width, (2, 1))
        self.first = _Normed.over_time(2 * width * BANDS // 4, hidden, 1)
        self.others = nn.ModuleList(_Normed.over_time(hidden, hidden, 5) for _ in range(3))
        self.head = nn.Linear(hidden, outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, waves: Tensor) -> Tensor:
        bands = self.spectrogram(waves)
        there = before_end(bands)
        scaled = _normed(self.scale, centered(bands).contiguous(memory_format=torch.channels_last), there)
        there = there[:, ::2]
        frames = self.first(self.quartered(self.halved(scaled, there), there).flatten(1, 2), there)
        for layer in self.others:
            frames = frames + layer(frames, there)
        logits: Tensor = self.head(frames.transpose(1, 2))
        silence = torch.full_like(logits[:1, :1], _NEVER)
        silence[..., 0] = 0
        return torch.where(there[..., None], logits, silence)


class _Normed(nn.Module):
    """A convolution, batch normalization over the frames that are there, and ReLU."""

    def __init__(self, convolution: nn.Module, norm: _BatchNorm) -> None:
        super().__init__()
        self.convolution, self.norm = convolution, norm

    @classmethod
    def halved(cls, inputs: int, outputs: int, step: tuple[int, int]) -> _Normed:
        """A 3 x 3 convolution with a step."""
        return cls(nn.Conv2d(inputs, outputs, 3, step, padding=1, bias=False), nn.BatchNorm2d(outputs))

    @classmethod
    def over_time(cls, inputs: int, outputs: int, size: int) -> _Normed:
        """A convolution over time."""
        return cls(nn.Conv1d(inputs, outputs, size, padding=size // 2, bias=False), nn.BatchNorm1d(outputs))

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        return torch.relu(_normed(self.norm, self.convolution(x), there))


def _normed(norm: _BatchNorm, x: Tensor, there: Tensor) -> Tensor:
    """Normalize ``x [n, C, ..., frames]`` by statistics of the frames that are `there`, bool ``[n, frames]``; others
    become 0.
    """
    shown = there.view(len(x), *[1] * (x.ndim - 2), -1)
    if norm.training and not bool(there.all()) and int(there.sum()) > 1:
        rows = x.movedim(1, -1)
        kept = shown.squeeze(1).expand(rows.shape[:-1])
        normed: Tensor = norm(rows[kept].T.reshape(1, x.shape[1], *[1] * (x.ndim - 3), -1))
        made = normed.new_zeros(rows.shape)
        made[kept] = normed.reshape(x.shape[1], -1).T
        return made.movedim(-1, 1)
    return torch.where(shown, norm(x), 0)


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
