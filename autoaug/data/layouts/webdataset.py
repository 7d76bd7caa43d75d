"""WebDataset shards: tar files with members such as ``KEY.png`` and ``KEY.cls`` (a class, as a number or a name)."""

from __future__ import annotations

import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from autoaug.data.labels import label_text
from autoaug.data.layouts.encoded import Encoded, list_encoded, role_in
from autoaug.data.layouts.folder import is_tool_made
from autoaug.data.layouts.listing import Listing
from autoaug.data.layouts.parquet import shards
from autoaug.data.layouts.reading import reading
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
    before = ""
    with reading(shard, "a complete tar file"), tarfile.open(shard) as archive:
        for member in archive:
            if member.isdir():
                continue
            name = PurePosixPath(member.name)
            ending = name.suffix.lower()
            if is_tool_made(name.name):  # such as the ._ files of a Mac
                left_out["hidden member"] += 1
                continue
            kind = "sample" if ending in endings else ending
            file = archive.extractfile(member) if member.isfile() and kind in ("sample", *_LABELS) else None
            if file is None:
                left_out[ending or "member without a suffix"] += 1
                continue
            key = printable(str(name.with_suffix("")))
            if member.size > _MOST_BYTES:
                raise DataError(f"{shard}: {key}{ending} has {member.size} bytes, more than any sample")
            if key != before and _is_whole(waiting.get(before, {})):
                yield _encoded(shard, before, waiting.pop(before), left_out)
            waiting.setdefault(key, {})[kind] = file.read()
            before = key
    for key, members in waiting.items():
        if not _is_whole(members):
            lacks = "label (.cls)" if "sample" in members else "sample"
            raise DataError(f"{shard}: {key} has no {lacks}; add it, next to the other members of {key}")
        yield _encoded(shard, key, members, left_out)


def _is_whole(members: dict[str, bytes]) -> bool:
    return "sample" in members and len(members) > 1


def _encoded(shard: Path, key: str, members: dict[str, bytes], left_out: Counter[str]) -> Encoded:
    """The sample of these members. Captions and facts may be beside its class, and are left out."""
    chosen = next(kind for kind in _LABELS if kind in members)
    left_out.update(kind for kind in members if kind not in ("sample", chosen))
    return Encoded(
        members["sample"], _label(f"{shard}: the label of {key}", chosen, members[chosen]), role_in(shard.name)
    )


def _label(where: str, kind: str, given: bytes) -> str:
    try:
        text = given.decode().strip()
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
