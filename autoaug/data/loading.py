"""Open, audit and split data given by a path or name."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autoaug.data.audit import Audit, allowed, audit
from autoaug.data.layouts.folder import read_in_place_of
from autoaug.data.source import Source
from autoaug.data.splits import DataSet, split
from autoaug.errors import DataError, OptionError
from autoaug.modalities.base import AS_SUITS, Modality, Reading
from autoaug.modalities.registry import all_modalities, get_modality
from autoaug.utils.files import is_text

#: Files of another modality are told if there is one for so many samples.
_MANY = 5


def open_source(
    data: str | Path, memory_limit: int, reading: Reading = AS_SUITS, modality: str | None = None
) -> Source:
    """Open a data set with the modality of that name, or the one that recognizes it. The first modality takes what no
    other recognizes.

    Args:
        data: a path or a name.
        memory_limit: bytes; larger arrays are mapped from disk instead of loaded.
        reading: how samples are read. Arrays keep their size unless one is given.
        modality: the name of the modality; None for the one that recognizes the data.

    Raises:
        UnknownName: there is no such modality.
        DataError: the data do not exist, or break a rule of their format.
        OptionError: words are to be protected, and samples of the modality have none, or the file cannot be read; or
            samples are to be longer than those of the modality may be.
    """
    taken = recognize(data, modality)
    if reading.protect and not taken.has_words:
        raise OptionError(
            f"--protect {reading.protect}: samples of the modality {taken.name!r} have no words; leave it out"
        )
    if reading.lengths and max(reading.lengths) > taken.longest:
        size = "x".join(map(str, reading.lengths))
        raise OptionError(f"--size {size} must be at most {taken.longest} for {taken.name} data")
    try:
        source = taken.loader.open(read_in_place_of(str(data)), memory_limit, reading)
    except PermissionError as fault:  # a folder may not be listed
        raise DataError(f"{fault.filename} cannot be read: {fault.strerror}") from None
    doubts = () if modality else _doubts(source, taken)
    lacking = {**taken.lacking(), **source.lacking}
    return replace(source, modality=taken.name, lacking=lacking, assumed=(*source.assumed, *doubts))


def _doubts(source: Source, taken: Modality) -> tuple[str, ...]:
    """Whether the samples of another modality, which are left out, may be meant. Texts beside samples are captions."""
    count, doubts = sum(map(len, source.parts.values())), []
    for words in source.left_out:
        found = re.fullmatch(r"(\d+) x (\.\w+)", words)
        if found is None or _MANY * int(found[1]) < count:
            continue
        name = str(mimetypes.guess_type(f"a{found[2]}")[0]).partition("/")[0]
        other = all_modalities().get(name)
        if other not in (None, taken) and not other.has_words:
            doubts.append(
                f"{count} files were taken as samples for {taken.name} data, and {words} were not; if these are meant, "
                f"say so with --modality {name}"
            )
    return tuple(doubts)


def recognize(data: str | Path, modality: str | None = None) -> Modality:
    """The modality that opens `data`: that of the given name, or the one that recognizes it. Raises `DataError` if no
    file can have the name of the data, or they are an expansion that is not complete, and `UnknownName` if there is no
    such modality.
    """
    text = str(data)
    if not is_text(text):
        raise DataError(f"the path of the data, {text!r}, is not UTF-8 text; rename that file or folder")
    if modality is not None:
        return get_modality(modality)
    text = read_in_place_of(text)
    first, *others = all_modalities().values()
    return next((other for other in others if _is_of(other, text)), first)


def _is_of(modality: Modality, data: str) -> bool:
    """Whether the modality recognizes the data. What cannot be read, it does not: that is for the reader to refuse."""
    try:
        return modality.loader.recognizes(data)
    except Exception:  # damaged files raise errors of many kinds
        return False


def check_data(
    data: str,
    memory_limit: int,
    reading: Reading,
    allow: Sequence[str],
    seed: int,
    folds: int | None = None,
    modality: str | None = None,
) -> tuple[Audit, DataSet]:
    """Open, audit and split a data set; raises `DataError` for a finding that stops a search and is not allowed, and
    the errors of `split`.
    """
    source, audited = audited_source(data, memory_limit, reading, allow, modality)
    return audited, split(source, audited, seed, memory_limit, allowed(allow), folds)


def audited_source(
    data: str, memory_limit: int, reading: Reading, allow: Sequence[str], modality: str | None = None
) -> tuple[Source, Audit]:
    """Open and audit a data set; raises `DataError` for a finding that stops a search and is not allowed."""
    passing = allowed(allow)
    source = open_source(data, memory_limit, reading, modality)
    audited = audit(source)
    audited.stop(passing)
    return source, audited
