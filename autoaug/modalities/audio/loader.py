"""Open data sets of sounds."""

from __future__ import annotations

import importlib.util
import itertools
import math
import os
import wave
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from autoaug.data.inputs import in_blocks
from autoaug.data.layouts import list_files, no_such_data
from autoaug.data.layouts.arrays import converted, open_npz
from autoaug.data.layouts.folder import files_below
from autoaug.data.layouts.listing import Common, Item, open_listing
from autoaug.data.layouts.separated import first_rows
from autoaug.data.source import Source
from autoaug.data.texts import encode_texts, frames_needed
from autoaug.errors import DataError
from autoaug.modalities.audio.decoding import (
    ENDINGS,
    MOST_SECONDS,
    RATE,
    Form,
    Header,
    SoundReader,
    as_int16,
    is_clipped,
    of_length,
    read_header,
    resampled,
)
from autoaug.modalities.audio.resources import described
from autoaug.modalities.base import AS_SUITS, Reading
from autoaug.utils.npz import read_array

suffix = ".wav"
extra_arrays: Mapping[str, np.ndarray] = {"rate": np.array(RATE)}

#: The most names that are looked at to recognize sounds.
_LOOKED_AT = 200
#: Without a given length, this share of the training sounds fit in whole, up to the most seconds.
_WHOLE, _MOST = 0.98, 10.0
#: Of sounds with a text all fit, so that no word is cut off, also when they are slowed down by as much.
_ROOM = 1.25
_BRIEF = 0.02
#: The packaged network of texts tells at most one character in so many samples, 32 ms.
_STRETCH = 512
#: If sounds fill less than this share of their common length, a shorter one is offered.
_FILLED = 1 / 3


def recognizes(data: str) -> bool:
    """Whether most files of a folder, or most names in the first lines of a manifest, are those of sound files; or an
    ``.npz`` has an array ``rate``.
    """
    path = Path(data)
    suffix = path.suffix.lower()
    if path.is_dir():
        return _are_sounds([file.name for file in itertools.islice(files_below(path), _LOOKED_AT)])
    if not path.is_file():  # reading a pipe would never end
        return False
    if suffix in (".csv", ".tsv"):
        return _are_sounds([max(row, key=_is_sound) for row in first_rows(path, 1 + _LOOKED_AT)[1:]])
    if suffix != ".npz":
        return False
    with zipfile.ZipFile(path) as archive:
        return "rate.npy" in archive.namelist()


def _is_sound(name: str) -> bool:
    return os.path.splitext(name.strip())[1].lower() in ENDINGS


def _are_sounds(names: Sequence[str]) -> bool:
    return 2 * sum(map(_is_sound, names)) > len(names)


def open(data: str, memory_limit: int, reading: Reading = AS_SUITS) -> Source:  # noqa: A001 (the seam's name)
    """Open a folder of sounds per class, a CSV or TSV manifest, or an ``.npz`` with an array ``rate``.

    Args:
        data: a path.
        memory_limit: bytes; larger arrays are mapped from disk instead of loaded.
        reading: the length of all sounds, in milliseconds; shorter ones are padded, and longer ones are cut.

    Raises:
        DataError: the data do not exist, or break a rule of their format.
    """
    missing = [name for name in ("soundfile", "soxr") if importlib.util.find_spec(name) is None]
    if missing:
        raise DataError(f"{data}: sounds need {missing[0]}: pip install 'autoaug[audio]'")
    if len(reading.lengths) > 1 or reading.how != "crop":
        raise DataError(f"{data}: sounds have one length, and are cut or padded: --size MILLISECONDS, without --resize")
    milliseconds = reading.lengths[0] if reading.lengths else None
    if Path(data).suffix.lower() == ".npz" and Path(data).is_file():
        source = _open_arrays(Path(data), memory_limit)
        brought = _of_length(source, milliseconds)
        form = Form(*brought.parts["train"].inputs.shape)
        return replace(brought, unusual=tuple(_unusual(_headers(source), form, math.inf)))
    listing = list_files(data, ENDINGS, "Audio")
    if listing is None:
        raise no_such_data(data, ())
    has_texts = listing.kind == "transcription"
    return open_listing(listing, read_header, partial(_agree, milliseconds=milliseconds, has_texts=has_texts))


def _agree(readable: Sequence[tuple[Item, Header]], milliseconds: int | None, has_texts: bool) -> Common:
    """Choose the length from the training sounds, or from all if they have texts, and the channels from all."""
    headers = [header for _, header in readable]
    channels = headers[0].channels if len({h.channels for h in headers}) == 1 and headers[0].channels <= 2 else 1
    seconds = [header.seconds for item, header in readable if has_texts or item.role == "train"]
    longest = min(_ROOM * max(seconds), MOST_SECONDS) if has_texts else _usual_length(seconds)
    length = milliseconds / 1000 if milliseconds else longest
    form = Form(channels, max(1, round(length * RATE)))
    usual = float(np.quantile(seconds, 0.9))
    padded = () if has_texts else _padded(form, seconds, usual)
    named = [(str(item.path), header) for item, header in readable]
    unusual = [*padded, *_unusual(named, form, usual if has_texts else math.inf)]
    if has_texts:
        unusual += _too_short_for_texts(readable, form)
    rates, counts = Counter(h.rate for h in headers), Counter(h.channels for h in headers)
    forms = {
        "rates": {f"{rate:,} Hz": n for rate, n in rates.most_common()},
        "channels": {str(channel): n for channel, n in counts.most_common()},
    }
    return Common(SoundReader(form), forms, _rule(form, headers), tuple(unusual))


def _usual_length(seconds: Sequence[float]) -> float:
    return min(float(np.quantile(seconds, _WHOLE, method="higher")), _MOST)


def _rule(form: Form, headers: Sequence[Header]) -> str:
    words = [_how_cut(form.samples)]
    if {h.rate for h in headers} != {RATE}:
        words.append(f"resampled to {RATE:,} Hz")
    if {h.channels for h in headers} != {form.channels}:
        words.append("channels are averaged to one")
    return "; ".join([*words, _recordings()])


def _how_cut(samples: int) -> str:
    return f"{samples / RATE:.3g} s, shorter sounds are padded and longer ones are cut at the end"


def _of_length(source: Source, milliseconds: int | None) -> Source:
    """Sounds of arrays, cut or padded to that length if one is given."""
    samples = max(1, round((milliseconds or 0) / 1000 * RATE))
    if milliseconds is None or samples == source.parts["train"].inputs.shape[-1]:
        return source
    return converted(source, partial(of_length, samples=samples), _how_cut(samples))


def _recordings() -> str:
    """What recordings operators use; raises `OptionError` if they cannot be read."""
    return "; ".join(f"{what} from {of}" for what, of in described().items())


def _padded(form: Form, seconds: Sequence[float], usual: float) -> Iterator[str]:
    """Whether training sounds of these lengths, of which nine of ten are no longer than `usual`, are mostly padding."""
    length = form.samples / RATE
    filled = float(np.minimum(seconds, length).mean())
    if filled < _FILLED * length and usual < length:
        yield (
            f"sounds last {filled:.2g} s in the mean, and all are padded to {length:.3g} s, which makes training slow; "
            f"nine of ten fit in --size {math.ceil(10 * usual) * 100}"
        )


def _too_short_for_texts(readable: Sequence[tuple[Item, Header]], form: Form) -> Iterator[str]:
    """Whether the packaged network cannot spell some texts in their sounds, as one recording with another's text."""
    needed = frames_needed(encode_texts([item.label for item, _ in readable])).tolist()
    paths = [
        item.path
        for (item, header), frames in zip(readable, needed, strict=True)
        if frames > 1 + min(round(header.seconds * RATE), form.samples) // _STRETCH
    ]
    if paths:
        yield (
            f"{len(paths)} of {len(readable)} sounds are too short for the network ctcnet to tell their texts: each "
            f"character takes {1000 * _STRETCH // RATE} ms there, and two that are the same have as much between them; "
            f"the first: {paths[0]}"
        )


def _unusual(named: Sequence[tuple[str, Header]], form: Form, usual: float) -> Iterator[str]:
    """What is readable and hardly meant, each with the number of sounds and the name of the first. Nine of ten sounds
    with texts, which are not to be cut, are no longer than `usual` seconds.
    """
    length = form.samples / RATE
    common = Counter(header.rate for _, header in named).most_common(1)[0][0]
    kinds: dict[str, Callable[[Header], bool]] = {
        "silent: nothing can be heard in them": lambda h: h.peak == 0,
        f"under {1000 * _BRIEF:g} ms": lambda h: h.seconds < _BRIEF,
        "clipped: many values are at full scale": lambda h: h.is_clipped,
        f"longer than {length:.3g} s, and cut there (--size MILLISECONDS sets the length)": lambda h: (
            round(h.seconds * RATE) > form.samples
        ),
        f"over twice as long as nine of ten are: all are padded to {length:.3g} s for them, which makes training slow; "
        "leave them out, or split them": lambda h: min(length, h.seconds) > 2 * usual,
        f"longer than {MOST_SECONDS} s, and looked at as far as that": lambda h: h.seconds > MOST_SECONDS,
        f"not at the most frequent rate ({common:,} Hz); a model may learn the rate instead of the sound": lambda h: (
            h.rate != common
        ),
    }
    for words, is_so in kinds.items():
        names = [name for name, header in named if is_so(header)]
        if names:
            yield f"{len(names)} of {len(named)} sounds are {words}; the first: {names[0]}"


def _open_arrays(path: Path, memory_limit: int) -> Source:
    """Arrays ``[N, T]`` or ``[N, C, T]`` of int16 or of floats in [-1, 1], at the rate in the array ``rate``."""
    try:
        with zipfile.ZipFile(path) as archive:
            rate = float(read_array(archive, "rate").reshape(-1)[0])
    except KeyError:
        raise DataError(f"{path} has no array 'rate': add one with the samples per second") from None
    except (OSError, ValueError, IndexError, TypeError, zipfile.BadZipFile) as fault:
        raise DataError(f"{path}: its array 'rate' cannot be read as one number ({fault})") from None
    if not 1_000 <= rate <= 768_000:
        raise DataError(f"{path}: rate is {rate:g}; it must be the samples per second, from 1,000 to 768,000")
    source = open_npz(path, memory_limit, partial(_prepare, rate=rate), "sound")
    left_out = tuple(name for name in source.left_out if name != "array 'rate'")
    words = [] if rate == RATE else [f"resampled to {RATE:,} Hz"]
    source = replace(source, left_out=left_out, rule="; ".join([*words, _recordings()]))
    if source.parts["train"].inputs.shape[0] <= 2:
        return source
    return converted(source, _averaged, "channels are averaged to one")


def _averaged(sounds: np.ndarray) -> np.ndarray:
    """Sounds ``[n, C, T]`` as int16 ``[n, 1, T]``."""
    averaged: np.ndarray = sounds.mean(1, keepdims=True).round().astype(np.int16)
    return averaged


def _headers(source: Source) -> list[tuple[str, Header]]:
    """The sounds of arrays, each with its name and what is known about it. Zeros at the end are padding, unless there
    is nothing else.
    """
    named = []
    for part in source.parts.values():
        sounds = itertools.chain.from_iterable(in_blocks(part.inputs))
        for name, sound in zip(part.names, sounds, strict=True):
            size = np.abs(sound / 32768)
            heard = np.flatnonzero(size.any(0))
            own = size[:, : heard[-1] + 1] if len(heard) else size
            seconds = own.shape[1] / RATE
            named.append((name, Header(RATE, len(own), seconds, float(own.max()), is_clipped(own), False)))
    return named


def _prepare(array: np.ndarray, where: str, rate: float) -> Callable[[np.ndarray], np.ndarray]:
    """Check the array, and return a function that converts its rows to int16 ``[n, C, T]``."""
    if array.ndim not in (2, 3) or 0 in array.shape[1:] or (array.ndim == 3 and 2 < array.shape[1] > array.shape[2]):
        raise DataError(f"{where} must be [N, T] or [N, C, T], channels before samples, not {list(array.shape)}")
    if array.dtype.newbyteorder("=") != np.int16 and array.dtype.kind != "f":
        raise DataError(f"{where} must be int16, or floats in [-1, 1], not {array.dtype}")
    if array.dtype.kind == "f":
        _check_floats(array, where)
    return partial(_as_sounds, rate=rate)


def _check_floats(array: np.ndarray, where: str) -> None:
    """Raise `DataError`, which names the first sound, if values are NaN, infinite or not in [-1, 1]."""
    for row, sound in enumerate(array):
        peak = float(np.abs(sound).max())
        if not math.isfinite(peak):
            raise DataError(f"{where} has NaN or infinite values, first in sound {row}; remove or repair them")
        if peak > 1.001:
            raise DataError(f"{where} has values up to {peak:g}, first in sound {row}; scale all to [-1, 1]")


def _as_sounds(array: np.ndarray, rate: float) -> np.ndarray:
    sounds = array if array.ndim == 3 else array[:, None]
    if rate == RATE:
        return as_int16(sounds) if sounds.dtype.kind == "f" else np.ascontiguousarray(sounds, np.int16)
    values = sounds.astype(np.float32) / (1 if sounds.dtype.kind == "f" else 32768)
    return np.stack([as_int16(resampled(sound.T, rate)).T for sound in values])


def write(sample: np.ndarray, path: Path) -> None:
    """Write int16 ``[C, T]`` as a WAV file, without the zeros at its end."""
    sounding = np.flatnonzero(sample.any(0))
    end = int(sounding[-1]) + 1 if len(sounding) else sample.shape[1]
    with wave.open(str(path), "wb") as file:
        file.setparams((len(sample), 2, RATE, 0, "NONE", ""))
        file.writeframes(np.ascontiguousarray(sample[:, :end].T.astype("<i2")).tobytes())


def as_array(samples: np.ndarray) -> np.ndarray:
    """Samples as they are in an ``.npz`` file, ``[n, C, T]``; an array ``rate`` of 16,000 belongs to them."""
    return samples
