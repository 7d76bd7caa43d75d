"""Parquet files with a column of encoded images, as the Hugging Face hub has them: one file, or a folder of shards
whose names begin with ``train``, ``validation`` or ``test``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autoaug.data.source import Source
from autoaug.data.sources.encoded import Encoded, open_encoded, role_in
from autoaug.errors import DataError

LABELS = ("label", "labels", "class", "target", "fine_label")
_ROWS = 1000


def open_parquet(path: Path, image_size: int | None) -> Source:
    """Read the images; raises `DataError` where pyarrow is missing or there is no column of images or of labels."""
    files = _shards(path) if path.is_dir() else [path]
    return open_encoded(str(path), (sample for file in files for sample in _samples(file)), image_size)


def is_parquet_folder(path: Path) -> bool:
    """Whether a folder holds shards."""
    return bool(_shards(path))


def _shards(folder: Path) -> list[Path]:
    """Those in the folder, or in its ``data/``, where the hub keeps them."""
    return sorted(folder.glob("*.parquet")) or sorted(folder.glob("data/*.parquet"))


def _samples(path: Path) -> Iterator[Encoded]:
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise DataError(f"{path}: Parquet needs pyarrow: pip install 'autoaug[parquet]'") from None
    try:
        with ParquetFile(path) as file:
            schema = file.schema_arrow
            image, label = _columns(path, schema, pyarrow)
            names = class_names(schema.metadata, label)
            for batch in file.iter_batches(_ROWS, columns=[image, label]):
                for cell, value in zip(batch[image].to_pylist(), batch[label].to_pylist(), strict=True):
                    content = cell["bytes"] if isinstance(cell, dict) else cell
                    if content is None or value is None:
                        raise DataError(f"{path}: a row has no {image if content is None else label}; remove it")
                    yield Encoded(content, str(names[value] if names else value), role_in(path.name))
    except pyarrow.ArrowException as fault:
        raise DataError(f"{path}: not a Parquet file ({str(fault).splitlines()[0]})") from None


def _columns(path: Path, schema: Any, pyarrow: Any) -> tuple[str, str]:
    """The names of the columns of images and labels."""

    def is_image(kind: Any) -> bool:
        is_record = pyarrow.types.is_struct(kind) and "bytes" in [field.name for field in kind]
        return is_record or pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)

    image = next((field.name for field in schema if is_image(field.type)), None)
    label = next((name for name in LABELS if name in schema.names), None)
    if image is None or label is None:
        lacks = "of encoded images (bytes)" if image is None else f"of labels ({', '.join(LABELS)})"
        raise DataError(f"{path}: there is no column {lacks}; it has {', '.join(schema.names)}")
    return image, label


def class_names(metadata: dict[bytes, bytes] | None, label: str) -> list[str] | None:
    """The classes that a schema of the ``datasets`` library names."""
    noted = json.loads((metadata or {}).get(b"huggingface", b"{}"))
    names = noted.get("info", {}).get("features", {}).get(label, {}).get("names")
    return list(names) if names else None
