"""Sounds in folders, manifests and arrays: what is read, by which rule, and what is refused with the file's name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from autoaug import api
from autoaug.data.audit import audit
from autoaug.data.loading import open_source, recognize
from autoaug.data.source import Source
from autoaug.errors import DataError, OptionError
from autoaug.modalities.audio import loader
from autoaug.modalities.audio.decoding import read_header
from autoaug.modalities.base import Reading
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import SearchOptions
from tests.modalities.audio.sounds import RATE, tone, write_tones, write_wav

LIMIT = 2**30


def opened(path: Path, *lengths: int) -> Source:
    return open_source(path, LIMIT, Reading(lengths))


def words_of(path: Path) -> str:
    return "\n".join(finding.message for finding in audit(opened(path)).findings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tones(tmp_path / "tones")


def test_a_folder_of_sounds_is_recognized_beside_other_files(folder: Path, tmp_path: Path) -> None:
    (folder / "README.md").write_text("about")
    assert recognize(folder).name == "audio"
    (tmp_path / "pictures/a").mkdir(parents=True)
    for i in range(3):
        (tmp_path / f"pictures/a/{i}.png").touch()
    (tmp_path / "pictures/a/note.wav").touch()
    assert recognize(tmp_path / "pictures").name == "image"
    assert recognize("digits").name == "image"
    for name in ("pipe.csv", "pipe.npz"):
        os.mkfifo(tmp_path / name)
        assert recognize(tmp_path / name).name == "image", "a pipe is not read"
    (tmp_path / "damaged.npz").write_bytes(b"PK\3\4")
    assert recognize(tmp_path / "damaged.npz").name == "image"
    assert recognize("x" * 5000).name == "image"


def test_sounds_are_padded_at_the_end(folder: Path) -> None:
    source = opened(folder)
    train = source.parts["train"].inputs
    assert source.modality == "audio"
    assert train.dtype == np.int16
    sounds = train.take(np.arange(len(train)))
    assert sounds.shape[:2] == (16, 1)
    lengths = [soundfile.info(name).frames for name in source.parts["train"].names]
    assert sounds.shape[2] == max(lengths)
    for sound, name, length in zip(sounds, source.parts["train"].names, lengths, strict=True):
        given, _ = soundfile.read(name, dtype="int16")
        assert np.array_equal(sound[0, :length], given)
        assert not sound[0, length:].any()


def test_a_given_length_cuts_and_pads(folder: Path) -> None:
    assert opened(folder, 50).parts["train"].inputs.shape == (1, 800)
    with pytest.raises(DataError, match="sounds have one length"):
        opened(folder, 50, 60)
    write_wav(folder / "train/low/long.wav", tone(440, 20, size=0.3))
    longest = opened(folder, 20_000).parts["train"]
    assert longest.inputs.shape == (1, 20 * RATE)
    (whole,) = longest.inputs.take(np.array([longest.names.index(str(folder / "train/low/long.wav"))]))
    assert np.abs(whole[0] / 32768 - tone(440, 20, size=0.3)).max() < 1e-4
    assert opened(folder, 30_000).parts["train"].inputs.shape == (1, 30 * RATE)
    with pytest.raises(OptionError, match="--size 30001 must be at most 30000 for audio data"):
        opened(folder, 30_001)


def test_a_run_records_any_length_that_data_may_have(folder: Path) -> None:
    """The record of a run had the limits of images for all."""
    config, *_ = prepare(SearchOptions(folder, size=20_000, device="cpu"))
    assert config.reading == Reading((20_000,))


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("csv", ";"), ("csv", "\t"), ("tsv", "\t")])
def test_manifests_have_groups_and_splits(suffix: str, separator: str, folder: Path) -> None:
    rows = [["path", "label", "split", "group"]]
    rows += [
        [str(p.relative_to(folder)), p.parent.name, p.parts[-3], f"voice {i // 2}"]
        for i, p in enumerate(sorted(folder.rglob("*.wav")))
    ]
    manifest = folder / f"all.{suffix}"
    manifest.write_text("\n".join(separator.join(row) for row in rows))
    source = opened(manifest)
    assert source.modality == "audio"
    assert len(source.parts["train"]) == 16
    assert source.parts["test"].groups is not None
    assert len(set(source.parts["test"].groups)) == 4


@pytest.mark.parametrize("dtype", ["i2", "f4", ">i2", ">f4"])
@pytest.mark.parametrize("channels", [0, 2])
def test_arrays_need_their_rate(dtype: str, channels: int, tmp_path: Path) -> None:
    values = np.stack([tone(300 + 50 * i, 0.1, 8000) for i in range(8)])
    values = values if not channels else np.stack([values, -values], 1)
    given = (np.round(values * 32767) if "i" in dtype else values).astype(dtype)
    path = tmp_path / "sounds.npz"
    np.savez(path, x_train=given, y_train=np.arange(8) % 2, rate=8000)
    source = opened(path)
    assert source.modality == "audio"
    assert "resampled to 16,000 Hz" in source.rule
    sounds = source.parts["train"].inputs.take(np.arange(8))
    assert sounds.shape == (8, max(channels, 1), 1600)
    theirs = soxr.resample(values[3].reshape(-1, 800).T, 8000, RATE).T
    assert np.abs(sounds[3] / 32768 - theirs).max() < 1e-3
    longer, shorter = opened(path, 150), opened(path, 50)
    assert longer.rule.startswith("0.15 s, shorter sounds are padded")
    padded = np.pad(sounds, ((0, 0), (0, 0), (0, 800)))
    assert np.array_equal(longer.parts["train"].inputs.take(np.arange(8)), padded)
    assert np.array_equal(shorter.parts["train"].inputs.take(np.arange(8)), sounds[..., :800])
    np.savez(path, x_train=given, y_train=np.arange(8) % 2, rate=0)
    with pytest.raises(DataError, match=r"sounds.npz: rate is 0; it must be the samples per second"):
        opened(path)
    np.savez(path, x_train=given, y_train=np.arange(8) % 2)
    with pytest.raises(DataError, match=r"sounds.npz has no array 'rate': add one with the samples per second"):
        open_source(path, LIMIT, modality="audio")


@pytest.mark.parametrize("limit", [LIMIT, 10])
def test_arrays_of_many_channels_are_averaged_as_files_are(limit: int, tmp_path: Path) -> None:
    draw, folder = np.random.default_rng(0), tmp_path / "files/a"
    sounds = draw.integers(-8000, 8000, (6, 5, 800)).astype("i2")
    folder.mkdir(parents=True)
    for number, sound in enumerate(sounds):
        soundfile.write(folder / f"{number}.wav", sound.T, RATE)
    np.savez(tmp_path / "a.npz", x_train=sounds, y_train=np.arange(6) % 2, rate=RATE)
    files, arrays = opened(tmp_path / "files"), open_source(tmp_path / "a.npz", limit)
    ours, theirs = (source.parts["train"].inputs.take(np.arange(6)) for source in (arrays, files))
    assert ours.dtype == np.int16
    assert ours.shape == theirs.shape == (6, 1, 800)
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert all("channels are averaged to one" in source.rule for source in (arrays, files))
    np.savez(tmp_path / "b.npz", x_train=sounds.swapaxes(1, 2), y_train=np.arange(6) % 2, rate=RATE)
    with pytest.raises(DataError, match=r"x_train must be \[N, T\] or \[N, C, T\], .*not \[6, 800, 5\]"):
        opened(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "NaN or infinite values, first in sound 2; remove or repair them"),
        (-np.inf, "NaN or infinite values, first in sound 2; remove or repair them"),
        (-5, r"values up to 5, first in sound 2; scale all to \[-1, 1\]"),
    ],
)
@pytest.mark.fault("audio", "damaged files")
def test_arrays_with_values_of_no_sound_name_the_first(value: float, words: str, tmp_path: Path) -> None:
    sounds = np.stack([tone(300 + i, 0.1) for i in range(4)])
    sounds[2:, 7] = value
    np.savez(tmp_path / "a.npz", x_train=sounds, y_train=np.arange(4) % 2, rate=RATE)
    with pytest.raises(DataError, match=f"a.npz: x_train has {words}"):
        opened(tmp_path / "a.npz")


@pytest.mark.fault("audio", "odd rates, depths and encodings")
def test_files_of_every_kind_become_one_form(tmp_path: Path) -> None:
    """8 bits, 24 bits, floats, lossless and lossy codecs, any rate and number of channels."""
    values, folder = tone(440, 0.3, 44100), tmp_path / "a"
    folder.mkdir()
    soundfile.write(folder / "8.wav", values, 44100, subtype="PCM_U8")
    soundfile.write(folder / "24.wav", values, 44100, subtype="PCM_24")
    soundfile.write(folder / "float.wav", values.astype(np.float32), 44100, subtype="FLOAT")
    soundfile.write(folder / "five.wav", np.stack([values] * 5, 1), 44100)
    soundfile.write(folder / "s.flac", values, 44100)
    soundfile.write(folder / "s.ogg", values, 44100)
    soundfile.write(folder / "slow.wav", tone(440, 0.3, 8000), 8000)
    source = opened(tmp_path)
    assert source.forms["rates"] == {"44,100 Hz": 6, "8,000 Hz": 1}
    assert "channels are averaged to one" in source.rule
    ours = source.parts["train"].inputs.take(np.arange(7)) / 32768
    expected = tone(440, 0.3)
    for sound, name in zip(ours, source.parts["train"].names, strict=True):
        middle = slice(500, 4300)
        error = np.abs(sound[0, : len(expected)] - expected)[middle].max()
        assert error < (0.08 if name.endswith(".ogg") else 0.01), name
    assert "1 of 7 sounds are not at the most frequent rate (44,100 Hz)" in "\n".join(source.unusual)


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 768000])
def test_a_sound_of_a_single_sample_is_not_silence(rate: int, tmp_path: Path) -> None:
    """soxr makes nothing of one sample at high rates, and such sounds became zeros."""
    write_wav(tmp_path / "a/one.wav", np.array([0.3]), rate)
    write_wav(tmp_path / "a/usual.wav", tone(440), rate)
    source = opened(tmp_path)
    (sound,) = source.parts["train"].inputs.take(np.array([0]))
    assert source.parts["train"].names[0].endswith("one.wav")
    assert 0.2 < np.abs(sound[0, :2] / 32768).max() < 0.4
    assert not sound[0, 2:].any()


def test_sounds_that_are_mostly_padding_are_told_with_a_shorter_length(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for number, seconds in enumerate([0.2] * 18 + [0.41, 3.0]):
        write_wav(tmp_path / "a" / f"{number}.wav", tone(440, seconds), RATE)
    told = [words for words in opened(tmp_path).unusual if "padded" in words]
    assert [words.split(", which")[0] for words in told] == [
        "sounds last 0.35 s in the mean, and all are padded to 3 s"
    ]
    assert told[0].endswith("nine of ten fit in --size 300")
    assert not any("padded" in words for words in open_source(tmp_path, LIMIT, Reading((300,))).unusual)


@pytest.mark.fault("audio", "silence, clipping and other lengths")
def test_what_is_hardly_meant_is_reported_with_a_file(tmp_path: Path) -> None:
    for name in "ab":
        for i in range(30):
            write_wav(tmp_path / f"{name}/{i}.wav", tone(300 + i + 40 * (name == "b"), 0.1))
    write_wav(tmp_path / "a/silent.wav", np.zeros(1600))
    write_wav(tmp_path / "a/one.wav", np.array([0.3]))
    write_wav(tmp_path / "b/clipped.wav", np.clip(tone(300, 0.1, size=3), -1, 1))
    write_wav(tmp_path / "b/long.wav", tone(300, 0.9))
    found = words_of(tmp_path)
    for words in (
        r"1 of 64 sounds are silent: nothing can be heard in them; the first: .*a/silent.wav",
        r"1 of 64 sounds are under 20 ms; the first: .*a/one.wav",
        r"1 of 64 sounds are clipped: many values are at full scale; the first: .*b/clipped.wav",
        r"1 of 64 sounds are longer than 0.1 s, and cut there .*; the first: .*b/long.wav",
    ):
        assert len(re.findall(words, found)) == 1, words


@pytest.mark.parametrize("limit", [LIMIT, 10])
@pytest.mark.fault("audio", "silence, clipping and other lengths")
def test_arrays_are_looked_at_as_files_are(limit: int, tmp_path: Path) -> None:
    sounds = np.stack([np.pad(tone(300 + i, 0.1), (0, 1600)) for i in range(30)])
    sounds[3] = 0
    sounds[5] = 0.3 * np.eye(1, 3200)
    sounds[7, :1600] = np.clip(tone(300, 0.1, size=3), -1, 1)
    sounds[9] = tone(300, 0.2)
    np.savez(tmp_path / "a.npz", x_train=np.round(sounds * 32767).astype("i2"), y_train=np.arange(30) % 2, rate=RATE)
    found = open_source(tmp_path / "a.npz", limit, Reading((150,))).unusual
    assert [re.sub(", and cut.*;", ";", words) for words in found] == [
        "1 of 30 sounds are silent: nothing can be heard in them; the first: train sound 3",
        "1 of 30 sounds are under 20 ms; the first: train sound 5",
        "1 of 30 sounds are clipped: many values are at full scale; the first: train sound 7",
        "2 of 30 sounds are longer than 0.15 s; the first: train sound 3",
    ]
    np.savez(tmp_path / "b.npz", x_train=np.zeros((4, 800), "i2"), y_train=np.arange(4) % 2, rate=8000)
    assert "4 of 4 sounds are silent: nothing can be heard in them; the first: train sound 0" in words_of(
        tmp_path / "b.npz"
    )


@pytest.mark.parametrize("kind", ["wav", "aiff", "au", "w64", "mp3", "flac", "caf"])
@pytest.mark.fault("audio", "damaged files")
def test_a_truncated_file_of_any_format_stops_a_search(kind: str, folder: Path) -> None:
    """A WAV file was a warning, and a FLAC file stopped."""
    for name in ("whole", "half"):
        path = folder / f"train/low/{name}.{kind}"
        soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 44100), 44100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = opened(folder)
    assert any("whole" in name for name in source.parts["train"].names)
    (line,) = source.unreadable
    assert re.search(rf"half.{kind}: .*it is (damaged or )?truncated", line)


def test_streamed_files_which_tell_no_size_are_whole(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "streamed.wav", tone(440))
    content = bytearray(path.read_bytes())
    for size in (0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF - 36):
        content[40:44] = size.to_bytes(4, "little")
        path.write_bytes(content)
        assert read_header(path)[:3] == (RATE, 1, 0.2)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.write_bytes(b""), "bad.wav: it is empty"),
        (lambda path: path.write_bytes(b"RIFF\0\0\0\0WAVEfmt "), "bad.wav: cannot read file: Error in WAV file"),
        (lambda path: path.write_bytes(b"words"), "bad.wav: cannot read file: it is no sound file, or its header is"),
        (lambda path: write_wav(path, np.zeros(0)), "bad.wav: it has no samples"),
        (
            lambda path: soundfile.write(path, np.array([0.1, np.nan, 0.2]), RATE, subtype="FLOAT"),
            "bad.wav: it has samples that are NaN or infinite",
        ),
        (lambda path: _with_rate(path, 0), "bad.wav: cannot read file: its header lacks the rate, the channels or"),
        (lambda path: _with_rate(path, 10), "bad.wav: its rate is 10 Hz; rates are from 1,000 to 768,000"),
    ],
)
@pytest.mark.fault("audio", "damaged files")
def test_a_damaged_file_stops_a_search_and_is_named(damage: Callable[[Path], object], words: str, folder: Path) -> None:
    damage(folder / "train/low/bad.wav")
    found = audit(opened(folder))
    assert len(found.hashes["train"]) == 16
    (stop,) = [finding for finding in found.findings if finding.level == "stop"]
    assert stop.code == "unreadable"
    assert words in stop.message
    assert "\n" not in stop.message


def _with_rate(path: Path, rate: int) -> None:
    write_wav(path, tone(440))
    content = bytearray(path.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.fault("audio", "leaks between splits")
def test_the_same_sound_in_two_splits_and_a_speaker_in_two_splits_are_leaks(folder: Path, tmp_path: Path) -> None:
    values, rate = soundfile.read(folder / "train/low/000.wav", dtype="int16")
    soundfile.write(folder / "test/low/again.flac", values, rate)
    stops = [f.message for f in audit(opened(folder)).findings if f.code == "leak"]
    assert "1 sample is in two splits" in stops[0]
    assert "again.flac" in stops[0]
    manifest = tmp_path / "list.csv"
    lines = [f"{p},{p.parent.name},{p.parts[-3]},one voice" for p in sorted(folder.rglob("*.wav"))]
    manifest.write_text("path,label,split,group\n" + "\n".join(lines))
    stops = [f.message for f in audit(opened(manifest)).findings if f.code == "leak"]
    assert any("1 group is in two splits, e.g. 'one voice'" in message for message in stops)


def test_sounds_are_written_without_their_padding(tmp_path: Path) -> None:
    sound = np.zeros((2, 3000), np.int16)
    sound[:, :1000] = np.round(tone(500, 1000 / RATE) * 32767)
    loader.write(sound, tmp_path / "s.wav")
    values, rate = soundfile.read(tmp_path / "s.wav", dtype="int16")
    assert rate == RATE
    assert np.array_equal(values.T, sound[:, : len(values)])
    assert not sound[:, len(values) :].any()


def test_expansions_of_folders_and_arrays_are_read_again(folder: Path, tmp_path: Path) -> None:
    api.expand(folder, "noise", out=str(tmp_path / "more"), copies=1)
    more = opened(tmp_path / "more")
    assert len(more.parts["train"]) == 32
    source = opened(folder)
    first = source.parts["train"].inputs.take(np.arange(16))
    assert np.array_equal(np.sort(more.parts["train"].inputs.take(more.parts["train"].originals), 0), np.sort(first, 0))
    x, y = first, source.parts["train"].labels
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, rate=RATE)
    api.expand(tmp_path / "a.npz", "noise", out=str(tmp_path / "arrays"), copies=1)
    again = opened(tmp_path / "arrays/data.npz")
    assert again.modality == "audio"
    assert np.array_equal(again.parts["train"].inputs.take(np.arange(16)), x)


@pytest.mark.fault("audio", "its package missing")
def test_without_the_extra_the_cure_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"sounds need soundfile: pip install 'autoaug\[audio\]'"):
        loader.open(str(folder), LIMIT)
