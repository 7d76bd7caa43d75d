"""One file a format; `open_source` picks the one that fits what the user named."""

from __future__ import annotations

from pathlib import Path

from autoaug.data.source import Source
from autoaug.data.sources import arrays, builtin, folder, huggingface, idx, manifest, parquet, webdataset
from autoaug.errors import DataError, UnknownName
from autoaug.utils.files import is_text


def open_source(data: str | Path, memory_limit: int, size: int | None = None) -> Source:
    """Open a data set: a folder of samples by class, a folder of IDX files, an ``.npz``, a CSV manifest, Parquet
    or WebDataset shards (a file or a folder), ``digits``, ``torchvision:NAME`` or ``hf:NAME``.

    Args:
        data: a path or a name.
        memory_limit: bytes; arrays above it are mapped from disk instead of loaded.
        image_size: side in pixels to which samples in files are brought; None keeps or chooses one
            (`autoaug.modalities.image.decoding.common_shape`). Arrays keep their size, and take none.

    Raises:
        DataError: there is no such data, or it breaks a rule of its format.
    """
    text, path = str(data), Path(data)
    if not is_text(text):
        raise DataError(f"the path of the data, {text!r}, is not UTF-8 text; rename that file or folder")
    if text.startswith("torchvision:"):
        _keep_size(text, size)
        return builtin.open_torchvision(text.removeprefix("torchvision:"))
    if text.startswith("hf:"):
        return huggingface.open_huggingface(text.removeprefix("hf:"), size)
    if path.is_dir():
        return _open_folder(path, memory_limit, size)
    ending = path.suffix.lower()
    if ending in _SHARDS and path.is_file():
        return _SHARDS[ending](path, size)
    if ending == ".npz" and path.is_file():
        _keep_size(text, size)
        return arrays.open_npz(path, memory_limit)
    if ending == ".csv" and path.is_file():
        return manifest.open_manifest(path, size)
    if text in builtin.BUILTIN:
        _keep_size(text, size)
        return builtin.BUILTIN[text]()
    if path.is_file():
        raise DataError(
            f"{text}: a file must be .npz, .csv, .parquet or .tar, not {path.suffix or 'without an ending'}"
        )
    if path.exists():
        raise DataError(f"{text}: neither a folder nor a regular file")
    if path.suffix or "/" in text:
        raise DataError(f"{text}: no such file or folder")
    try:
        raise UnknownName("data set", text, builtin.BUILTIN)
    except UnknownName as error:
        raise DataError(f"{error}, or give the path of a folder or a file") from None


_SHARDS = {".parquet": parquet.open_parquet, ".tar": webdataset.open_webdataset}


def _keep_size(text: str, size: int | None) -> None:
    """Raise `DataError` where arrays, which have one size, are to get another."""
    if size is not None:
        raise DataError(
            f"{text} holds arrays of one size, which --sample-size {size} does not change: leave it out, or "
            "resize them before"
        )


def _open_folder(path: Path, memory_limit: int, size: int | None) -> Source:
    if idx.is_idx_folder(path):
        _keep_size(str(path), size)
        return idx.open_idx(path, memory_limit)
    if webdataset.is_webdataset_folder(path):
        return webdataset.open_webdataset(path, size)
    if parquet.is_parquet_folder(path):
        return parquet.open_parquet(path, size)
    return folder.open_folder(path, size)
