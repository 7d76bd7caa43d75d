"""Small sets of sound files for tests."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE = 16_000


def tone(hertz: float, seconds: float = 0.2, rate: int = RATE, size: float = 0.5) -> np.ndarray:
    """A sine ``[T]`` in [-1, 1]."""
    return size * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write_wav(path: Path, values: np.ndarray, rate: int = RATE) -> Path:
    """16-bit WAV of ``[T]`` or ``[T, C]``, by the standard library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = values if values.ndim == 2 else values[:, None]
    with wave.open(str(path), "wb") as file:
        file.setparams((columns.shape[1], 2, rate, 0, "NONE", ""))
        file.writeframes(np.round(columns * 32767).astype("<i2").tobytes())
    return path


def write_tones(root: Path, n: int = 8, seconds: float = 0.2) -> Path:
    """A folder of two classes, low and high tones on a little noise, with ``train/`` and ``test/``."""
    for split, count, seed in (("train", n, 0), ("test", n // 2, 1)):
        draw = np.random.default_rng(seed)
        for i in range(2 * count):
            name, hertz = (("low", 300), ("high", 2500))[i % 2]
            length = seconds * draw.uniform(0.6, 1)
            values = tone(hertz * draw.uniform(0.9, 1.1), length)
            write_wav(root / split / name / f"{i:03}.wav", values + draw.normal(0, 0.02, len(values)))
    return root


#: The tone of each letter that melodies spell, in hertz.
LETTERS = {"a": 400, "b": 1000, "c": 2400}


def melody(text: str) -> np.ndarray:
    """A text of these letters as tones of 64 ms, ``[T]``; 32 ms of silence follow a letter, and 96 ms more a word."""
    silence = np.zeros(RATE * 32 // 1000)
    parts = [np.tile(silence, 3) if char == " " else np.append(tone(LETTERS[char], 0.064), silence) for char in text]
    return np.concatenate(parts)


def write_melodies(root: Path, n: int = 24) -> Path:
    """A manifest of melodies on a little noise, with their texts of one to three words, in ``train`` and ``test``."""
    root.mkdir(parents=True)
    lines, draw = ["path,text,split"], np.random.default_rng(0)
    for split, count in (("train", n), ("test", n // 2)):
        for i in range(count):
            words = ["".join(draw.choice(list(LETTERS), draw.integers(1, 4))) for _ in range(draw.integers(1, 4))]
            values = melody(" ".join(words))
            write_wav(root / f"{split}{i}.wav", values + draw.normal(0, 0.01, len(values)))
            lines.append(f"{split}{i}.wav,{' '.join(words)},{split}")
    (root / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")
    return root / "manifest.csv"
