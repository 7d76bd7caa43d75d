"""Data sets of the ``datasets`` library: ``hf:NAME`` from the hub, ``hf:PATH`` from where it was saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autoaug.data.source import Source
from autoaug.data.sources.encoded import Encoded, open_encoded, role_in
from autoaug.data.sources.parquet import LABELS
from autoaug.errors import DataError


def open_huggingface(name: str, image_size: int | None) -> Source:
    """Read all splits; raises `DataError` where the library is missing, or the data cannot be had or used."""
    try:
        import datasets
    except ImportError:
        raise DataError(f"hf:{name} needs the package datasets: pip install 'autoaug[huggingface]'") from None
    try:
        found = datasets.load_from_disk(name) if Path(name).is_dir() else datasets.load_dataset(name)
    except Exception as fault:  # the library's many kinds: no network, no such name, another format
        raise DataError(f"hf:{name} cannot be had ({str(fault).strip().splitlines()[0]})") from None
    splits = found if isinstance(found, dict) else {"train": found}
    return open_encoded(f"hf:{name}", _samples(name, splits, datasets), image_size)


def _samples(name: str, splits: dict[str, Any], datasets: Any) -> Iterator[Encoded]:
    for split, rows in splits.items():
        image = next((k for k, v in rows.features.items() if isinstance(v, datasets.Image)), None)
        label = next((k for k in LABELS if k in rows.features), None)
        if image is None or label is None:
            lacks = "of images" if image is None else f"of labels ({', '.join(LABELS)})"
            raise DataError(f"hf:{name}: there is no column {lacks}; it has {', '.join(rows.features)}")
        names = getattr(rows.features[label], "names", None)
        for row in rows.cast_column(image, datasets.Image(decode=False)).select_columns([image, label]):
            content = row[image]["bytes"] or Path(row[image]["path"]).read_bytes()
            yield Encoded(content, str(names[row[label]] if names else row[label]), role_in(split))
