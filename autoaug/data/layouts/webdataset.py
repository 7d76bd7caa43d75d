"""WebDataset shards: tar files with members such as ``KEY.png`` and ``KEY.cls`` (a class, as a number or a name)."""

from __future__ import annotations

import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from autoaug.data.layouts.encoded import Encoded, list_encoded, role_in
from autoaug.data.layouts.folder import is_tool_made
from autoaug.data.layouts.listing import Listing
from autoaug.data.layouts.parquet import shards
from autoaug.data.layouts.reading import reading
from autoaug.data.source import label_text
from autoaug.errors import DataError, printable

#: What may hold the label; of several, the first one does.
_LABELS = (".cls", ".txt", ".json")
#: The most bytes of a sample: the header of a member may claim any size.
_MOST_BYTES = 2**30


def list_webdataset(path: Path, endings: frozenset[str]) -> Listing:
    """List the samples of one shard, or of a folder of shards whose names contain the split. Members with one of the
    `endings` are samples.

    Raises:
        DataError: a file is not such a shard.
    """
    files, left_out = shards(path, ".tar") if path.is_dir() else [path], Counter[str]()
    samples = (sample for file in files for sample in _samples(file, endings, left_out))
    return list_encoded(str(path), samples, [file.name for file in files], left_out)


def is_webdataset_folder(path: Path) -> bool:
    """Whether a folder holds shards."""
    return bool(shards(path, ".tar"))


def _samples(shard: Path, endings: frozenset[str], left_out: Counter[str]) -> Iterator[Encoded]:
    waiting: dict[str, dict[str, bytes]] = {}
    with reading(shard, "a complete tar file"), tarfile.open(shard) as archive:
        chosen = _chosen_labels(shard, archive, endings)
        for member in archive:
            if member.isdir():
                continue
            key, ending = _key_and_ending(member)
            if is_tool_made(PurePosixPath(member.name).name):  # such as the ._ files of a Mac
                left_out["hidden member"] += 1
                continue
            kind = "sample" if ending in endings else ending
            file = archive.extractfile(member) if member.isfile() and kind in ("sample", chosen.get(key)) else None
            if file is None:
                left_out[ending or "member without a suffix"] += 1
                continue
            members = waiting.setdefault(key, {})
            members[kind] = file.read()
            if "sample" in members and len(members) > 1:
                yield Encoded(members["sample"], _label(f"{shard}: the label of {key}", members), role_in(shard.name))
                del waiting[key]
    if waiting:
        key = next(iter(waiting))
        raise DataError(f"{shard}: {key} has no {'label (.cls)' if 'sample' in waiting[key] else 'sample'}; add it")


def _key_and_ending(member: tarfile.TarInfo) -> tuple[str, str]:
    name = PurePosixPath(member.name)
    return printable(str(name).removesuffix(name.suffix)), name.suffix.lower()


def _chosen_labels(shard: Path, archive: tarfile.TarFile, endings: frozenset[str]) -> dict[str, str]:
    """The ending of the member that holds the label, by key: captions and facts may be beside a class. Raises
    `DataError` if a member that would be read is too large.
    """
    chosen: dict[str, str] = {}
    for member in archive:
        key, ending = _key_and_ending(member)
        if member.size > _MOST_BYTES and ending in endings.union(_LABELS):
            raise DataError(f"{shard}: {key}{ending} has {member.size} bytes, more than any sample")
        if member.isfile() and ending in _LABELS:
            chosen[key] = min(chosen.get(key, ending), ending, key=_LABELS.index)
    return chosen


def _label(where: str, members: dict[str, bytes]) -> str:
    kind = next(kind for kind in _LABELS if kind in members)
    try:
        text = members[kind].decode().strip()
        content = json.loads(text) if kind == ".json" else text
    except (ValueError, RecursionError) as fault:
        raise DataError(f"{where} cannot be read ({fault})") from None
    if isinstance(content, dict):
        content = content.get("label", content.get("cls", ""))
    if kind == ".cls" and re.fullmatch(r"-[0-9]+", text):
        content = int(text[:9])  # a negative number, which is refused; int() has a limit on digits
    label = label_text(content, None, where)
    if not label.strip():
        raise DataError(f"{where} is empty")
    return label
