"""WebDataset shards: tar files with members such as ``KEY.png`` and ``KEY.cls`` (a class, as a number or a name)."""

from __future__ import annotations

import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from autoaug.data.layouts.encoded import Encoded, list_encoded, role_in
from autoaug.data.layouts.listing import Listing
from autoaug.data.layouts.parquet import shards
from autoaug.data.layouts.reading import reading
from autoaug.data.source import label_text
from autoaug.errors import DataError, printable

_LABELS = (".cls", ".txt", ".json")
#: A member may claim any size; no sample has more bytes than this.
_MOST_BYTES = 2**30


def list_webdataset(path: Path, endings: frozenset[str]) -> Listing:
    """Read one shard, or a folder of them whose names tell the split. Members with one of the `endings` are samples.

    Raises:
        DataError: a file is no such shard.
    """
    files, left_out = shards(path, ".tar") if path.is_dir() else [path], Counter[str]()
    samples = (sample for file in files for sample in _samples(file, endings, left_out))
    return list_encoded(str(path), samples, [file.name for file in files], left_out)


def is_webdataset_folder(path: Path) -> bool:
    """Whether a folder holds shards."""
    return bool(shards(path, ".tar"))


def _samples(shard: Path, endings: frozenset[str], left_out: Counter[str]) -> Iterator[Encoded]:
    waiting: dict[str, dict[str, bytes]] = {}
    with reading(shard, "a whole tar file"), tarfile.open(shard) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            ending = name.suffix.lower()
            kind = "sample" if ending in endings else ending
            if member.isdir():
                continue
            file = archive.extractfile(member) if member.isfile() and kind in ("sample", *_LABELS) else None
            if file is None:
                left_out[ending or "member without an ending"] += 1
                continue
            key = printable(str(name.with_suffix("")))
            if member.size > _MOST_BYTES:
                raise DataError(f"{shard}: {key}{ending} has {member.size} bytes, more than any sample")
            found = waiting.setdefault(key, {})
            found[kind] = file.read()
            if "sample" in found and len(found) > 1:
                yield Encoded(found["sample"], _label(f"{shard}: the label of {key}", found), role_in(shard.name))
                del waiting[key]
    if waiting:
        key = next(iter(waiting))
        raise DataError(f"{shard}: {key} has no {'label (.cls)' if 'sample' in waiting[key] else 'sample'} beside it")


def _label(where: str, found: dict[str, bytes]) -> str:
    kind = next(kind for kind in _LABELS if kind in found)
    try:
        text = found[kind].decode().strip()
        content = json.loads(text) if kind == ".json" else text
    except (ValueError, RecursionError) as fault:
        raise DataError(f"{where} cannot be read ({fault})") from None
    if isinstance(content, dict):
        content = content.get("label", content.get("cls", ""))
    if kind == ".cls" and re.fullmatch(r"-[0-9]+", text):
        content = int(text[:9])  # a number below 0, which is refused; int() takes only so many digits
    label = label_text(content, None, where)
    if not label.strip():
        raise DataError(f"{where} is empty")
    return label
