"""Operators on arrays, in NumPy, with the same numbers as those in `autoaug.modalities.audio`, which explain them.

Waveforms are float32 ``[n, C, T]`` in [-1, 1] at 16 kHz, values ``[n]`` are in the operator's unit, uniforms ``[n, 4]``
in [0, 1).
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from autoaug.modalities.audio.fourier import fft_length
from autoaug.modalities.audio.recordings import impulse_recordings, noise_recordings

Array = Any
#: Noise by the slope of its spectrum, and recordings by their folders, made once.
BANKS: dict[Any, Array] = {}


def lengths_of(waves: Array) -> Array:
    sounds = (waves != 0).any(1)
    return waves.shape[-1] - sounds[:, ::-1].argmax(1)


def is_inside(lengths: Array, samples: int) -> Array:
    return (np.arange(samples) < lengths[:, None])[:, None]


def cut(waves: Array, lengths: Array) -> Array:
    return np.where(is_inside(lengths, waves.shape[-1]), np.clip(waves, -1, 1), 0).astype("float32")


def per_wave(value: Array) -> Array:
    return np.reshape(value, (-1, 1, 1))


def power(waves: Array, lengths: Array) -> Array:
    return np.square(waves).sum((1, 2)) / (waves.shape[1] * lengths)


def mel(hertz: Array) -> Array:
    return 2595 * np.log10(1 + hertz / 700)


def hertz_of(mels: Array) -> Array:
    return 700 * (10 ** (mels / 2595) - 1)


def frequencies(samples: int) -> Array:
    return np.linspace(0, 8000, fft_length(samples) // 2 + 1, dtype="float32")


def answer(waves: Array, response: Array, lengths: Array) -> Array:
    flat, louder = (response == response[:, :1]).all(1), waves * response[:, :1, None]
    if flat.all():
        return cut(louder, lengths)
    length = 2 * (response.shape[-1] - 1)
    spectrum = np.fft.rfft(waves, n=length) * response[:, None]
    filtered = np.fft.irfft(spectrum, n=length)[..., : waves.shape[-1]]
    return cut(np.where(flat[:, None, None], louder, filtered), lengths)


def compose_times(first: Array, then: Array) -> Array:
    scale, offset, ratio = first.T
    return np.stack([scale * then[:, 0], scale * then[:, 1] + offset, ratio * then[:, 2]], 1)


def retime(waves: Array, times: Array, lengths: Array) -> tuple[Array, Array]:
    samples, kept = waves.shape[-1], times[:, 0] == times[:, 2]
    scale, offset, ratio = times.astype("float32").T
    step, own = scale / ratio, np.arange(samples, dtype="float32") + 0.5
    place = step[:, None] * own + (offset * lengths)[:, None].astype("float32") - np.float32(0.5)
    curve = read_at(waves, place) if kept.any() else waves
    if not kept.all():
        curve = np.where(per_wave(kept), curve, read_finer(finer(waves, step), place))
    longer = new_lengths(lengths, ratio, samples)
    return cut(curve, longer), longer


def finer(waves: Array, step: Array) -> Array:
    hertz = frequencies(waves.shape[-1])
    highest, edge = 8000 / step[:, None], np.clip(step[:, None] - 1, 1e-3, 0.05)
    kept = np.where(step[:, None] > 1, np.clip((highest - hertz) / (8000 * edge), 0, 1), 1)
    response = kept * 6 / (2 + np.cos(math.pi / 16000 * hertz))
    length = 2 * (hertz.shape[-1] - 1)
    spectrum = np.fft.rfft(waves, n=length) * response[:, None]
    around = np.fft.irfft(spectrum, n=2 * length).astype("float32")
    return np.concatenate([around[..., -3:], around[..., : 2 * waves.shape[-1] + 4]], -1)


def read_finer(coefficients: Array, place: Array) -> Array:
    (before, left, right, after), f = neighbors(coefficients, 2 * place)
    g = 1 - f
    outer, inner = before * g**3 + after * f**3, left * (4 - 6 * f**2 + 3 * f**3) + right * (4 - 6 * g**2 + 3 * g**3)
    inside = (place > -1) & (place < (coefficients.shape[-1] - 7) / 2)
    return (outer + inner) / 6 * inside[:, None]


def read_at(waves: Array, place: Array) -> Array:
    (before, left, right, after), f = neighbors(np.pad(waves, ((0, 0), (0, 0), (3, 4))), place)
    curve = before * (-0.5 * f + f**2 - 0.5 * f**3) + left * (1 - 2.5 * f**2 + 1.5 * f**3)
    return curve + right * (0.5 * f + 2 * f**2 - 1.5 * f**3) + after * (-0.5 * f**2 + 0.5 * f**3)


def neighbors(padded: Array, place: Array) -> tuple[list[Array], Array]:
    place = np.clip(place, -2, padded.shape[-1] - 6)
    low = np.floor(place)
    index = (low.astype(int) + 2)[:, None]
    return [np.take_along_axis(padded, index + k, 2) for k in range(4)], (place - low)[:, None]


def gain(decibels: Array, uniforms: Array, hertz: Array) -> Array:
    return np.tile((10 ** (decibels / 20))[:, None], len(hertz))


def polarity(on: Array, uniforms: Array, hertz: Array) -> Array:
    return np.tile(np.where(on < 0.5, 1.0, -1.0)[:, None], len(hertz))


def clipping(waves: Array, share: Array, uniforms: Array, lengths: Array) -> Array:
    peak, kept = np.abs(waves).max((1, 2), keepdims=True), 1 - per_wave(share)
    return np.clip(waves, -peak * kept, peak * kept) / kept


def quantization(waves: Array, bits: Array, uniforms: Array, lengths: Array) -> Array:
    removed = np.floor(per_wave(bits) + 0.5)
    step = 2**removed / 32768
    return np.where(removed > 0, np.round(waves / step) * step, waves)


def mu_law(waves: Array, share: Array, uniforms: Array, lengths: Array) -> Array:
    bent = np.sign(waves) * np.log1p(255 * np.abs(waves)) / math.log(256)
    coarse = np.round(bent * 15) / 15
    coded = np.sign(coarse) * np.expm1(np.abs(coarse) * math.log(256)) / 255
    return waves + per_wave(share) * (coded - waves)


def scramble(x: Array) -> Array:
    low = np.uint64(0xFFFFFFFF)
    x = ((x ^ (x >> np.uint64(16))) * np.uint64(0x85EBCA6B)) & low
    x = ((x ^ (x >> np.uint64(13))) * np.uint64(0xC2B2AE35)) & low
    return x ^ (x >> np.uint64(16))


def noise_bank(slope: float) -> Array:
    """8 seconds of Gaussian noise with variance 1 whose power falls as ``1 / frequency ** slope``."""
    if slope not in BANKS:
        key = np.uint64(2**23)
        first = scramble(scramble(np.arange(131072, dtype="uint64") + (key << np.uint64(8))) ^ key)
        second = scramble(first ^ np.uint64(0x5BD1E995)).astype("float64")
        radius = np.sqrt(-2 * np.log((first.astype("float64") + 1) / 2**32))
        spectrum = np.fft.rfft(radius * np.cos(2 * math.pi * second / 2**32))
        colored = np.fft.irfft(spectrum * np.maximum(np.arange(len(spectrum)), 1.0) ** (-slope / 2), n=131072)
        BANKS[slope] = ((colored - colored.mean()) / colored.std(ddof=1)).astype("float32")
    return BANKS[slope]


def part_of_bank(slope: float, waves: Array, place: Array) -> Array:
    channel = np.arange(waves.shape[1], dtype="float32") * np.float32(0.381966)
    start = ((place[:, None] + channel) * 131072).astype(int)
    return noise_bank(slope)[(start[..., None] + np.arange(waves.shape[2])) % 131072]


def add_noise(waves: Array, made: Array, ratio: Array, lengths: Array) -> Array:
    made = made * is_inside(lengths, waves.shape[-1])
    size = np.sqrt(power(waves, lengths) + 1e-10) / np.sqrt(power(made, lengths) + 1e-10)
    return waves + per_wave(ratio * size) * made


def white_noise(waves: Array, ratio: Array, uniforms: Array, lengths: Array) -> Array:
    return add_noise(waves, part_of_bank(0.0, waves, uniforms[:, 0]), ratio, lengths)


def pink_noise(waves: Array, ratio: Array, uniforms: Array, lengths: Array) -> Array:
    return add_noise(waves, part_of_bank(1.0, waves, uniforms[:, 0]), ratio, lengths)


def background_noise(waves: Array, ratio: Array, uniforms: Array, lengths: Array) -> Array:
    key = "noise", os.environ.get("AUTOAUG_NOISE")
    if key not in BANKS:
        BANKS[key] = noise_recordings()
    bank, part = BANKS[key], uniforms[:, 1] * np.float32(128000)
    which = (uniforms[:, 0] * np.float32(len(bank))).astype(int)
    index = (part.astype(int)[:, None] + np.arange(waves.shape[2])) % 128000
    return add_noise(waves, np.broadcast_to(bank[which[:, None], index][:, None], waves.shape), ratio, lengths)


def impulse_responses(seconds: Array, place: Array, samples: int) -> Array:
    time = np.arange(samples)
    index = (place * 131072).astype(int)[:, None] + time
    decay = np.exp(-6.9078 * time / (16000 * np.maximum(seconds, 1e-5))[:, None])
    response = np.where(time > 0, 0.05 * noise_bank(0.0)[index % 131072] * decay, 1)
    return response / np.sqrt(np.square(response).sum(1, keepdims=True))


def convolved(waves: Array, responses: Array) -> Array:
    response = responses[:, : waves.shape[-1]]
    size = 1 << (waves.shape[-1] + response.shape[-1] - 1).bit_length()
    spectrum = np.fft.rfft(waves, n=size) * np.fft.rfft(response, n=size)[:, None]
    return np.fft.irfft(spectrum, n=size)[..., : waves.shape[-1]]


def reverberation(waves: Array, seconds: Array, uniforms: Array, lengths: Array) -> Array:
    return convolved(waves, impulse_responses(seconds, uniforms[:, 0], 8000))


def impulse_response(waves: Array, share: Array, uniforms: Array, lengths: Array) -> Array:
    key = "impulses", os.environ.get("AUTOAUG_IMPULSES")
    if key not in BANKS:
        BANKS[key] = impulse_recordings()
    response = BANKS[key][(uniforms[:, 0] * np.float32(len(BANKS[key]))).astype(int)]
    return waves + per_wave(share) * (convolved(waves, response) - waves)


def bent(hertz: Array) -> Array:
    return np.tan(np.minimum(math.pi / 16000 * hertz, math.pi / 2 - 1e-4))


def below(hertz: Array, cutoff: Array) -> Array:
    steep = 1 / (1 + (bent(hertz) / bent(cutoff)[:, None]) ** 4)
    return np.where((cutoff < 7999)[:, None], steep, 1)


def above(hertz: Array, cutoff: Array) -> Array:
    return 1 / (1 + (bent(cutoff)[:, None] / np.maximum(bent(hertz), 1e-6)) ** 4)


def low_pass(share: Array, uniforms: Array, hertz: Array) -> Array:
    return below(hertz, hertz_of(2840.02 * (1 - share)))


def high_pass(share: Array, uniforms: Array, hertz: Array) -> Array:
    return above(hertz, hertz_of(2840.02 * share))


def band_pass(share: Array, uniforms: Array, hertz: Array) -> Array:
    low = 2840.02 * share * uniforms[:, 0]
    return above(hertz, hertz_of(low)) * below(hertz, hertz_of(low + 2840.02 * (1 - share)))


def tilt(slope: Array, uniforms: Array, hertz: Array) -> Array:
    octaves = np.log2(np.maximum(hertz, 62.5) / 62.5)
    fall = np.where(slope[:, None] < 0, octaves, octaves - 7)
    return 10 ** (slope[:, None] * fall / 20)


def equalizer(decibels: Array, uniforms: Array, hertz: Array) -> Array:
    bell = np.exp(-0.5 * np.square((mel(hertz) - 2840 * uniforms[:, :1]) / 250))
    return 10 ** (decibels[:, None] * bell / 20)


def frequency_mask(share: Array, uniforms: Array, hertz: Array) -> Array:
    width = 2840 * share
    center = width / 2 + (2840 - width) * uniforms[:, 0]
    return 1 - np.clip((width[:, None] / 2 - np.abs(mel(hertz) - center[:, None])) / 20, 0, 1)


def speed(octaves: Array, uniforms: Array) -> Array:
    one = np.ones_like(octaves)
    return np.stack([one, 0 * one, 2**-octaves], 1)


def time_shift(share: Array, uniforms: Array) -> Array:
    one = np.ones_like(share)
    return np.stack([one, -share, one], 1)


def time_crop(share: Array, uniforms: Array) -> Array:
    return np.stack([1 - share, share * uniforms[:, 0], 1 - share], 1)


def time_mask(waves: Array, share: Array, uniforms: Array, lengths: Array) -> Array:
    width = share * lengths
    center = width / 2 + (lengths - width) * uniforms[:, 0]
    time = np.arange(waves.shape[-1]) + 0.5
    return waves * (1 - np.clip((per_wave(width) / 2 - np.abs(time - per_wave(center))) / 32, 0, 1))


def time_warp(waves: Array, share: Array, uniforms: Array, lengths: Array) -> Array:
    room = 2 * np.abs(share) + 1e-3
    center = (room + (1 - 2 * room) * uniforms[:, 0]) * lengths
    target, end, samples = center + share * lengths, lengths[:, None], waves.shape[-1]
    before, after = center / target, (lengths - center) / (lengths - target)
    own = np.arange(samples) + 0.5
    place = np.where(own < target[:, None], own * before[:, None], end - (end - own) * after[:, None])
    early = np.arange(2 * samples + 7) < 2 * center[:, None] + 2
    curve = np.where(early[:, None], finer(waves, before), finer(waves, after))
    return np.where(per_wave(share) == 0, waves, read_finer(curve, place - 0.5))


def overlapped(frames: Array) -> Array:
    count = frames.shape[-2]
    whole = np.zeros((*frames.shape[:-2], 128 * (count + 3)), frames.dtype)
    for k in range(4):
        part = frames[..., 128 * k : 128 * (k + 1)]
        whole[..., 128 * k : 128 * (k + count)] += part.reshape(*part.shape[:-2], -1)
    return whole


def stretched(waves: Array, rate: Array) -> Array:
    window = np.hanning(513)[:-1]
    padded = np.pad(waves.astype("float64"), ((0, 0), (0, 0), (256, 384)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 512, axis=2)[:, :, ::128] * window
    spectra = np.fft.rfft(frames)
    count = spectra.shape[2]
    place = np.arange(count) * rate.astype("float64")[:, None]
    low = np.minimum(place.astype(int), count - 2)
    left, right = (np.take_along_axis(spectra, (low + k)[:, None, :, None], 2) for k in (0, 1))
    share = np.clip(place - low, 0, 1)[:, None, :, None]
    size = (np.abs(left) * (1 - share) + np.abs(right) * share) * (place <= count - 1)[:, None, :, None]
    phases = np.where(np.abs(spectra) < 1e-5, 0, np.angle(spectra))
    turns = np.take_along_axis(phases, (low + 1)[:, None, :, None], 2) - np.take_along_axis(
        phases, low[:, None, :, None], 2
    )
    phase = phases[:, :, :1] + np.cumsum(turns, 2) - turns
    made = overlapped(np.fft.irfft(size * np.exp(1j * phase), n=512) * window)
    weight = np.maximum(overlapped(np.tile(np.square(window), (count, 1))), 1e-3)
    return (made / weight)[..., 256 : 256 + waves.shape[-1]].astype("float32")


def new_lengths(lengths: Array, ratio: Array, samples: int) -> Array:
    return np.clip(np.round(lengths * ratio).astype(int), 1, samples)


def time_stretch(waves: Array, octaves: Array, uniforms: Array, lengths: Array) -> Array:
    made = cut(stretched(waves, 2**octaves), new_lengths(lengths, 2**-octaves, waves.shape[-1]))
    return np.where((octaves == 0)[:, None, None], waves, made)


def pitch_shift(waves: Array, semitones: Array, uniforms: Array, lengths: Array) -> Array:
    samples, factor = waves.shape[-1], 2 ** (semitones / 12)
    room = np.pad(waves, ((0, 0), (0, 0), (0, samples // 2 + 1)))
    times = np.stack([np.ones_like(factor), np.zeros_like(factor), 1 / factor], 1)
    made, _ = retime(stretched(room, 1 / factor), times, new_lengths(lengths, factor, room.shape[-1]))
    return np.where((semitones == 0)[:, None, None], waves, made[..., :samples])
