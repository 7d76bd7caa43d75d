"""Data sets of the ``datasets`` library: ``hf:NAME`` from the hub, or ``hf:PATH`` from a saved folder."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from autoaug.data.labels import label_text
from autoaug.data.layouts.encoded import Encoded, list_encoded, role_in
from autoaug.data.layouts.listing import OF_SAMPLES, Listing
from autoaug.data.layouts.parquet import LABELS
from autoaug.data.layouts.reading import reading
from autoaug.errors import DataError, first_line


def list_huggingface(name: str, feature: str) -> Listing:
    """List the samples of all splits. They are in the column of the library's class `feature`, which holds encoded
    files.

    Raises:
        DataError: the library is missing, or the data cannot be loaded or used.
    """
    splits, unlabeled = load_splits(name)
    import datasets

    unused: dict[str, None] = {}
    samples = _samples(name, splits, getattr(datasets, feature), unused)
    listing = list_encoded(f"hf:{name}", samples, list(splits), unused=unused)
    return replace(listing, left_out=(*listing.left_out, *unlabeled))


def load_splits(name: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The splits of a data set by their names, and in words those that are left out because they have no labels. Raises
    `DataError` if the library is missing, or the data cannot be loaded or have no labels at all.
    """
    try:
        import datasets
    except ImportError:
        raise DataError(f"hf:{name} needs the package datasets: pip install 'autoaug[huggingface]'") from None
    try:
        if Path(name).is_dir():
            loaded = datasets.load_from_disk(name)
        else:
            with _tried_once_without_a_network():
                loaded = datasets.load_dataset(name)
    except ConnectionError as fault:
        cure = "without a network, data that save_to_disk has written open as hf:FOLDER"
        raise DataError(f"hf:{name} cannot be loaded ({first_line(fault)}); {cure}") from None
    except Exception as fault:  # the library raises many types: no such name, another format
        raise DataError(f"hf:{name} cannot be loaded ({first_line(fault)})") from None
    splits = loaded if isinstance(loaded, dict) else {"train": loaded}
    labeled = {split: rows for split, rows in splits.items() if not _is_unlabeled(rows)}
    if splits and not labeled:
        raise DataError(f"hf:{name}: the label of every sample is -1, which stands for no label")
    return labeled, tuple(f"split {split!r}, which has no labels" for split in splits if split not in labeled)


def _is_unlabeled(rows: Any) -> bool:
    """Whether the labels are all -1 or missing, as those of test splits of competitions are."""
    label = next((name for name in LABELS if name in rows.features), None)
    if label is None or "int" not in str(getattr(rows.features[label], "dtype", "")):
        return False
    return len(rows) > 0 and {-1, None}.issuperset(rows.unique(label))


@contextmanager
def _tried_once_without_a_network() -> Iterator[None]:
    """Where the name of the hub cannot be looked up, its client is offline in the block, and finds only what it has
    kept: it would try six times, for half a minute or more, and tell of every try. Proxies look names up themselves.
    """
    from huggingface_hub import constants

    log = logging.getLogger("huggingface_hub")
    before = log.level, constants.HF_HUB_OFFLINE
    log.setLevel(logging.ERROR)
    try:
        if not getproxies():
            socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, None)
    except OSError:
        constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        log.setLevel(before[0])
        constants.HF_HUB_OFFLINE = before[1]


def _samples(name: str, splits: dict[str, Any], feature: Any, unused: dict[str, None]) -> Iterator[Encoded]:
    """The samples of all splits; the names of columns that are not used are added to `unused`."""
    for split, rows in splits.items():
        sample = next((k for k, v in rows.features.items() if isinstance(v, feature)), None)
        label = next((k for k in LABELS if k in rows.features), None)
        if sample is None or label is None:
            lacks = "of samples" if sample is None else f"of labels ({', '.join(LABELS)})"
            words = f"hf:{name}: there is no column {lacks}; it has {', '.join(rows.features)}"
            raise DataError(words + OF_SAMPLES if sample is None else words)
        unused |= dict.fromkeys(column for column in rows.features if column not in (sample, label))
        names = getattr(rows.features[label], "names", None)
        pairs = rows.cast_column(sample, feature(decode=False)).select_columns([sample, label])
        for row in _rows(f"hf:{name}", pairs):
            yield Encoded(
                encoded_content(name, row[sample]), label_text(row[label], names, f"hf:{name}"), role_in(split)
            )


def _rows(where: str, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    try:
        yield from rows
    except Exception as fault:  # the library raises many types, as above
        raise DataError(f"{where} cannot be read ({first_line(fault)})") from None


def encoded_content(name: str, cell: dict[str, Any] | None) -> bytes:
    """The file content of a sample, from the cell or from the path in it."""
    file = cell or {}
    if file.get("bytes") is not None:
        return bytes(file["bytes"])
    if not file.get("path"):
        raise DataError(f"hf:{name}: a row has no sample; remove it")
    path = Path(file["path"])
    with reading(path, "a file that can be read"):
        return path.read_bytes()
