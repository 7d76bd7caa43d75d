"""Sounds in the report: the waveform above its spectrogram, and a player. This module does not import torch."""

from __future__ import annotations

import base64
import io
import itertools
import wave
from html import escape

import numpy as np
from PIL import Image

_RATE = 16000
#: The width of a picture, and the heights of its parts, in pixels.
_WIDTH, _WAVE, _SPECTRUM = 240, 60, 100
_WINDOW = 512
#: The most seconds that are embedded.
_SECONDS = 6
#: Colors from quiet to loud, after matplotlib's magma.
_COLORS = np.array([[0, 0, 4], [81, 18, 124], [183, 55, 121], [252, 137, 97], [252, 253, 191]], float)
_STEP = 1 / (len(_COLORS) - 1)


def html(sample: np.ndarray, words: str) -> str:
    """int16 ``[C, T]`` as an ``<img>`` with a button below it that plays the sound; both of the channels' mean."""
    if sample.ndim != 2 or sample.dtype != np.int16 or not sample.size:
        raise ValueError(f"a sound must be int16 [C, T], not {sample.dtype} {list(sample.shape)}")
    said = escape(words)
    mono = sample.astype(np.float32).mean(0) / 32768
    picture = f'<img src="data:image/webp;base64,{_encoded(_picture(mono))}" alt="{said}">'
    kind, content = _sound(mono)
    sound = f'<audio preload="none" src="data:audio/{kind};base64,{_encoded(content)}"></audio>'
    # The browser's own player hides its button where there is little room.
    play = f'type="button" aria-label="Play: {said}" style="padding: 0 .5rem" onclick="this.lastElementChild.play()"'
    return f"{picture}<button {play}>▶{sound}</button>"


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _sound(mono: np.ndarray) -> tuple[str, bytes]:
    """The sound without the padding at its end: its type, and an MP3 file; or a WAV file, which is eight times as
    large, where soundfile cannot help.
    """
    sounding = np.flatnonzero(mono)
    values = mono[: min(_SECONDS * _RATE, int(sounding[-1]) + 1 if len(sounding) else 1)]
    content = io.BytesIO()
    if _writes_mp3():
        import soundfile

        soundfile.write(content, values, _RATE, format="MP3")
        return "mpeg", content.getvalue()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, _RATE, 0, "NONE", ""))
        file.writeframes((values * 32768).astype("<i2").tobytes())
    return "wav", content.getvalue()


def _writes_mp3() -> bool:
    try:
        import soundfile
    except (ImportError, OSError):  # it is not installed, or its library is not
        return False
    return "MP3" in soundfile.available_formats()


def _picture(mono: np.ndarray) -> bytes:
    """The picture as a WebP file; time goes to the right, the frequency from 0 up to 8 kHz on the mel scale."""
    content = io.BytesIO()
    Image.fromarray(np.concatenate([_waveform(mono), _spectrogram(mono)])).save(content, "WEBP", quality=70)
    return content.getvalue()


def _waveform(mono: np.ndarray) -> np.ndarray:
    """uint8 ``[_WAVE, _WIDTH, 3]``: in each column, from the least value to the greatest of its stretch of time.
    Heights are square roots, so that quiet sounds are more than a line, and louder ones still higher.
    """
    mono = np.sign(mono) * np.sqrt(np.abs(mono))
    ends = np.linspace(0, len(mono), _WIDTH + 1).astype(int)
    pixels = np.zeros((_WAVE, _WIDTH, 3), np.uint8)
    for column, (start, stop) in enumerate(itertools.pairwise(ends)):
        part = mono[min(start, len(mono) - 1) : max(stop, start + 1)]
        top, bottom = ((1 - np.clip([part.max(), part.min()], -1, 1)) / 2 * (_WAVE - 1)).round().astype(int)
        pixels[top : bottom + 1, column] = (120, 180, 240)
    return pixels


def _spectrogram(mono: np.ndarray) -> np.ndarray:
    """uint8 ``[_SPECTRUM, _WIDTH, 3]``: 70 dB below the loudest are dark."""
    padded = np.pad(mono, (_WINDOW // 2, _WINDOW // 2))
    starts = np.linspace(0, len(mono) - 1, _WIDTH).astype(int)
    frames = padded[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW)
    decibels = 10 * np.log10(np.abs(np.fft.rfft(frames)) ** 2 + 1e-6)
    hertz = 700 * np.expm1(np.linspace(1, 0, _SPECTRUM) * np.log1p(8000 / 700))  # equal steps on the mel scale
    rows = (hertz / 8000 * (decibels.shape[1] - 1)).round().astype(int)
    share = np.clip((decibels[:, rows].T - max(decibels.max(), 0) + 70) / 70, 0, 1)
    places = np.arange(len(_COLORS)) * _STEP
    return np.stack([np.interp(share, places, channel) for channel in _COLORS.T], 2).astype(np.uint8)
