"""The user's recordings of noise and of rooms, and a few made ones where there are none: plain functions, which
exported modules contain verbatim.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np


def recorded(variable: str, seconds: float) -> list[Any]:
    """The sounds, float32 ``[T]`` at 16 kHz, in the folder that an environment variable names, and below it; none if it
    is not set. Channels are averaged.

    Args:
        variable: the environment variable.
        seconds: only the first seconds of each sound are read; of many sounds at most 256, spread evenly.

    Raises:
        ValueError: there is no such folder or no sound in it, or one cannot be read, is silent, or has NaN.
    """
    given = os.environ.get(variable)
    if not given:
        return []
    endings = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64", ".rf64"}
    files = sorted(path for path in Path(given).rglob("*") if path.suffix.lower() in endings and path.is_file())
    if not files:
        what = "has no sound files" if Path(given).is_dir() else "is no folder"
        raise ValueError(f"{variable}={given} {what}: name a folder of WAV, FLAC, OGG or MP3 files")
    return [recording(file, seconds) for file in files[:: -(-len(files) // 256)]]


def recording(path: Path, seconds: float) -> Any:
    """The first seconds of a sound file, float32 ``[T]`` at 16 kHz; see `recorded`."""
    import soundfile
    import soxr

    try:
        with path.open("rb") as file, soundfile.SoundFile(file) as sound:
            rate = sound.samplerate
            values = sound.read(round(seconds * rate), dtype="float32", always_2d=True).mean(1)
    except (soundfile.LibsndfileError, OSError) as fault:
        why = getattr(fault, "error_string", fault)
        raise ValueError(f"{path} cannot be read ({why}): repair it, or move it elsewhere") from None
    if not np.isfinite(values).all():
        raise ValueError(f"{path} has values that are NaN or infinite: repair it, or move it elsewhere")
    heard = soxr.resample(values, rate, 16000) if rate != 16000 and len(values) else values
    if not heard.any():  # a single sample at a higher rate is none at 16 kHz
        raise ValueError(f"{path} is silent for {seconds:g} s at 16 kHz: repair it, or move it elsewhere")
    return heard


def noise_recordings() -> Any:
    """Noises of 8 seconds, float32 ``[m, 128000]``: those in the folder ``AUTOAUG_NOISE``, of which shorter ones are
    repeated, or `made_noises`.
    """
    noises = recorded("AUTOAUG_NOISE", 8.0) or made_noises()
    return np.stack([np.resize(noise, 128000) for noise in noises]).astype("float32")


def made_noises() -> list[Any]:
    """Three noises of 8 seconds: the hum of mains, voices that cannot be told apart, and wind."""
    draw, time, hertz = np.random.RandomState(0), np.arange(128000) / 16000, np.fft.rfftfreq(128000, 1 / 16000)

    def below(cutoff: float) -> Any:
        white = np.fft.rfft(draw.standard_normal(128000))
        return np.fft.irfft(white / (1 + (hertz / cutoff) ** 2), n=128000)

    hum = sum(np.sin(2 * np.pi * (50 * k * time + draw.random_sample())) / k for k in range(1, 20))
    voices = sum(below(600) * (1 + np.sin(2 * np.pi * (k * time / 8 + draw.random_sample()))) for k in range(24, 48, 4))
    wind = below(80) * (1.5 + np.sin(np.pi * time))
    return [hum, voices, wind]


def impulse_recordings() -> Any:
    """Impulse responses of rooms, float32 ``[m, 16000]``: of those in the folder ``AUTOAUG_IMPULSES`` a second from
    their peak on, or those of `made_rooms`. All keep the power of white noise.
    """
    rooms = [room[np.abs(room).argmax() :] for room in recorded("AUTOAUG_IMPULSES", 2.0)] or made_rooms()
    padded = np.stack([np.pad(room[:16000], (0, max(0, 16000 - len(room)))) for room in rooms])
    scaled = padded / np.sqrt(np.square(padded).sum(1, keepdims=True)) * np.sign(padded[:, :1])
    return scaled.astype("float32")


def made_rooms() -> list[Any]:
    """Impulse responses of eight rooms: the direct sound, and ever more echoes that decay by 60 dB in 0.1 to 0.8 s."""
    draw, time = np.random.RandomState(0), np.arange(16000) / 16000
    rooms = []
    for k in range(1, 9):
        is_echo = draw.random_sample(16000) < 0.002 + time
        room = 0.3 * draw.standard_normal(16000) * is_echo * np.exp(-6.9078 * time / (0.1 * k))
        room[0] = 1
        rooms.append(room)
    return rooms
