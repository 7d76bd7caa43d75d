"""Read clips from video files, by PyAV, and from folders of frames, and bring them to one number of frames, size and
mode. Of a file, only the frames that are used are kept in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from autoaug.modalities.image.decoding import ImageForm, as_pixels, decode, image_endings
from autoaug.modalities.image.decoding import read_header as read_image_header
from autoaug.utils.files import regular_file

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

#: Suffixes of files that are clips or pictures, and of all video files, in lower case.
MAYBE_STILL = frozenset({".gif", ".apng"})
ENDINGS = MAYBE_STILL | frozenset(
    {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ogv", ".wmv", ".flv", ".3gp", ".ts"}
)
#: A file is truncated if less than this share is there of the frames, or of the seconds, that its header tells.
_THERE = 0.95
#: The most pixels of a frame, twice those of 8K: a small file may claim frames of gigabytes.
_MOST_PIXELS = 2**26


class Header(NamedTuple):
    """What is known about a readable clip.

    Attributes:
        frames: their number.
        sizes: the heights and widths that frames have.
        codec: how it is encoded.
        is_gray: whether no frame is in color.
        has_alpha: whether images in a folder of frames are transparent.
    """

    frames: int
    sizes: frozenset[tuple[int, int]]
    codec: str
    is_gray: bool
    has_alpha: bool = False


def is_clip_file(path: Path) -> bool:
    """Whether the file's name is that of a video."""
    return path.suffix.lower() in ENDINGS


def frame_paths(folder: Path) -> list[Path]:
    """The images of a folder, in the order of the numbers in their names."""
    paths = [path for path in folder.iterdir() if path.suffix.lower() in image_endings() and path.name[0] != "."]

    def parts(path: Path) -> list[tuple[int, str]]:
        """Text and numbers by turns, and the name, which tells ``7`` from ``007``."""
        split = re.split(r"(\d+)", path.stem)
        return [*((int(part), "") if place % 2 else (0, part) for place, part in enumerate(split)), (0, path.name)]

    return sorted(paths, key=parts)


def read_header(path: Path) -> Header:
    """Read all frames of a clip once; raises ValueError if it has none, is damaged or is truncated, and what else PyAV
    or Pillow raise if it cannot be read.
    """
    if path.is_dir():
        return _folder_header(path)
    with _opened(path) as (container, stream):
        sizes, shown, count, end, is_gray = set[tuple[int, int]](), 0, 0, 0.0, True
        for packet in container.demux(stream):
            shown += _is_shown(packet)
            for frame in packet.decode():
                turned = frame.rotation % 180 != 0
                sizes.add((frame.width, frame.height) if turned else (frame.height, frame.width))
                is_gray = is_gray and frame.format.name.startswith("gray")
                count, end = count + 1, max(end, frame.time or 0.0)
        if not count:
            raise ValueError("it has no frames")
        _check_whole(container, stream, shown, count, end)
        if stream.codec_context.name in ("gif", "apng"):
            _check_last_frame(path)
        return Header(count, frozenset(sizes), stream.codec_context.name, is_gray)


def _is_shown(packet: Packet[VideoStream]) -> bool:
    """Whether a packet has a frame that is shown. What cuts without encoding keeps frames that are not, from which
    others are decoded.
    """
    return packet.size > 0 and not packet.is_discard


def _check_whole(container: InputContainer, stream: VideoStream, shown: int, count: int, end: float) -> None:
    """Raise ValueError if there are fewer frames, or seconds up to the last one's beginning, than the header tells,
    which counts hidden frames in an MP4.
    """
    frames = min(stream.frames, shown) if "mp4" in container.format.name else stream.frames
    if count < _THERE * frames:
        raise ValueError(f"it is truncated: {count} of {frames} frames can be read")
    told = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    if not told and "matroska" in container.format.name and len(container.streams) == 1:
        told = (container.duration or 0) / 1e6  # which has no duration of streams
    usual = told / count  # seconds of one frame
    if end + 2 * usual < _THERE * told:
        raise ValueError(f"it is truncated: {end:.1f} of {told:.1f} seconds can be read")


def _check_last_frame(path: Path) -> None:
    """Raise ValueError if a GIF or an APNG ends within a frame: what PyAV opens does not tell how many there are."""
    with Image.open(path) as image:
        try:
            image.seek(getattr(image, "n_frames", 1) - 1)
            image.load()
        except (OSError, EOFError, SyntaxError):
            raise ValueError("it is truncated: its last frame is not whole") from None


def _folder_header(folder: Path) -> Header:
    paths = frame_paths(folder)
    if not paths:
        raise ValueError("the folder has no frames")
    headers = []
    for path in paths:
        try:
            headers.append(read_image_header(path))
        except Exception as fault:  # decoders do not catch the errors of their parsers
            raise ValueError(f"frame {path.name} cannot be read ({type(fault).__name__})") from None
    codecs = sorted({path.suffix.lower().removeprefix(".") for path in paths})
    sizes = frozenset((header.height, header.width) for header in headers)
    is_gray, has_alpha = all(header.is_gray for header in headers), any(header.has_alpha for header in headers)
    return Header(len(paths), sizes, f"folders of {'/'.join(codecs)}", is_gray, has_alpha)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The file and its first stream of moving pictures; raises ValueError if there is none."""
    import av

    try:
        # What is in a file never opens another address.
        with av.open(str(regular_file(path)), options={"protocol_whitelist": "file"}) as container:
            streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
            if not streams:
                raise ValueError("it has no video stream")
            if streams[0].width * streams[0].height > _MOST_PIXELS:
                raise ValueError(f"its frames have {streams[0].width} x {streams[0].height} pixels, too many to read")
            streams[0].thread_type = "NONE"  # files are read side by side
            yield container, streams[0]
    except av.InvalidDataError:
        raise ValueError(f"cannot read {path}: it is no video, or it is damaged or truncated") from None


@dataclass(frozen=True)
class ClipReader:
    """Reads clips as uint8 ``[T, C, H, W]``: `frames` of them, spread evenly, of the `target` shape; see `Reader`."""

    frames: int
    target: ImageForm

    @property
    def shape(self) -> tuple[int, ...]:
        return self.frames, self.target.channels, self.target.height, self.target.width

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8)

    def read(self, path: Path) -> np.ndarray:
        if path.is_dir():
            paths = frame_paths(path)
            rows = evenly(len(paths), self.frames)
            used = {row: decode(paths[row], self.target) for row in set(rows)}
            return np.stack([used[row] for row in rows])
        return _read_file(path, self.frames, lambda frame: as_pixels(frame, self.target))

    def rewritten(self, path: Path) -> np.ndarray | None:
        """The clip of a folder of frames; None for a video file."""
        return self.read(path) if path.is_dir() else None


def evenly(count: int, frames: int) -> list[int]:
    """The rows of so many frames, each in the middle of its share of a clip with `count`; some twice if there are fewer
    than that.
    """
    return [min(count - 1, int((t + 0.5) * count / frames)) for t in range(frames)]


def _read_file(path: Path, frames: int, convert: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
    """The frames spread evenly. They are counted before any is decoded, as packets."""
    with _opened(path) as (container, stream):
        count = sum(map(_is_shown, container.demux(stream)))
    rows = evenly(max(count, 1), frames)
    kept = dict[int, np.ndarray]()
    with _opened(path) as (container, stream):
        last: VideoFrame | None = None
        number = -1
        for number, frame in enumerate(container.decode(stream)):
            last = frame
            if number in rows:
                kept[number] = convert(_upright(frame))
            if number == rows[-1]:
                break
        if last is None:
            raise ValueError(f"{path} has changed since it was checked: it has no frames")
        if number < rows[-1]:  # packets without a frame
            kept |= dict.fromkeys((row for row in rows if row > number), convert(_upright(last)))
    return np.stack([kept[row] for row in rows])


def _upright(frame: VideoFrame) -> Image.Image:
    """The frame as its player shows it."""
    mode = "gray" if frame.format.name.startswith("gray") else "rgb24"
    pixels = frame.to_ndarray(format=mode)
    return Image.fromarray(np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90))))


def write(sample: np.ndarray, path: Path) -> None:
    """Write uint8 ``[T, C, H, W]`` with 1 or 3 channels as a Matroska file, without loss (FFV1)."""
    import av

    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.height, stream.width = sample.shape[2:]
        stream.pix_fmt = "gray" if sample.shape[1] == 1 else "bgr0"
        for pixels in sample:
            shown = pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
            frame = av.VideoFrame.from_ndarray(shown, format="gray" if shown.ndim == 2 else "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
