"""Small sets of clips in files for tests."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from PIL import Image


def square(frames: int = 6, side: int = 16, right: bool = True, seed: int = 0) -> np.ndarray:
    """A bright square that moves to a side over faint noise, uint8 ``[frames, side, side, 3]``."""
    draw = np.random.default_rng(seed)
    pixels = draw.integers(0, 40, (frames, side, side, 3))
    for t in range(frames):
        left = (side - 5) * (t if right else frames - 1 - t) // max(frames - 1, 1)
        pixels[t, 5 + seed % 3 : 10 + seed % 3, left : left + 5] += 180
    return pixels.astype(np.uint8)


def encode(path: Path, pixels: np.ndarray, codec: str = "libx264", rate: int = 10) -> Path:
    """Write a video file; its format is that of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pixels.shape[1:3]
        stream.pix_fmt = {"gif": "rgb8", "apng": "rgb24", "ffv1": "bgr0", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        for frame in pixels:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_frames(folder: Path, pixels: np.ndarray) -> Path:
    """Write a folder of numbered PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for t, frame in enumerate(pixels):
        Image.fromarray(frame).save(folder / f"frame-{t}.png")
    return folder


def write_clips(root: Path, count: int = 8) -> Path:
    """A folder with a class for each way, of frames."""
    for i in range(count):
        for name in ("left", "right"):
            write_frames(root / name / f"clip{i}", square(right=name == "right", seed=2 * i + (name == "left")))
    return root


def truncated(path: Path, suffix: str, codec: str) -> None:
    """The first half of a video file."""
    whole = encode(path.with_name(f"whole{suffix}"), square(60, 64, seed=5), codec)
    content = whole.read_bytes()
    whole.unlink()
    path.write_bytes(content[: len(content) // 2])


def without_the_last(path: Path) -> None:
    """An APNG that ends where its last frame begins."""
    content = encode(path, square(), "apng").read_bytes()
    path.write_bytes(content[: content.rindex(b"fcTL") - 4])
