"""Layouts of data on disk, for all modalities, one per file. `list_files` chooses the one that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from autoaug.data.layouts.folder import list_folder
from autoaug.data.layouts.huggingface import list_huggingface
from autoaug.data.layouts.listing import OF_SAMPLES, Listing
from autoaug.data.layouts.manifest import list_manifest
from autoaug.data.layouts.parquet import is_parquet_folder, list_parquet
from autoaug.data.layouts.table import ENDINGS, table_rows
from autoaug.data.layouts.webdataset import is_webdataset_folder, list_webdataset
from autoaug.errors import DataError, UnknownName

#: The endings of files that hold data sets.
_FILES = ".npz, .csv, .tsv, .jsonl, .ndjson, .parquet, .tmx or .tar"


def list_files(data: str, endings: frozenset[str], feature: str) -> Listing | None:
    """List the samples in a folder per class, a CSV or TSV manifest, Parquet or WebDataset shards (a file or a
    folder), or ``hf:NAME``; None if `data` is none of these.

    Args:
        data: a path or a name.
        endings: the suffixes of sample files, such as ``.png``, in lower case.
        feature: the class of the ``datasets`` library whose columns are samples.

    Raises:
        DataError: the data break a rule of their layout.
    """
    path, ending = Path(data), Path(data).suffix.lower()
    if data.startswith("hf:"):
        return list_huggingface(data.removeprefix("hf:"), feature)
    if path.is_dir():
        if is_webdataset_folder(path):
            return list_webdataset(path, endings)
        return list_parquet(path) if is_parquet_folder(path) else list_folder(path, endings)
    if ending == ".tar" and path.is_file():
        return list_webdataset(path, endings)
    readers: dict[str, Callable[[Path], Listing]] = {
        ".parquet": list_parquet,
        ".csv": list_manifest,
        ".tsv": list_manifest,
    }
    return readers[ending](path) if ending in readers and path.is_file() else None


def no_such_data(data: str, names: Iterable[str]) -> DataError:
    """The error for data that have no known layout and none of the known `names`."""
    path = Path(data)
    if path.is_file():
        if path.suffix.lower() in ENDINGS:
            if next(table_rows(path), None) is None:  # a damaged file is named here
                return DataError(f"{data}: there are no rows in it")
            return DataError(f"{data}: it is not known what the samples are{OF_SAMPLES}")
        given = path.suffix or "without a suffix"
        return DataError(f"{data}: a file must be {_FILES}, not {given}")
    if path.exists():
        return DataError(f"{data}: neither a folder nor a regular file")
    if path.suffix or "/" in data:
        return DataError(f"{data}: no such file or folder")
    return DataError(f"{UnknownName('data set', data, names)}, or give the path of a folder or a file")
