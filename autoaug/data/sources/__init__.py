"""One file a format; `open_source` picks the one that fits what the user named."""

from __future__ import annotations

from pathlib import Path

from autoaug.data.source import Source
from autoaug.data.sources import arrays, builtin, folder, idx, manifest
from autoaug.errors import DataError, UnknownName


def open_source(data: str | Path, memory_limit: int, image_size: int | None = None) -> Source:
    """Open a data set: a folder of images by class, a folder of IDX files, an ``.npz``, a CSV manifest, ``digits``,
    or ``torchvision:NAME``.

    Args:
        data: a path or a name.
        memory_limit: bytes; arrays above it are mapped from disk instead of loaded.
        image_size: side in pixels to which images in files are brought; None keeps or chooses one
            (`autoaug.modalities.image.decoding.common_shape`).

    Raises:
        DataError: there is no such data, or it breaks a rule of its format.
    """
    text, path = str(data), Path(data)
    if text.startswith("torchvision:"):
        return builtin.open_torchvision(text.removeprefix("torchvision:"))
    if path.is_dir():
        return idx.open_idx(path, memory_limit) if idx.is_idx_folder(path) else folder.open_folder(path, image_size)
    if path.suffix == ".npz" and path.is_file():
        return arrays.open_npz(path, memory_limit)
    if path.suffix == ".csv" and path.is_file():
        return manifest.open_manifest(path, image_size)
    if text in builtin.BUILTIN:
        return builtin.BUILTIN[text]()
    if path.is_file():
        raise DataError(f"{text}: a file must be .npz or .csv, not {path.suffix or 'without an ending'}")
    if path.suffix or "/" in text:
        raise DataError(f"{text}: no such file or folder")
    try:
        raise UnknownName("data set", text, builtin.BUILTIN)
    except UnknownName as error:
        raise DataError(f"{error}, or give the path of a folder, .npz or .csv") from None
