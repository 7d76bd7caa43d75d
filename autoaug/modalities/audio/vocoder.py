"""Time stretching and pitch shifting by a phase vocoder (Flanagan and Golden, 1966; Dolson, 1986)."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.modalities.audio.signals import cut, new_lengths, retime, up_to, with_silence
from autoaug.modalities.operators import operator


def overlapped(frames: Tensor) -> Tensor:
    """Add frames ``[..., M, 512]`` that begin 128 samples after each other: ``[..., 128 (M + 3)]``."""
    count = frames.shape[-2]
    whole = frames.new_zeros(*frames.shape[:-2], 128 * (count + 3))
    for k in range(4):
        whole[..., 128 * k : 128 * (k + count)] += frames[..., 128 * k : 128 * (k + 1)].flatten(-2)
    return whole


def stretched(waves: Tensor, rate: Tensor, lengths: Tensor) -> Tensor:
    """Waveforms ``rate [n]`` times as fast at the same pitch. The sizes of spectra are interpolated over time, and
    phases go on from frame to frame as they did.
    """
    samples = waves.shape[-1]
    waves = up_to(waves, torch.maximum(lengths, new_lengths(lengths, 1 / rate, samples)))
    # The transform needs the digits, since what is hardly there has a phase, too, and so do sums of many phases.
    window = torch.hann_window(512, dtype=torch.float64, device=waves.device)
    spectra = torch.fft.rfft(torch.nn.functional.pad(waves.double(), (256, 384)).unfold(2, 512, 128) * window)
    spectra = spectra.to(waves.dtype.to_complex())
    (n, channels, count, _), window = spectra.shape, window.to(waves)
    place = torch.arange(count, device=waves.device) * rate.double()[:, None]
    low = place.detach().long().clamp(max=count - 2)
    first = torch.arange(0, n * channels * (count - 1), count - 1, device=waves.device).view(n, channels, 1)
    index = (first + low[:, None]).flatten()

    def read(frames: Tensor) -> Tensor:
        return frames.flatten(0, 2).index_select(0, index).view(spectra.shape)

    sizes, share = spectra.abs(), (place - low).clamp(0, 1).to(waves)[:, None, :, None]
    size = torch.addcmul(read(sizes[:, :, :-1]), share, read(sizes.diff(dim=2)))
    # Where there is no sound, a rounding error would decide the phases of all that follows.
    phases = torch.where(sizes < 1e-5, 0, spectra.angle())
    turns = read(phases.diff(dim=2))
    phase = phases[:, :, :1] + turns.cumsum(2, dtype=torch.float64) - turns
    phase = (phase - 2 * torch.pi * (phase / (2 * torch.pi)).detach().round()).to(waves)
    there = (place <= count - 1)[:, None, :, None]
    made = overlapped(torch.fft.irfft(torch.polar(size * there, phase), n=512) * window)
    weight = overlapped(window.square().expand(count, 512)).clamp(min=1e-3)
    return with_silence((made / weight)[..., 256 : 256 + waves.shape[-1]], samples)


@operator(
    "TimeStretch", modality="audio", family="time", unit="octaves", limit=0.5, signed=True, kind="resized", jumps=True
)
def time_stretch(waves: Tensor, octaves: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Make the sound shorter or longer without a change of pitch; the end may no longer fit."""
    longer = new_lengths(lengths, torch.exp2(-octaves), waves.shape[-1])
    made = cut(stretched(waves, torch.exp2(octaves), lengths), longer)
    return torch.where((octaves == 0)[:, None, None], waves, made)


@operator("PitchShift", modality="audio", family="time", unit="semitones", limit=6.0, signed=True, jumps=True)
def pitch_shift(waves: Tensor, semitones: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Make the sound higher or lower without a change of length."""
    samples, factor = waves.shape[-1], torch.exp2(semitones / 12)
    room = torch.nn.functional.pad(waves, (0, samples // 2 + 1))
    times = torch.stack([torch.ones_like(factor), torch.zeros_like(factor), 1 / factor], 1)
    made, _ = retime(stretched(room, 1 / factor, lengths), times, new_lengths(lengths, factor, room.shape[-1]))
    return torch.where((semitones == 0)[:, None, None], waves, made[..., :samples])
