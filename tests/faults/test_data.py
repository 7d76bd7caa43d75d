"""Data that are hostile, odd or gone, for each modality whose samples are files."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pytest
from PIL import Image

import autoaug
from autoaug.api import expand
from autoaug.data.audit import audit
from autoaug.data.loading import open_source
from autoaug.errors import AllTrialsFailed, DataError
from autoaug.modalities.registry import get_modality
from autoaug.results import TrialSummary
from autoaug.runs.callbacks import Logged
from tests.conftest import bars, write_folder
from tests.modalities.audio.sounds import write_tones
from tests.modalities.video.moving import encode, square

LIMIT = 2**28


def images(root: Path) -> Path:
    write_folder(root, *bars(45))
    return root


def sounds(root: Path) -> Path:
    write_tones(root, n=12)
    return root


def clips(root: Path) -> Path:
    for i in range(12):
        encode(root / "left" / f"{i}.mkv", square(right=False, seed=i), "ffv1")
        encode(root / "right" / f"{i}.mkv", square(seed=i + 40), "ffv1")
    return root


def texts(root: Path) -> Path:
    for label, words in {"rain": "It rained on the roof all night", "sun": "The sun shone on the garden"}.items():
        (root / label).mkdir(parents=True)
        for i in range(12):
            (root / label / f"{i}.txt").write_text(f"{words}, {i} days long.", encoding="utf-8")
    return root


WRITE: dict[str, Callable[[Path], Path]] = {"image": images, "audio": sounds, "video": clips, "text": texts}
#: Policies that work on any sample.
LIGHT = {
    "image": "flip-crop",
    "audio": "noise",
    "video": "video-flip-crop",
    "text": "aeda",
}
every_modality = pytest.mark.parametrize("modality", WRITE)


def samples(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


@every_modality
@pytest.mark.fault("data", "pipes, devices and loops of links among samples of each modality")
def test_what_is_no_regular_file_is_unreadable_in_each_modality(modality: str, tmp_path: Path) -> None:
    root = WRITE[modality](tmp_path / "data")
    count, first = len(samples(root)), samples(root)[0]
    os.mkfifo(first.with_stem("pipe"))
    first.with_stem("device").symlink_to("/dev/zero")
    first.with_stem("itself").symlink_to(first.with_stem("itself"))
    (first.parent / "loop").symlink_to(root)
    source = open_source(root, LIMIT)
    assert source.modality == modality
    assert sum(len(part) for part in source.parts.values()) == count
    assert len(source.unreadable) == 3
    assert sum("not a regular file" in line for line in source.unreadable) == 2
    assert all(line.isprintable() for line in source.unreadable)


@every_modality
@pytest.mark.fault("data", "names that are not UTF-8, and of 255 bytes, in each modality")
def test_names_of_any_bytes_and_length_are_read_and_expanded(modality: str, tmp_path: Path) -> None:
    root = WRITE[modality](tmp_path / "data")
    count, (first, second) = len(samples(root)), samples(root)[:2]
    first.rename(os.fsdecode(os.fsencode(first.parent) + b"/\xff\x1b[2J" + os.fsencode(first.suffix)))
    second.rename(second.with_name("x" * (255 - len(second.suffix)) + second.suffix))
    source = open_source(root, LIMIT)
    assert sum(len(part) for part in source.parts.values()) == count
    assert audit(source).fingerprint
    expand(str(root), LIGHT[modality], copies=1, out=str(tmp_path / "more"))
    more = open_source(tmp_path / "more", LIMIT)
    assert more.unreadable == ()
    assert sum(len(part) for part in more.parts.values()) == count + len(source.parts["train"])


class Bomb(NamedTuple):
    """A small file that claims to hold more than any memory."""

    modality: str
    name: str
    write: Callable[[Path], object]


def huge_png(path: Path) -> None:
    """60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(10**6)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b""))


def wide_wav(path: Path) -> None:
    """Half a minute of 1,024 channels at 48 kHz: 2.9 GB of holes on disk, 5.9 GB as floats."""
    size = 30 * 48_000 * 1024 * 2
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 1, 1024, 48_000,
                       48_000 * 2048, 2048, 16, b"data", size)  # fmt: skip
    path.write_bytes(head)
    os.truncate(path, len(head) + size)


def large_gif(path: Path) -> None:
    """A picture of 20,000 x 20,000 pixels, in its header, with one pixel in it."""
    Image.new("L", (1, 1)).save(path)
    content = bytearray(path.read_bytes())
    content[6:10] = struct.pack("<HH", 20_000, 20_000)
    path.write_bytes(content)


BOMBS = [Bomb("image", "a.png", huge_png), Bomb("audio", "a.wav", wide_wav), Bomb("video", "a.gif", large_gif)]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.modality)
@pytest.mark.fault("data", "decompression bombs of each modality")
def test_a_bomb_is_unreadable_and_takes_no_memory(bomb: Bomb, tmp_path: Path) -> None:
    root = WRITE[bomb.modality](tmp_path / "data")
    open_source(root, LIMIT)  # which loads the libraries
    bomb.write(samples(root)[0].parent / bomb.name)
    before = psutil.Process().memory_info().rss
    source = open_source(root, LIMIT)
    assert source.modality == bomb.modality
    assert len(source.unreadable) == 1
    assert bomb.name in source.unreadable[0]
    assert psutil.Process().memory_info().rss - before < 2**28


class Vanishing(Logged):
    """Moves the data away when a trial has ended."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def trial_ended(self, _: TrialSummary, *__: object) -> None:  # type: ignore[override]
        if self._data.exists():
            self._data.rename(self._data.with_name("away"))


@pytest.mark.parametrize(
    "modality", [pytest.param(name, marks=() if name == "image" else pytest.mark.slow) for name in WRITE]
)
@pytest.mark.usefixtures("no_report")
@pytest.mark.fault("data", "files that vanish during a search, in each modality")
def test_data_that_vanish_end_a_search_with_one_line_and_it_goes_on_when_they_are_back(
    modality: str, tmp_path: Path
) -> None:
    data, out = WRITE[modality](tmp_path / "data"), tmp_path / "run"
    options = {"space": "light" if modality == "image" else None, "strategy": "random", "trials": 12, "epochs": 1}
    with pytest.raises(AllTrialsFailed, match=r"trials failed.*No such file.*kept") as fault:
        autoaug.search(
            data,
            seeds=2,
            workers=1,
            memory_limit="1",
            finalists=1,
            out=out,
            progress=Vanishing(data),
            **{name: value for name, value in options.items() if value is not None},
        )
    assert len(str(fault.value).splitlines()) == 1
    (tmp_path / "away").rename(data)
    result = autoaug.resume(out)
    assert {trial.status for trial in result.history} >= {"complete", "failed"}
    assert result.verdict


@pytest.mark.slow
@pytest.mark.fault("load", "many small files")
def test_many_small_files_are_opened_soon_and_in_bounded_memory(
    tmp_path: Path, amount: Callable[..., int], record_property: Callable[[str, object], None]
) -> None:
    count, draw = amount("files", 2000, 200_000), np.random.default_rng(0)
    for label in range(10):
        (tmp_path / "data" / str(label)).mkdir(parents=True)
    for i in range(count):
        pixels = draw.integers(0, 256, (8, 8), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "data" / str(i % 10) / f"{i}.png")
    this = psutil.Process()
    before, used = this.memory_info().rss, sum(this.cpu_times()[:2])
    source = open_source(tmp_path / "data", 2**26)
    found = audit(source)
    seconds, grown = sum(this.cpu_times()[:2]) - used, this.memory_info().rss - before
    record_property("seconds of one core", round(seconds, 1))
    record_property("MB of memory", round(grown / 1e6))
    assert len(source.parts["train"]) == count
    assert not [finding for finding in found.findings if finding.level == "stop"]
    assert get_modality().name == source.modality
    assert seconds < 60 * max(1, count / 200_000) + 10
    assert grown < 2**28 + 3000 * count


@pytest.mark.fault("video", "frames that are too large to read")
def test_frames_that_are_too_large_are_refused_before_any_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips(tmp_path / "data")
    monkeypatch.setattr("autoaug.modalities.video.decoding._MOST_PIXELS", 16 * 16 - 1)
    with pytest.raises(DataError, match="frames have 16 x 16 pixels, too many to read"):
        open_source(tmp_path / "data", LIMIT)
