"""Time stretching and pitch shifting by a phase vocoder (Flanagan and Golden, 1966; Dolson, 1986)."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.modalities.audio.signals import cut, new_lengths, retime
from autoaug.modalities.operators import operator


def overlapped(frames: Tensor) -> Tensor:
    """Add frames ``[..., M, 512]`` that begin 128 samples after each other: ``[..., 128 (M + 3)]``."""
    count = frames.shape[-2]
    whole = frames.new_zeros(*frames.shape[:-2], 128 * (count + 3))
    for k in range(4):
        whole[..., 128 * k : 128 * (k + count)] += frames[..., 128 * k : 128 * (k + 1)].flatten(-2)
    return whole


def stretched(waves: Tensor, rate: Tensor) -> Tensor:
    """Waveforms ``rate [n]`` times as fast at the same pitch. The sizes of spectra are interpolated over time, and
    phases go on from frame to frame as they did.
    """
    samples = waves.shape[-1]
    window = torch.hann_window(512, dtype=torch.float64, device=waves.device)  # sums of many phases need the digits
    padded = torch.nn.functional.pad(waves.double(), (256, 384))
    spectra = torch.fft.rfft(padded.unfold(2, 512, 128) * window)
    count = spectra.shape[2]
    place = torch.arange(count, device=waves.device) * rate.double()[:, None]
    low = place.detach().long().clamp(max=count - 2)
    index = low[:, None, :, None].expand(-1, *spectra.shape[1:2], -1, spectra.shape[3])
    left, right = spectra.gather(2, index), spectra.gather(2, index + 1)
    share = (place - low).clamp(0, 1)[:, None, :, None]
    size = torch.lerp(left.abs(), right.abs(), share) * (place <= count - 1)[:, None, :, None]
    # Where there is no sound, a rounding error would decide the phases of all that follows.
    phases = torch.where(spectra.abs() < 1e-5, 0, spectra.angle())
    turns = phases.gather(2, index + 1) - phases.gather(2, index)
    phase = phases[:, :, :1] + turns.cumsum(2) - turns
    made = overlapped(torch.fft.irfft(torch.polar(size, phase), n=512) * window)
    weight = overlapped(window.square().expand(count, 512)).clamp(min=1e-3)
    return (made / weight)[..., 256 : 256 + samples].to(waves)


@operator(
    "TimeStretch", modality="audio", family="time", unit="octaves", limit=0.5, signed=True, kind="resized", jumps=True
)
def time_stretch(waves: Tensor, octaves: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Make the sound shorter or longer without a change of pitch; the end may no longer fit."""
    made = cut(stretched(waves, torch.exp2(octaves)), new_lengths(lengths, torch.exp2(-octaves), waves.shape[-1]))
    return torch.where((octaves == 0)[:, None, None], waves, made)


@operator("PitchShift", modality="audio", family="time", unit="semitones", limit=6.0, signed=True, jumps=True)
def pitch_shift(waves: Tensor, semitones: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Make the sound higher or lower without a change of length."""
    samples, factor = waves.shape[-1], torch.exp2(semitones / 12)
    room = torch.nn.functional.pad(waves, (0, samples // 2 + 1))
    times = torch.stack([torch.ones_like(factor), torch.zeros_like(factor), 1 / factor], 1)
    made, _ = retime(stretched(room, 1 / factor), times, new_lengths(lengths, factor, room.shape[-1]))
    return torch.where((semitones == 0)[:, None, None], waves, made[..., :samples])
