"""Steps of a policy in PyTorch: each sound of a batch ``[B, C, T]`` at 16 kHz draws for itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from autoaug.modalities.audio.signals import answer, cut, frequencies, lengths_of, retime


class Change(nn.Module):
    """Apply a function to sounds with a probability, and with a value drawn evenly between two ends."""

    def __init__(self, function: Callable[..., Tensor], low: float, high: float, p: float = 1.0) -> None:
        super().__init__()
        self.function, self.low, self.high, self.p = function, low, high, p

    def forward(self, waves: Tensor) -> Tensor:
        rows = (torch.rand(len(waves)) < self.p).nonzero().squeeze(1).to(waves.device)
        if not len(rows):
            return waves
        value = torch.empty(len(rows)).uniform_(self.low, self.high).to(waves)
        return waves.index_copy(0, rows, self.changed(waves[rows], value, torch.rand(len(rows), 4).to(waves)))

    def changed(self, waves: Tensor, value: Tensor, uniforms: Tensor) -> Tensor:
        lengths = lengths_of(waves)
        return cut(self.function(waves, value, uniforms, lengths), lengths)


class Stretch(Change):
    """Likewise, for a function that changes lengths."""

    def changed(self, waves: Tensor, value: Tensor, uniforms: Tensor) -> Tensor:
        return self.function(waves, value, uniforms, lengths_of(waves)).clamp(-1, 1)


class Filter(Change):
    """Likewise, for a function that gives the gains at all frequencies."""

    def changed(self, waves: Tensor, value: Tensor, uniforms: Tensor) -> Tensor:
        gains = self.function(value, uniforms, frequencies(waves.shape[-1], waves))
        return answer(waves, gains, lengths_of(waves))


class Timing(Change):
    """Likewise, for a function that gives a change of time; see `retime`."""

    def changed(self, waves: Tensor, value: Tensor, uniforms: Tensor) -> Tensor:
        return retime(waves, self.function(value, uniforms), lengths_of(waves))[0]


class OneOf(nn.Module):
    """One of several steps, drawn for each sound with their probabilities, or evenly."""

    def __init__(self, steps: Sequence[nn.Module], p: Sequence[float] | None = None) -> None:
        super().__init__()
        self.steps, self.p = nn.ModuleList(steps), torch.tensor(p or [1.0] * len(steps))

    def forward(self, waves: Tensor) -> Tensor:
        drawn = self.p.multinomial(max(len(waves), 1), replacement=True)[: len(waves)]
        for k, step in enumerate(self.steps):
            rows = (drawn == k).nonzero().squeeze(1).to(waves.device)
            if len(rows):
                waves = waves.index_copy(0, rows, step(waves[rows]))
        return waves
