"""Additive noise from a bank: its parts are as good as fresh noise, and dozens of times as fast."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from autoaug.functional.noise import normal_noise
from autoaug.functional.tensors import MADE
from autoaug.modalities.audio.recordings import noise_recordings
from autoaug.modalities.audio.signals import per_wave, power, silenced
from autoaug.modalities.operators import operator

noise = partial(operator, modality="audio", family="noise", unit="of the amplitude as noise")


def made_once(name: Any, like: Tensor, make: Callable[[], Tensor]) -> Tensor:
    """The tensor that `make` makes, with the dtype and device of `like`; made once for each `name`."""
    key = (name, like.dtype, like.device)
    known = MADE.get(key)
    if known is None:
        with torch.inference_mode(False), torch.no_grad():  # it outlives the mode that it is made in
            known = make().to(like)
        MADE[key] = known
    return known


def noise_bank(slope: float, like: Tensor) -> Tensor:
    """8 seconds ``[131072]`` of Gaussian noise with variance 1 whose power falls as ``1 / frequency ** slope``; made
    once per dtype and device.
    """

    def bank() -> Tensor:
        white = normal_noise(torch.full((1, 4), 0.5, device="cpu"), (131072,))[0]
        spectrum = torch.fft.rfft(white)
        rank = torch.arange(len(spectrum), dtype=torch.float64, device="cpu").clamp(min=1)
        colored = torch.fft.irfft(spectrum * rank ** (-slope / 2), n=131072)
        scaled: Tensor = (colored - colored.mean()) / colored.std()
        return scaled

    return made_once(("noise bank", slope), like, bank)


def part_of_bank(slope: float, waves: Tensor, place: Tensor) -> Tensor:
    """Noise of the shape of ``waves [n, C, T]`` from the bank, at ``place [n]`` in [0, 1) of it; channels are apart."""
    channel = torch.arange(waves.shape[1], device=waves.device) * 0.381966
    start = ((place[:, None] + channel) * 131072).long() % 131072
    bank, samples = noise_bank(slope, waves), waves.shape[2]
    endless = bank.repeat(2 + samples // 131072)[: 131072 + samples]
    return endless.unfold(0, samples, 1)[start]


def add_noise(waves: Tensor, made: Tensor, ratio: Tensor, lengths: Tensor) -> Tensor:
    """Add noise of exactly `ratio [n]` times the signal's amplitude: a signal-to-noise ratio of -20 log10(ratio) dB."""
    made = silenced(made, lengths)
    size = (power(waves, lengths) + 1e-10).sqrt() / (power(made, lengths) + 1e-10).sqrt()
    return waves + per_wave(ratio * size) * made


@noise("WhiteNoise")
def white_noise(waves: Tensor, ratio: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Add white noise; at magnitude 0.1 the signal-to-noise ratio is 20 dB, at 1 it is 0 dB."""
    return add_noise(waves, part_of_bank(0.0, waves, uniforms[:, 0]), ratio, lengths)


@noise("PinkNoise")
def pink_noise(waves: Tensor, ratio: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Add pink noise, with equal power in each octave; at magnitude 1 the signal-to-noise ratio is 0 dB."""
    return add_noise(waves, part_of_bank(1.0, waves, uniforms[:, 0]), ratio, lengths)


def part_of_recordings(waves: Tensor, uniforms: Tensor) -> Tensor:
    """For each of ``waves [n, C, T]`` a recording, from some place on, which are drawn; all channels get the same."""
    name = ("recorded noise", os.environ.get("AUTOAUG_NOISE"))
    bank = made_once(name, waves, lambda: torch.from_numpy(noise_recordings()))
    which, start = (uniforms[:, 0] * len(bank)).long(), (uniforms[:, 1] * 128000).long()
    index = (start[:, None] + torch.arange(waves.shape[2], device=waves.device)) % 128000
    return bank[which[:, None], index][:, None].expand(waves.shape)


@noise("BackgroundNoise")
def background_noise(waves: Tensor, ratio: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Add a recording from the folder in ``AUTOAUG_NOISE``, or else hum, voices or wind; 20 dB at 0.1, 0 dB at 1."""
    return add_noise(waves, part_of_recordings(waves, uniforms), ratio, lengths)
