"""Lengths, frequencies and resampling of waveforms ``[n, C, T]`` at 16 kHz: plain functions, which exported modules
contain verbatim.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autoaug.modalities.audio.fourier import fft_length


def as_waves(inputs: Any) -> Tensor:
    """Waveforms ``[n, C, T]``, or one, ``[C, T]`` or ``[T]``, as a batch; raises ValueError for anything else."""
    if not isinstance(inputs, Tensor) or inputs.ndim not in (1, 2, 3):
        what = f"of shape {list(inputs.shape)}" if isinstance(inputs, Tensor) else f"a {type(inputs).__name__}"
        raise ValueError(f"waveforms must be a tensor [n, C, T], [C, T] or [T], not {what}")
    return inputs[(None,) * (3 - inputs.ndim)]


def check_waves(waves: Tensor, look: bool = True) -> Tensor:
    """The waveforms if they are valid, clamped if they are off only by rounding; raises ValueError otherwise. With
    `look` False, only shape and type are checked.
    """
    if waves.ndim != 3 or 0 in waves.shape[1:] or waves.shape[1] > max(2, waves.shape[2]):
        shape = list(waves.shape)
        raise ValueError(f"waveforms must be [n, C, T] with at least one value, channels first, not of shape {shape}")
    if waves.dtype == torch.int16:
        return waves
    if not waves.is_floating_point():
        raise ValueError(f"waveforms must be int16, or floating point in [-1, 1], not {waves.dtype}")
    if look and waves.numel():
        low, high = (float(end) for end in waves.detach().aminmax())
        peak = max(-low, high) if low == low else low
        if not peak <= 1.001:
            what = "NaN" if peak != peak else f"values up to {peak:g}"
            raise ValueError(f"the waveforms have {what}; they must be finite and in [-1, 1]")
        return waves.clamp(-1, 1) if peak > 1 else waves
    return waves


def as_float(waves: Tensor) -> Tensor:
    """Convert int16 or floating point to floating point in [-1, 1]; 16-bit floats become float32."""
    if waves.dtype == torch.int16:
        return waves.float() / 32768
    return waves if waves.dtype == torch.float64 else waves.float()


def as_type(waves: Tensor, dtype: torch.dtype) -> Tensor:
    """Convert the result of `as_float` back; int16 rounds."""
    return (waves * 32768).round().clamp(-32768, 32767).short() if dtype == torch.int16 else waves.to(dtype)


def lengths_of(waves: Tensor) -> Tensor:
    """The length of each waveform, int64 ``[n]``: zeros at its end in all channels are padding. Silence is not."""
    samples = waves.shape[-1]
    if waves.device.type == "cpu" and bool((waves[..., -1] != 0).any(1).all()):  # nothing is padded
        return torch.full((len(waves),), samples, device=waves.device)
    ends = torch.arange(1, samples + 1, dtype=torch.int32, device=waves.device)
    last = torch.where((waves != 0).any(1), ends, 0).amax(1).long()
    return torch.where(last > 0, last, samples)


def is_inside(lengths: Tensor, samples: int) -> Tensor:
    """Whether each of `samples` points in time is before the end of its waveform, bool ``[n, 1, samples]``."""
    inside: Tensor = torch.arange(samples, device=lengths.device) < lengths[:, None]
    return inside[:, None]


def cut(waves: Tensor, lengths: Tensor) -> Tensor:
    """The waveforms clamped to [-1, 1], with zeros after their ends."""
    return silenced(waves.clamp(-1, 1), lengths)


def silenced(waves: Tensor, lengths: Tensor) -> Tensor:
    """The waveforms with zeros after their ends."""
    if lengths.device.type == "cpu" and bool((lengths >= waves.shape[-1]).all()):
        return waves
    return torch.where(is_inside(lengths, waves.shape[-1]), waves, 0)


def up_to(waves: Tensor, ends: Tensor) -> Tensor:
    """The waveforms up to the last of these ends ``[n]`` and 32 ms more: silence after that would take as long as sound
    does. On a GPU all of them, since to look means to wait.
    """
    return waves[..., : int(ends.amax()) + 512] if ends.device.type == "cpu" and len(ends) else waves


def with_silence(waves: Tensor, samples: int) -> Tensor:
    """The waveforms with silence at the end, up to so many samples: the inverse of `up_to`."""
    return torch.nn.functional.pad(waves, (0, samples - waves.shape[-1]))


def per_wave(value: Tensor) -> Tensor:
    """``[n]`` as ``[n, 1, 1]``."""
    return value.view(-1, 1, 1)


def power(waves: Tensor, lengths: Tensor) -> Tensor:
    """The mean square ``[n]`` of the values before the ends."""
    return waves.square().sum((1, 2)) / (waves.shape[1] * lengths)


def mel(hertz: Tensor) -> Tensor:
    """Frequencies on the mel scale (O'Shaughnessy, 1987); 8 kHz, the highest at this rate, is 2840 mel."""
    return 2595 * torch.log10(1 + hertz / 700)


def hertz_of(mels: Tensor) -> Tensor:
    """The inverse of `mel`."""
    return 700 * (10 ** (mels / 2595) - 1)


def frequencies(samples: int, like: Tensor) -> Tensor:
    """The frequencies ``[F]`` in hertz at which responses for waveforms of so many samples are given."""
    return torch.linspace(0, 8000, fft_length(samples) // 2 + 1, dtype=like.dtype, device=like.device)


def respond(waves: Tensor, response: Tensor) -> Tensor:
    """Multiply the spectra by real responses ``[n, F]``: filters without delay."""
    length = 2 * (response.shape[-1] - 1)
    spectrum = torch.fft.rfft(waves, n=length) * response[:, None]
    filtered: Tensor = torch.fft.irfft(spectrum, n=length)[..., : waves.shape[-1]]
    return filtered


def answer(waves: Tensor, response: Tensor, lengths: Tensor) -> Tensor:
    """`amplify` or `respond`, where each is enough, without what rings on after the ends."""
    flat = is_flat(response.detach())
    if flat.device.type == "cpu" and bool(flat.all()):  # no transforms are needed
        return cut(amplify(waves, response), lengths)
    return cut(torch.where(flat[:, None, None], amplify(waves, response), respond(waves, response)), lengths)


def amplify(waves: Tensor, response: Tensor) -> Tensor:
    """What `respond` does where responses are equal at all frequencies."""
    return waves * response[:, :1, None]


def is_flat(response: Tensor) -> Tensor:
    """Which responses are equal at all frequencies, bool ``[n]``."""
    return response.amax(1) == response.amin(1)  # a fifth of the time of comparing each with the first


def compose_times(first: Tensor, then: Tensor) -> Tensor:
    """Two changes of time, ``[n, 3]`` each (see `retime`), as one."""
    (scale, offset, ratio), (own_scale, own_offset, own_ratio) = first.unbind(1), then.unbind(1)
    return torch.stack([scale * own_scale, scale * own_offset + offset, ratio * own_ratio], 1)


def retime(waves: Tensor, times: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Waveforms on other times, and their new lengths; what no longer fits is lost, and what is missing is silent.

    ``times [n, 3]`` are scale a, offset b and ratio r: the result is r times as long, and at the share u of its length
    is what was at the share a u + b. What gets faster or slower is read from twice as many samples, see `finer`.
    """
    kept, is_known = keeps_rate(times), times.device.type == "cpu"  # elsewhere, to look means to wait
    if is_known and bool(kept.all()):
        return slide(waves, times, lengths)
    samples = waves.shape[-1]
    scale, offset, ratio = times.unbind(1)
    step, longer = scale / ratio, new_lengths(lengths, ratio, samples)
    near = up_to(waves, torch.maximum(lengths, longer))
    own = torch.arange(near.shape[-1], dtype=waves.dtype, device=waves.device) + 0.5
    place = step[:, None] * own + (offset * lengths)[:, None] - 0.5
    curve = read_finer(finer(near, step), place)
    if not is_known or bool(kept.any()):
        curve = torch.where(per_wave(kept), slide(near, times, lengths)[0], curve)
    return with_silence(cut(curve, longer), samples), longer


def finer(waves: Tensor, step: Tensor) -> Tensor:
    """The coefficients of cubic B-splines through twice as many samples, ``[n, C, 3 + 2 T + 4]``, without what is too
    high to be played ``step [n]`` times as fast. One pair of Fourier transforms does all three (Unser, 1999).
    """
    hertz = frequencies(waves.shape[-1], waves)
    highest, edge = 8000 / step[:, None], (step[:, None] - 1).clamp(1e-3, 0.05)
    kept = torch.where(step[:, None] > 1, ((highest - hertz) / (8000 * edge)).clamp(0, 1), 1)
    response = kept * 6 / (2 + torch.cos(torch.pi / 16000 * hertz))  # 2 for the length, and the inverse of the spline
    length = 2 * (hertz.shape[-1] - 1)
    spectrum = torch.fft.rfft(waves, n=length) * response[:, None]
    around = torch.fft.irfft(spectrum, n=2 * length)
    return torch.cat([around[..., -3:], around[..., : 2 * waves.shape[-1] + 4]], -1)


def read_finer(coefficients: Tensor, place: Tensor) -> Tensor:
    """The values of the splines of `finer` at places ``[n, T]`` in samples, silence outside."""
    (before, left, right, after), f = neighbors(coefficients, 2 * place)
    outer, slope = before + right, 3 * (right - before)
    square, cube = torch.sub(outer, left, alpha=2) * 3, torch.add(after - before, left - right, alpha=3)
    curve = torch.addcmul(slope, f, torch.addcmul(square, f, cube))  # by Horner, in two thirds of the time
    inside = (place > -1) & (place < (coefficients.shape[-1] - 7) / 2)
    return torch.addcmul(torch.add(outer, left, alpha=4), f, curve) / 6 * inside[:, None]


def neighbors(padded: Tensor, place: Tensor) -> tuple[list[Tensor], Tensor]:
    """The four samples around places ``[n, T]``, and the share of the way from the second to the third of them. Before
    place 0 are three samples, and four behind the last.
    """
    place = place.clamp(-2, padded.shape[-1] - 6)
    low = place.detach().floor()
    index = (low.long() + 2)[:, None].expand(-1, padded.shape[1], -1)
    return [padded.gather(2, index + k) for k in range(4)], (place - low)[:, None]


def slide(waves: Tensor, times: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """What `retime` does where nothing gets faster or slower: each waveform is moved as a whole."""
    n, channels, samples = waves.shape
    place = (times[:, 1] * lengths).clamp(-samples - 2, samples + 2)
    low = place.detach().floor()
    windows = torch.nn.functional.pad(waves, (samples + 3, samples + 6)).unfold(2, samples + 3, 1)
    rows, columns = torch.arange(n, device=waves.device)[:, None], torch.arange(channels, device=waves.device)
    window = windows[rows, columns, (low.long() + samples + 2)[:, None]]
    curve = interpolated([window[..., k : k + samples] for k in range(4)], (place - low)[:, None, None])
    longer = new_lengths(lengths, times[:, 2], samples)
    return cut(curve, longer), longer


def keeps_rate(times: Tensor) -> Tensor:
    """Which changes of time neither speed up nor slow down, bool ``[n]``."""
    return times[:, 0] == times[:, 2]


def interpolated(taps: list[Tensor], f: Tensor) -> Tensor:
    """Between the second and the third of four neighbors, at the share `f` of the way (Keys, 1981)."""
    before, left, right, after = taps
    curve = torch.addcmul(before * (-0.5 * f + f**2 - 0.5 * f**3), left, 1 - 2.5 * f**2 + 1.5 * f**3)
    curve = torch.addcmul(curve, right, 0.5 * f + 2 * f**2 - 1.5 * f**3)
    return torch.addcmul(curve, after, -0.5 * f**2 + 0.5 * f**3)


def new_lengths(lengths: Tensor, ratio: Tensor, samples: int) -> Tensor:
    """Lengths after a change by a ratio, from 1 to `samples`."""
    return (lengths * ratio.detach()).round().long().clamp(1, samples)
