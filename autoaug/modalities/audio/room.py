"""Rooms: reverberation by impulse responses, made or recorded."""

from __future__ import annotations

import os

import torch
from torch import Tensor

from autoaug.modalities.audio.noise import made_once, noise_bank
from autoaug.modalities.audio.recordings import impulse_recordings
from autoaug.modalities.audio.signals import per_wave
from autoaug.modalities.operators import operator


def impulse_responses(seconds: Tensor, place: Tensor, samples: int, like: Tensor) -> Tensor:
    """Impulse responses ``[n, samples]`` of rooms: the direct sound, and noise that decays by 60 dB in ``seconds [n]``
    (Moorer, 1979); scaled to keep the power of white noise.
    """
    time = torch.arange(samples, device=like.device)
    index = (place * 131072).long()[:, None] + time
    decay = torch.exp(-6.9078 * time.to(like) / (16000 * seconds.clamp(min=1e-5))[:, None])
    tail = 0.05 * noise_bank(0.0, like)[index % 131072] * decay
    response = torch.where(time > 0, tail, 1)
    return response / response.square().sum(1, keepdim=True).sqrt()


def convolved(waves: Tensor, responses: Tensor) -> Tensor:
    """Convolve each of ``waves [n, C, T]`` with its response, ``[n, R]``; what is beyond T is cut off."""
    response = responses[:, : waves.shape[-1]]
    size = 1 << (waves.shape[-1] + response.shape[-1] - 1).bit_length()
    spectrum = torch.fft.rfft(waves, n=size) * torch.fft.rfft(response, n=size)[:, None]
    heard: Tensor = torch.fft.irfft(spectrum, n=size)[..., : waves.shape[-1]]
    return heard


@operator("Reverberation", modality="audio", family="room", unit="seconds to decay by 60 dB", limit=0.8)
def reverberation(waves: Tensor, seconds: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Play the sound in a room with this reverberation time; what rings on after its end is cut off."""
    return convolved(waves, impulse_responses(seconds, uniforms[:, 0], 8000, waves))


@operator("ImpulseResponse", modality="audio", family="room", unit="of the sound through the room")
def impulse_response(waves: Tensor, share: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Blend with the sound in a room of the folder in ``AUTOAUG_IMPULSES``, or else in one of eight made ones."""
    name = ("recorded rooms", os.environ.get("AUTOAUG_IMPULSES"))
    bank = made_once(name, waves, lambda: torch.from_numpy(impulse_recordings()))
    return torch.lerp(waves, convolved(waves, bank[(uniforms[:, 0] * len(bank)).long()]), per_wave(share))
