"""Additive noise from a bank: its parts are as good as fresh noise, and dozens of times as fast."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from autoaug.functional.noise import normal_noise
from autoaug.functional.tensors import MADE
from autoaug.modalities.audio.signals import per_wave, power, silenced
from autoaug.modalities.operators import operator

noise = partial(operator, modality="audio", family="noise", unit="of the amplitude as noise")


def noise_bank(slope: float, like: Tensor) -> Tensor:
    """8 seconds ``[131072]`` of Gaussian noise with variance 1 whose power falls as ``1 / frequency ** slope``; made
    once per dtype and device.
    """
    key = ("noise bank", slope, like.dtype, like.device)
    known = MADE.get(key)
    if known is None:
        with torch.inference_mode(False), torch.no_grad():  # it outlives the mode that it is made in
            white = normal_noise(torch.full((1, 4), 0.5, device="cpu"), (131072,))[0]
            spectrum = torch.fft.rfft(white)
            rank = torch.arange(len(spectrum), dtype=torch.float64, device="cpu").clamp(min=1)
            colored = torch.fft.irfft(spectrum * rank ** (-slope / 2), n=131072)
            known = ((colored - colored.mean()) / colored.std()).to(like)
        MADE[key] = known
    return known


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
