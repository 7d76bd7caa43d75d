"""Parquet files with a column of encoded samples, as on the Hugging Face hub: one file, or a folder of shards whose
names begin with ``train``, ``validation`` or ``test``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autoaug.data.labels import label_text
from autoaug.data.layouts.encoded import Encoded, list_encoded, role_in
from autoaug.data.layouts.heads import decoded
from autoaug.data.layouts.listing import OF_SAMPLES, Listing
from autoaug.data.layouts.reading import reading
from autoaug.errors import DataError

LABELS = ("label", "labels", "class", "target", "fine_label")
_ROWS = 1000


def list_parquet(path: Path) -> Listing:
    """List the samples; raises `DataError` if pyarrow or a column of samples or labels is missing."""
    files = shards(path, ".parquet") if path.is_dir() else [path]
    unused: dict[str, None] = {}
    samples = (sample for file in files for sample in _samples(file, unused))
    return list_encoded(str(path), samples, [file.name for file in files], unused=unused)


def is_parquet_folder(path: Path) -> bool:
    """Whether a folder holds shards."""
    return bool(shards(path, ".parquet"))


def shards(folder: Path, ending: str) -> list[Path]:
    """The files with that suffix in the folder and in its ``data/`` subfolder, which the hub uses."""
    return sorted(
        path
        for place in (folder, folder / "data")
        for path in (place.iterdir() if place.is_dir() else ())
        if path.suffix.lower() == ending and not path.name.startswith(".") and not path.is_dir()
    )


def _samples(path: Path, unused: dict[str, None]) -> Iterator[Encoded]:
    """The samples of a file; the names of columns that are not used, such as another split, are added to `unused`."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise DataError(f"{path}: Parquet needs pyarrow: pip install 'autoaug[parquet]'") from None
    with reading(path, "a Parquet file"), ParquetFile(path) as file:
        schema = file.schema_arrow
        sample, label = _columns(path, schema, pyarrow)
        names = _class_names(path, schema.metadata, label)
        unused |= dict.fromkeys(name for name in schema.names if name not in (sample, label))
        is_checked = False
        for batch in file.iter_batches(_ROWS, columns=[sample, label]):
            for cell, value in zip(batch[sample].to_pylist(), batch[label].to_pylist(), strict=True):
                content = cell["bytes"] if isinstance(cell, dict) else cell
                if content is None or value is None:
                    raise DataError(f"{path}: a row has no {sample if content is None else label}; remove it")
                if not is_checked and isinstance(decoded(content), str):
                    raise DataError(
                        f"{path}: the column {sample!r} has texts where encoded samples should be{OF_SAMPLES}"
                    )
                is_checked = True
                yield Encoded(content, label_text(value, names, str(path)), role_in(path.name))


def _columns(path: Path, schema: Any, pyarrow: Any) -> tuple[str, str]:
    """The names of the sample column and the label column."""

    def is_encoded(kind: Any) -> bool:
        is_record = pyarrow.types.is_struct(kind) and "bytes" in [field.name for field in kind]
        return is_record or pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)

    sample = next((field.name for field in schema if is_encoded(field.type) and field.name not in LABELS), None)
    label = next((name for name in LABELS if name in schema.names), None)
    if sample is None or label is None:
        lacks = "of encoded samples (bytes)" if sample is None else f"of labels ({', '.join(LABELS)})"
        cure = OF_SAMPLES if sample is None else "; rename the column of labels to label"
        raise DataError(f"{path}: there is no column {lacks}; it has {', '.join(schema.names)}{cure}")
    return sample, label


def _class_names(path: Path, metadata: dict[bytes, bytes] | None, label: str) -> list[str] | None:
    """The class names in the metadata of the ``datasets`` library; None if there are none."""
    text = (metadata or {}).get(b"huggingface", b"{}")
    try:
        entry = json.loads(text)
        for key in ("info", "features", label):
            entry = entry.get(key, {})
        names = entry.get("names")
    except (ValueError, AttributeError, RecursionError):
        raise DataError(f"{path}: its metadata 'huggingface' is damaged ({text[:40]!r}); rewrite the file") from None
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise DataError(f"{path}: its metadata 'huggingface' names the classes {names!r}; they must be a list of text")
    return names or None
