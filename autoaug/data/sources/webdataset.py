"""WebDataset shards: tar files whose members are named ``KEY.jpg`` and ``KEY.cls`` (a class, as a number or a name)."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from autoaug.data.source import Source
from autoaug.data.sources.encoded import Encoded, open_encoded, role_in
from autoaug.errors import DataError
from autoaug.modalities.image.decoding import EXTENSIONS

_LABELS = (".cls", ".txt", ".json")


def open_webdataset(path: Path, image_size: int | None) -> Source:
    """Read one shard, or a folder of them whose names tell the split; raises `DataError` on what is no such shard."""
    shards = sorted(path.glob("*.tar")) if path.is_dir() else [path]
    return open_encoded(str(path), (sample for shard in shards for sample in _samples(shard)), image_size)


def is_webdataset_folder(path: Path) -> bool:
    """Whether a folder holds shards."""
    return any(path.glob("*.tar"))


def _samples(shard: Path) -> Iterator[Encoded]:
    waiting: dict[str, dict[str, bytes]] = {}
    try:
        with tarfile.open(shard) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                kind = "image" if name.suffix.lower() in EXTENSIONS else name.suffix.lower()
                file = archive.extractfile(member) if member.isfile() and kind in ("image", *_LABELS) else None
                if file is None:
                    continue
                found = waiting.setdefault(str(name.with_suffix("")), {})
                found[kind] = file.read()
                if "image" in found and len(found) > 1:
                    yield Encoded(found["image"], _label(shard, name, found), role_in(shard.name))
                    del waiting[str(name.with_suffix(""))]
    except tarfile.TarError as fault:
        raise DataError(f"{shard}: not a whole tar file ({fault})") from None
    if waiting:
        key = next(iter(waiting))
        raise DataError(f"{shard}: {key} has no {'label (.cls)' if 'image' in waiting[key] else 'image'} beside it")


def _label(shard: Path, name: PurePosixPath, found: dict[str, bytes]) -> str:
    kind = next(kind for kind in _LABELS if kind in found)
    try:
        text = found[kind].decode().strip()
        if kind == ".json":
            content = json.loads(text)
            text = str(content.get("label", content.get("cls", "")) if isinstance(content, dict) else content)
    except ValueError as fault:
        raise DataError(f"{shard}: the label of {name.with_suffix('')} cannot be read ({fault})") from None
    if not text:
        raise DataError(f"{shard}: the label of {name.with_suffix('')} is empty")
    return text
