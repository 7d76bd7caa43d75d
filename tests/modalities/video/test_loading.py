"""Clips in files, folders of frames, manifests and arrays: what is read, by which rule, and what is refused with the
file's name.
"""

from __future__ import annotations

import re
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from autoaug import api
from autoaug.data.audit import audit
from autoaug.data.loading import open_source, recognize
from autoaug.data.source import Source
from autoaug.errors import DataError, UnknownName
from autoaug.modalities.base import Reading
from autoaug.modalities.image.decoding import ImageForm
from autoaug.modalities.video import loader
from autoaug.modalities.video.decoding import ClipReader, evenly, frame_paths, read_header
from tests.modalities.video.moving import encode, square, truncated, without_the_last, write_clips, write_frames

LIMIT = 2**30
#: How far a lossy codec is from what was encoded, on average, in levels of 256.
LOSS = 12


def opened(path: Path, *lengths: int) -> Source:
    return open_source(path, LIMIT, Reading(lengths))


def words_of(path: Path) -> str:
    return "\n".join(finding.message for finding in audit(opened(path)).findings)


def clips_of(source: Source, role: str = "train") -> np.ndarray:
    inputs = source.parts[role].inputs  # type: ignore[index]
    return inputs.take(np.arange(len(inputs)))


CODECS = [
    (".mp4", "libx264"),
    (".webm", "libvpx-vp9"),
    (".avi", "mpeg4"),
    (".mov", "mjpeg"),
    (".mkv", "ffv1"),
    (".gif", "gif"),
    (".apng", "apng"),
]


@pytest.mark.parametrize(("suffix", "codec"), CODECS)
@pytest.mark.fault("video", "all codecs")
def test_files_of_all_codecs_are_read(suffix: str, codec: str, tmp_path: Path) -> None:
    given = {name: square(right=name == "right") for name in ("left", "right")}
    for name, pixels in given.items():
        encode(tmp_path / name / f"a{suffix}", pixels, codec)
    assert recognize(tmp_path).name == "video"
    source = opened(tmp_path)
    assert source.classes == ("left", "right")
    clips = clips_of(source)
    assert clips.shape == (2, 6, 3, 16, 16)
    for clip, name in zip(clips, source.classes, strict=True):
        loss = np.abs(clip.transpose(0, 2, 3, 1).astype(int) - given[name]).mean()
        assert loss < (0.01 if codec in ("ffv1", "apng") else 40 if codec == "gif" else LOSS), name


def test_long_clips_are_sampled_evenly_and_short_ones_repeat(tmp_path: Path) -> None:
    for frames in (3, 8, 80):
        levels = np.arange(frames) * 250 // frames
        pixels = np.broadcast_to(levels[:, None, None, None], (frames, 16, 16, 3)).astype(np.uint8)
        path = encode(tmp_path / f"{frames}.mkv", np.ascontiguousarray(pixels), "ffv1")
        reader = ClipReader(8, opened_shape(path))
        rows = np.minimum(frames - 1, (np.arange(8) + 0.5) * frames // 8).astype(int)
        assert np.array_equal(reader.read(path)[:, 0, 0, 0], levels[rows])


@pytest.mark.parametrize(("first", "last"), [(4.0, 6.0), (0.0, 2.5), (1.5, 3.0)])
def test_a_part_that_was_cut_without_encoding_has_the_frames_that_are_shown(
    first: float, last: float, tmp_path: Path
) -> None:
    levels = np.arange(60) * 4
    pixels = np.broadcast_to(levels[:, None, None, None], (60, 16, 16, 3)).astype(np.uint8)
    whole, part = encode(tmp_path / "whole.mp4", np.ascontiguousarray(pixels)), tmp_path / "part.mp4"
    with av.open(str(whole)) as given, av.open(str(part), "w") as made:
        stream = given.streams.video[0]
        own = made.add_stream_from_template(stream)
        for packet in given.demux(stream):  # as ffmpeg -ss FIRST -to LAST -c copy does
            if packet.dts is not None and packet.pts * stream.time_base < last:
                packet.pts -= int(first / stream.time_base)
                packet.dts -= int(first / stream.time_base)
                packet.stream = own
                made.mux(packet)
    with av.open(str(part)) as container:
        shown = [frame.to_ndarray(format="rgb24")[0, 0, 0] for frame in container.decode(video=0)]
    assert len(shown) == pytest.approx(10 * (last - first), abs=1)
    assert read_header(part).frames == len(shown)
    clip = ClipReader(5, opened_shape(part)).read(part)
    assert np.array_equal(clip[:, 0, 0, 0], np.array(shown)[evenly(len(shown), 5)])


def opened_shape(path: Path) -> ImageForm:
    header = read_header(path)
    return loader._shape([header], [header], Reading())


def test_frames_in_folders_are_clips_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "frames", 2)
    long = np.stack([np.full((16, 16, 3), 20 * t, np.uint8) for t in range(12)])  # frame-10 comes after frame-9
    write_frames(root / "left" / "long", long)
    assert recognize(root).name == "video"
    source = opened(root)
    clip = next(c for c, n in zip(clips_of(source), source.parts["train"].names, strict=True) if n.endswith("long"))
    assert np.array_equal(clip[:, 0, 0, 0], 20 * np.minimum(11, (np.arange(6) + 0.5) * 2).astype(int))
    assert "--modality image" in words_of(root)


def test_numbers_of_frames_may_have_any_width(tmp_path: Path) -> None:
    for name in ("8", "007", "0010", "9", "1-12", "1-9"):
        (tmp_path / f"f{name}.png").touch()
    assert [path.stem for path in frame_paths(tmp_path)] == ["f1-9", "f1-12", "f007", "f8", "f9", "f0010"]


def test_files_and_folders_of_frames_may_be_mixed(tmp_path: Path) -> None:
    for i, name in enumerate(("left", "right")):
        encode(tmp_path / name / "moving.gif", square(right=bool(i)), "gif")
        encode(tmp_path / name / "file.avi", square(right=bool(i), seed=2), "mpeg4")
        write_frames(tmp_path / name / "frames", square(frames=30, right=bool(i), seed=4))  # most files are images
        write_frames(tmp_path / name / "two", square(frames=2, right=bool(i), seed=6))
        write_frames(tmp_path / name / "still", square(frames=1, right=bool(i), seed=8))
    assert recognize(tmp_path).name == "video"
    source = opened(tmp_path)
    assert len(source.parts["train"].labels) == 10
    assert source.left_out == ()


def test_a_manifest_may_list_a_clip_again_and_again_and_other_tables_have_paths_of_any_length(tmp_path: Path) -> None:
    for separator in ",;\t":  # as spreadsheets write it
        text = f"\ufeffpath{separator}label\r\n" + f"one.avi{separator}a\r\n" * 9
        (tmp_path / "clips.csv").write_bytes(text.encode())
        assert recognize(tmp_path / "clips.csv").name == "video"
    (tmp_path / "table.csv").write_text(f"path,text,label\n{'word ' * 100},hello,a\n")
    assert recognize(tmp_path / "table.csv").name != "video"


def test_folders_of_images_stay_images(tmp_path: Path) -> None:
    for i in range(3):
        for name in ("a", "b"):
            (tmp_path / "flat" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(square()[i]).save(tmp_path / "flat" / name / f"{i}.png")
            (tmp_path / "split/train" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(square()[i]).save(tmp_path / "split/train" / name / f"{i}.png")
            (tmp_path / "named" / name / "more").mkdir(parents=True, exist_ok=True)
            Image.fromarray(square()[i]).save(tmp_path / "named" / name / "more" / f"{'xyz'[i]}.png")
            Image.fromarray(square()[0]).save(tmp_path / "named" / name / "more" / f"still{'xyz'[i]}.gif")
            Image.fromarray(square()[0]).save(tmp_path / "named" / name / "more" / f"still{'xyz'[i]}.apng", "PNG")
    for data in ("flat", "split", "named"):
        assert recognize(tmp_path / data).name == "image", data


def test_the_modality_may_be_said(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "frames", 2)
    assert recognize(root, "image").name == "image"
    lines = {said: "\n".join(api.check(root, modality=said).lines) for said in (None, "video", "image")}
    assert "taken for video data" in lines[None]
    assert "train: 4 samples" in lines[None]
    assert lines["video"] == lines[None]
    assert "taken for image data" in lines["image"]
    assert "train: 24 samples" in lines["image"]
    with pytest.raises(UnknownName, match="unknown modality 'vidoe'; did you mean 'video'"):
        api.check(root, modality="vidoe")


def test_splits_manifests_and_groups(tmp_path: Path) -> None:
    rows = ["path,label,split,group"]
    for i in range(8):
        for name in ("left", "right"):
            split = "test" if i > 5 else "train"
            path = tmp_path / split / name / f"{i}"
            pixels = square(right=name == "right", seed=i)
            if i % 2:
                encode(path.with_suffix(".mp4"), pixels)
            else:
                write_frames(path, pixels)
            rows.append(f"{split}/{name}/{i}{'.mp4' if i % 2 else ''},{name},{split},{i % 6}")
    (tmp_path / "data.csv").write_text("\n".join(rows))
    listed, folders = opened(tmp_path / "data.csv"), opened(tmp_path)
    for role, count in (("train", 12), ("test", 4)):
        assert len(listed.parts[role]) == len(folders.parts[role]) == count  # type: ignore[index]
        assert np.array_equal(np.sort(clips_of(listed, role), 0), np.sort(clips_of(folders, role), 0))
    assert "groups" in words_of(tmp_path / "data.csv")


@pytest.mark.parametrize("is_last", [True, False])
def test_arrays_are_clips_with_five_dimensions(is_last: bool, tmp_path: Path) -> None:
    clips = np.stack([square(right=i % 2 == 0, seed=i) for i in range(12)])
    given = clips if is_last else clips.transpose(0, 1, 4, 2, 3)
    np.savez(tmp_path / "a.npz", x_train=given / 255, y_train=np.arange(12) % 2)
    source = opened(tmp_path / "a.npz")
    assert source.modality == "video"
    assert np.array_equal(loader.as_array(clips_of(source)), clips)
    np.savez(tmp_path / "only.npz", X=given, y=np.arange(12) % 2)
    np.savez(tmp_path / "words.npz", clips=given, labels=np.arange(12) % 2)
    for name in ("only.npz", "words.npz"):
        np.testing.assert_array_equal(clips_of(opened(tmp_path / name)), clips_of(source))
    assert not source.unusual
    np.savez(tmp_path / "still.npz", x_train=clips[:, :1], y_train=np.arange(12) % 2)
    (words,) = opened(tmp_path / "still.npz").unusual
    assert words == "12 of 12 clips have a single frame, in which nothing moves; the first: train clip 0"
    np.savez(tmp_path / "flat.npz", x_train=clips[:, 0], y_train=np.arange(12) % 2)
    assert recognize(tmp_path / "flat.npz").name == "image"
    damaged = clips / np.float32(255)
    damaged[2, 1, 3] = np.nan
    np.savez(tmp_path / "bad.npz", x_train=damaged, y_train=np.arange(12) % 2)
    with pytest.raises(DataError, match=r"bad\.npz: x_train has NaN or infinite pixels, first in clip 2; remove"):
        opened(tmp_path / "bad.npz")


@pytest.mark.parametrize("limit", [2**30, 10])
def test_arrays_of_clips_are_resized_like_their_frames(limit: int, tmp_path: Path) -> None:
    clips = np.stack([square(right=i % 2 == 0, seed=i) for i in range(12)])
    np.savez(tmp_path / "a.npz", x_train=clips, y_train=np.arange(12) % 2)
    source = open_source(tmp_path / "a.npz", limit, Reading((3, 10, 16), "squash"))
    rows = evenly(clips.shape[1], 3)
    assert np.ptp(rows) > 1, "they are spread"
    wanted = [Image.fromarray(frame).resize((16, 10), Image.Resampling.BILINEAR) for frame in clips[1][rows]]
    assert np.array_equal(clips_of(source)[1], np.stack(wanted).transpose(0, 3, 1, 2))
    assert source.rule.startswith("each frame is scaled to 10 x 16 pixels")
    assert "3 frames of each clip" in source.rule


def test_a_size_may_be_a_side_two_or_also_frames(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "frames", 2)
    assert opened(root).parts["train"].inputs.shape == (6, 3, 16, 16)
    assert opened(root, 8).parts["train"].inputs.shape == (6, 3, 8, 8)
    assert opened(root, 8, 12).parts["train"].inputs.shape == (6, 3, 8, 12)
    assert opened(root, 4, 8, 12).parts["train"].inputs.shape == (4, 3, 8, 12)
    with pytest.raises(DataError, match="one, two or three"):
        opened(root, 4, 4, 8, 12)


def test_transparent_frames_are_told(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "frames", 2)
    assert "transparen" not in opened(root).rule
    Image.fromarray(square(1)[0]).convert("RGBA").save(root / "left/clip0/frame-3.png")
    assert "transparency is dropped: a transparent pixel gets its stored color" in opened(root).rule


def test_what_is_hardly_meant_is_told(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "frames", 4)
    write_frames(root / "left/still", square(1, seed=50))
    odd = write_frames(root / "right/odd", square(seed=51))
    Image.fromarray(square(1, side=21)[0]).save(odd / "frame-3.png")
    write_frames(root / "right/again", square(right=True, seed=2))
    words = words_of(root)
    assert re.search(r"1 of 11 clips have a single frame, in which nothing moves; the first: \S*still", words)
    assert re.search(
        r"1 of 11 clips have frames of several sizes; each is resized on its own; the first: \S*odd", words
    )
    assert re.search(r"1 sample occurs more than once within a split, e.g. \S*again", words)
    assert clips_of(opened(root)).shape[1:] == (6, 3, 16, 16)


def no_video(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(8000))


DAMAGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated.mp4": (lambda path: truncated(path, ".mp4", "libx264"), "."),
    "truncated.webm": (lambda path: truncated(path, ".webm", "libvpx-vp9"), "truncated"),
    "truncated.avi": (lambda path: truncated(path, ".avi", "mpeg4"), "it is no video, or it is damaged or truncated$"),
    "truncated.gif": (lambda path: truncated(path, ".gif", "gif"), "truncated: its last frame is not whole"),
    "truncated.apng": (lambda path: truncated(path, ".apng", "apng"), "it is no video, or it is damaged or truncated$"),
    "shorter.apng": (without_the_last, "truncated: its last frame is not whole"),
    "text.mp4": (lambda path: path.write_text("no video"), "cannot read file: it is no video, or it is damaged"),
    "empty.avi": (lambda path: path.touch(), "it is empty"),
    "sound.mp4": (no_video, "no video stream"),
    "zeros.mkv": (lambda path: path.write_bytes(bytes(5000)), "."),
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.fault("video", "damaged files")
def test_damaged_files_are_named_with_the_cause(name: str, tmp_path: Path) -> None:
    damage, cause = DAMAGED[name]
    for i in range(2):
        encode(tmp_path / "a" / f"{i}.mp4", square(seed=i))
        encode(tmp_path / "b" / f"{i}.mp4", square(right=False, seed=7 + i))
    damage(tmp_path / "a" / name)
    source = opened(tmp_path)
    assert len(source.parts["train"]) == 4, "nothing else is lost"
    (line,) = source.unreadable
    assert re.search(rf"{name}: .*{cause}", line)
    assert "\n" not in line
    assert len(line) < 400


@pytest.mark.fault("video", "damaged frames")
def test_damaged_frames_name_their_clip_and_their_file(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "frames", 2)
    (root / "left/clip1/frame-2.png").write_bytes(b"no image")
    (line,) = opened(root).unreadable
    assert line.endswith("clip1: frame frame-2.png cannot be read (UnidentifiedImageError)")


@pytest.mark.fault("video", "a wrong suffix")
def test_a_wrong_suffix_is_read_by_what_is_inside(tmp_path: Path) -> None:
    encode(tmp_path / "a/webm.webm", square(), "libvpx-vp9").rename(tmp_path / "a/webm.avi")
    encode(tmp_path / "b/x.mp4", square(right=False))
    source = opened(tmp_path)
    assert not source.unreadable
    assert source.forms["codecs"] == {"vp9": 1, "h264": 1}


def test_a_folder_without_clips_says_what_is_there(tmp_path: Path) -> None:
    frames = [Image.fromarray(frame) for frame in square()]
    for name in "ab":
        (tmp_path / name).mkdir()
        frames[0].save(tmp_path / name / "0.webp", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=r"no files that can be samples of this modality; there are 2 x \.webp that is"):
        open_source(tmp_path, LIMIT, modality="video")


def test_clips_of_many_sizes_and_lengths_are_told_by_their_ranges(tmp_path: Path) -> None:
    for number in range(26):
        clip = square(3 + number, side=20 + number, seed=number)
        write_frames(tmp_path / "ab"[number % 2] / f"clip{number}", clip[:, :, : 16 + number % 5])
    source = opened(tmp_path)
    assert source.forms["sizes"] == {"heights from 20 to 45, widths from 16 to 20": 26}
    assert source.forms["frames"] == {"from 3 to 28, half of them up to 16": 26}


@pytest.mark.parametrize(("how", "is_told"), [("crop", True), ("letterbox", False), ("squash", False)])
def test_a_crop_that_takes_much_of_clips_is_told(how: str, is_told: bool, tmp_path: Path) -> None:
    write_frames(tmp_path / "a/wide", square(side=40)[:, :20])
    write_frames(tmp_path / "b/high", square(side=40, seed=1)[:, :, :30])
    source = open_source(tmp_path, LIMIT, Reading((16,), how))
    told = "1 of 2 clips have over a third of a frame's height or width cut off; --resize letterbox or squash keeps"
    assert any(words.startswith(told) and words.endswith("wide") for words in source.unusual) == is_told


@pytest.mark.fault("video", "odd sizes and turned videos")
def test_odd_sizes_are_resized_by_rule(tmp_path: Path) -> None:
    encode(tmp_path / "a/x.avi", square(side=17), "ffv1")
    encode(tmp_path / "b/x.avi", square(side=31), "ffv1")
    source = opened(tmp_path)
    assert clips_of(source).shape == (2, 6, 3, 24, 24)
    assert "24 x 24 pixels" in source.rule


@pytest.mark.fault("video", "odd sizes and turned videos")
def test_turned_videos_are_read_upright(tmp_path: Path) -> None:
    """As phones store them: with a matrix for the player."""
    pixels = np.zeros((4, 16, 32, 3), np.uint8)
    pixels[:, :, :16] = 200
    path = encode(tmp_path / "x.mp4", pixels)
    content = path.read_bytes()
    upright = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    turned = b"".join(n.to_bytes(4, "big", signed=True) for n in (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30))
    start = content.rindex(upright)  # of the track
    path.write_bytes(content[:start] + turned + content[start + len(turned) :])
    assert read_header(path).sizes == {(32, 16)}
    clip = ClipReader(4, opened_shape(path)).read(path)
    assert clip.shape[2:] == (32, 16)
    assert clip[0, 0, :16].mean() > 150 > 50 > clip[0, 0, 16:].mean(), "what was left is above after a quarter turn"


def test_written_clips_come_back(tmp_path: Path) -> None:
    for channels in (1, 3):
        clip = np.ascontiguousarray(square(5, 18).transpose(0, 3, 1, 2)[:, :channels])
        path = tmp_path / f"{channels}.mkv"
        loader.write(clip, path)
        header = read_header(path)
        assert (header.frames, header.is_gray) == (5, channels == 1)
        assert np.array_equal(ClipReader(5, opened_shape(path)).read(path), clip)
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.name == "ffv1"


def test_expansions_hold_the_clips_and_their_copies(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "frames", 3)
    encode(root / "left/file.mp4", square(seed=30))
    api.expand(root, "video-flip-crop", out=tmp_path / "more", copies=2)
    more = opened(tmp_path / "more")
    assert more.modality == "video"
    part = more.parts["train"]
    assert len(part) == 3 * 7
    assert part.augmented is not None
    assert int(part.augmented.sum()) == 14
    originals = clips_of(more)[~part.augmented]
    given = clips_of(opened(root))
    assert np.array_equal(np.sort(originals, 0), np.sort(given, 0))
