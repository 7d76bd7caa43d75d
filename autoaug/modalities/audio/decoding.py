"""Read sound files by soundfile, and bring them to one rate, number of channels and length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoaug.utils.files import regular_file

#: The rate of all sounds in the engine, in samples per second.
RATE = 16_000
#: Suffixes of sound files, in lower case.
ENDINGS = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".rf64"})
#: Longer sounds are only looked at, and used, as far as this.
MOST_SECONDS = 30
_RATES = (1_000, 768_000)
#: The most values that are read of a file: a few hundred kilobytes of FLAC may claim gigabytes of silence.
_MOST_VALUES = 2**26
#: A file is truncated if less than this share is there of what its header tells. What is streamed tells 2 GB or more.
_THERE, _STREAMED = 0.95, 2**31 - 2**12
#: A sound is clipped if this share of its values is at full scale.
_CLIPPED = 1e-3
_FULL = 0.999


class Header(NamedTuple):
    """What is known about a readable file.

    Attributes:
        rate: samples per second.
        channels: their number.
        seconds: its length.
        peak: the greatest absolute value, 1 at full scale.
        is_clipped: whether many values are at full scale, or beyond.
        is_plain: whether it is a 16-bit WAV file.
    """

    rate: int
    channels: int
    seconds: float
    peak: float
    is_clipped: bool
    is_plain: bool


@dataclass(frozen=True)
class Form:
    """The form that all sounds get.

    Attributes:
        channels: 1 or 2; others are averaged to one.
        samples: the length, to which shorter sounds are padded with zeros at the end, and longer ones are cut.
    """

    channels: int
    samples: int


#: What codes of libsndfile mean, where its own words are those of programmers.
_CAUSES = {
    1: "it is no sound file, or its header is damaged",
    3: "it is damaged or truncated",
    24: "its header lacks the rate, the channels or the size of samples, or has zeros there",
    158: "it is damaged or truncated",  # a FLAC file that ends early
}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file as soundfile reads it; opened by Python, since its name may have any bytes. Raises OSError if it cannot
    be opened, and ValueError if soundfile cannot read it.
    """
    import soundfile

    with regular_file(path).open("rb") as file:
        try:
            with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
                yield sound
        except soundfile.LibsndfileError as fault:
            raise ValueError(f"cannot read {path}: {_CAUSES.get(fault.code, fault.error_string)}") from None


def read_header(path: Path) -> Header:
    """Read a file once; raises ValueError if it is damaged or truncated, or has no valid samples."""
    with _opened(path) as file:
        rate, channels, frames = int(file.samplerate), int(file.channels), int(file.frames)
        is_plain = file.format in ("WAV", "WAVEX") and file.subtype == "PCM_16"
        if not _RATES[0] <= rate <= _RATES[1]:
            raise ValueError(f"its rate is {rate} Hz; rates are from {_RATES[0]:,} to {_RATES[1]:,}")
        told = min(frames, MOST_SECONDS * rate)
        if told * channels > _MOST_VALUES:
            raise ValueError(f"it has {channels} channels at {rate} Hz, more than {_MOST_VALUES:,} values to read")
        values = file.read(MOST_SECONDS * rate, dtype="float32", always_2d=True)
        is_truncated = len(values) < _THERE * told or _lacks_bytes(file.extra_info)
    if is_truncated:
        raise ValueError("it is truncated: less is there than its header tells")
    if not values.size:
        raise ValueError("it has no samples")
    if not np.isfinite(values).all():
        raise ValueError("it has samples that are NaN or infinite")
    size = np.abs(values)
    return Header(rate, channels, max(frames, len(values)) / rate, float(size.max()), is_clipped(size), is_plain)


def is_clipped(size: np.ndarray) -> bool:
    """Whether many absolute values are at full scale, which is 1, or any beyond."""
    return bool(size.max() > 1) or float((size >= _FULL).mean()) > _CLIPPED


def _lacks_bytes(log: str) -> bool:
    """Whether libsndfile's log of a header has a size in bytes that is more than is there."""
    sizes = [(int(told), int(there)) for told, there in re.findall(r": (\d+) \(should be (\d+)\)", log)]
    return any(there < _THERE * told for told, there in sizes if told < _STREAMED)


def of_length(sounds: np.ndarray, samples: int) -> np.ndarray:
    """Sounds ``[..., T]`` cut to that length at the end, or padded to it with zeros."""
    missing = max(0, samples - sounds.shape[-1])
    return np.pad(sounds[..., :samples], [(0, 0)] * (sounds.ndim - 1) + [(0, missing)])


def decode(path: Path, channels: int, samples: int | None = None) -> np.ndarray:
    """The sound as int16 ``[channels, samples]``, resampled to `RATE` by soxr; without `samples`, in its own length."""
    with _opened(path) as file:
        rate = int(file.samplerate)
        wanted = MOST_SECONDS * rate if samples is None else -(-(samples + RATE) * rate // RATE)  # and a second more
        values = file.read(wanted, dtype="float32", always_2d=True)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"{path} has no samples, or some that are NaN or infinite")
    sound = resampled(_mixed(values, channels), rate).T
    if samples is not None:
        sound = of_length(sound, samples)
    return as_int16(sound)


def _mixed(values: np.ndarray, channels: int) -> np.ndarray:
    """``[n, C]`` with that number of channels: the mean of all, if it is another one."""
    if values.shape[1] == channels:
        return values
    return np.repeat(values.mean(1, keepdims=True), channels, 1)


def resampled(values: np.ndarray, rate: float) -> np.ndarray:
    """``[n, C]`` at `RATE`; the mean of what is so short that soxr leaves nothing of it."""
    if rate == RATE:
        return values
    import soxr

    made: np.ndarray = soxr.resample(values, rate, RATE)[: max(1, round(len(values) * RATE / rate))]
    return made if len(made) else values.mean(0, keepdims=True)


def as_int16(values: np.ndarray) -> np.ndarray:
    """Values in [-1, 1] rounded to 16 bits; what is beyond is clipped."""
    rounded: np.ndarray = np.clip(np.round(values * 32768), -32768, 32767).astype(np.int16)
    return rounded


@dataclass(frozen=True)
class SoundReader:
    """Reads sound files as int16 ``[C, T]`` of the form; see `Reader`."""

    form: Form

    @property
    def shape(self) -> tuple[int, ...]:
        return self.form.channels, self.form.samples

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int16)

    def read(self, path: Path) -> np.ndarray:
        return decode(path, self.form.channels, self.form.samples)

    def rewritten(self, path: Path) -> np.ndarray | None:
        """The sound in its own length; None for a 16-bit WAV file of this rate and number of channels."""
        header = read_header(path)
        if header.is_plain and (header.rate, header.channels) == (RATE, self.form.channels):
            return None
        return decode(path, self.form.channels)
