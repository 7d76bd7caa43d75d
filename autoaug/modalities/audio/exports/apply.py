"""How an exported module applies the operations that it drew."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autoaug.modalities.audio.signals import answer, compose_times, cut, frequencies, lengths_of, retime


def apply_operations(waves: Tensor, choice: Tensor, magnitude: Tensor, uniforms: Tensor) -> Tensor:
    """Apply to each waveform its operators in order; in every step, all waveforms with the same operator are batched.

    Consecutive filters of a waveform are multiplied and need one pair of Fourier transforms; consecutive changes of
    time are composed and interpolated once.
    """
    waves, lengths, n = waves.clone(), lengths_of(waves), len(waves)
    hertz = frequencies(waves.shape[-1], waves)
    responses = torch.ones_like(hertz).repeat(n, 1)
    times = torch.tensor([[1.0, 0.0, 1.0]], dtype=waves.dtype, device=waves.device).repeat(n, 1)
    waiting = {kind: torch.zeros(n, dtype=torch.bool, device="cpu") for kind in ("response", "times")}

    def finish(kind: str, some: Tensor) -> None:
        rows = some[waiting[kind][some]]
        if len(rows) and kind == "response":
            waves[rows] = answer(waves[rows], responses[rows], lengths[rows])
            responses[rows] = 1.0
        elif len(rows):
            waves[rows], lengths[rows] = retime(waves[rows], times[rows], lengths[rows])
            times[rows] = torch.tensor([1.0, 0.0, 1.0], dtype=waves.dtype, device=waves.device)
        waiting[kind][rows] = False

    for step in range(len(choice)):
        for index, (kind, function, limit) in enumerate(OPERATORS):
            rows = (choice[step] == index).nonzero().squeeze(1)
            if not len(rows):
                continue
            value, numbers = (magnitude[step, rows] * limit).to(waves), uniforms[step, rows].to(waves)
            for other in {"response", "times"} - {kind}:
                finish(other, rows)
            if kind == "response":
                responses[rows] = responses[rows] * function(value, numbers, hertz)
                waiting[kind][rows] = True
            elif kind == "times":
                times[rows] = compose_times(times[rows], function(value, numbers))
                waiting[kind][rows] = True
            elif kind == "resized":
                waves[rows] = function(waves[rows], value, numbers, lengths[rows]).clamp(-1, 1)
                lengths[rows] = lengths_of(waves[rows])
            else:
                waves[rows] = cut(function(waves[rows], value, numbers, lengths[rows]), lengths[rows])
    for kind in waiting:
        finish(kind, torch.arange(n, device="cpu"))
    return waves


#: Kind, function and value at magnitude 1 of each operator; an exported module has its own list.
OPERATORS: list[tuple[str, Callable[..., Tensor], float]] = []
