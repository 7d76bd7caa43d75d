"""Which data are clips, and the clips of a folder or a manifest."""

from __future__ import annotations

import os
import re
import zipfile
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

from PIL import Image

from autoaug.data.layouts import list_files
from autoaug.data.layouts.folder import files_below
from autoaug.data.layouts.listing import Item, Listing
from autoaug.data.layouts.separated import first_rows
from autoaug.data.source import ROLE_NAMES
from autoaug.modalities.image.decoding import image_endings
from autoaug.modalities.video.decoding import ENDINGS, MAYBE_STILL, is_clip_file
from autoaug.utils.npz import array_header

#: So many files are looked at to recognize clips, and so many that may be still are opened.
_LOOKED_AT, _OPENED = 400, 5
#: This share of the folders below those of the classes has to look like a clip.
_SHARE = 0.9
#: The note on a folder that could also be one of images.
TAKEN = (
    "folders of numbered frames below the folders of the classes were taken for clips; if each of them is a sample of "
    "its own, say so with --modality image"
)


def recognizes(data: str) -> bool:
    """Whether most files of a folder, or most names in the first lines of a manifest, are those of video files, where a
    GIF or an APNG counts if it moves; or the images of a folder lie in folders of numbered frames; or a manifest lists
    folders; or an ``.npz`` has samples of five dimensions.
    """
    path = Path(data)
    suffix = path.suffix.lower()
    if path.is_dir():
        files = list(islice(files_below(path), _LOOKED_AT))
        clips = _clip_files(files)
        return 2 * len(clips) > len(files) or _are_frames(path, files, clips)
    if suffix in (".csv", ".tsv") and path.is_file():
        return _are_listed(path)
    # Reading a pipe would never end.
    return suffix == ".npz" and path.is_file() and zipfile.is_zipfile(path) and _dimensions(path) == 5


def _clip_files(files: list[Path]) -> set[Path]:
    """Those of the files that are clips. All GIFs and APNGs are if one of the first of them moves."""
    maybe = {path for path in files if path.suffix.lower() in MAYBE_STILL}
    moves = any(map(_moves, sorted(maybe)[:_OPENED]))
    return {path for path in files if is_clip_file(path) and (moves or path not in maybe)}


def _moves(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # damaged pictures, too, and bombs
        return False


def _are_frames(root: Path, files: list[Path], clips: set[Path]) -> bool:
    """Whether all images beside the clips lie at least one folder below those of the classes, where their names differ
    in a number alone in nearly all folders, and most folders have two or more.
    """
    images = [path for path in files if path not in clips and path.suffix.lower() in image_endings()]
    folders: dict[Path, list[str]] = {}
    for path in images:
        folders.setdefault(path.parent, []).append(path.stem)
    if len(files) == _LOOKED_AT and len(folders) > 1:
        folders.popitem()  # it may not be seen whole
    depths = {len(folder.relative_to(root).parts) for folder in folders}
    has_splits = any(path.relative_to(root).parts[0].lower() in ROLE_NAMES for path in images)
    if not folders or min(depths) < 2 + has_splits:
        return False
    numbered = [len({re.sub(r"\d+$", "", name) for name in names}) == 1 for names in folders.values()]
    several = [len(names) > 1 for names in folders.values()]
    return sum(numbered) >= _SHARE * len(folders) and 2 * sum(several) > len(folders)


def _are_listed(manifest: Path) -> bool:
    head, *rows = first_rows(manifest, 1 + _LOOKED_AT) or [[]]
    columns = [name.strip().lower() for name in head]
    names = [dict(zip(columns, row, strict=False)).get("path", "").strip() for row in rows]
    paths = [manifest.parent / name for name in names if name]
    clips = _clip_files(paths)
    return 2 * sum(path in clips or os.path.isdir(path) for path in paths) > len(paths)  # not `is_dir`: may be too long


def _dimensions(path: Path) -> int:
    """The dimensions of the first array of samples; 0 if there is none."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"(x|clips)(_train)?\.npy|train_clips\.npy", name, re.IGNORECASE):
                with archive.open(name) as file:
                    return len(array_header(file)[0])
    return 0


def list_clips(data: str) -> Listing | None:
    """The clips that a layout lists, see `list_files`: video files, and folders of frames in those of classes."""
    root = Path(data)
    if not root.is_dir():
        return list_files(data, ENDINGS, "Video")
    listing = list_files(data, ENDINGS | image_endings(), "Video")
    if listing is None:
        return None
    items, left_out = dict[Path, Item](), Counter[str]()
    for item in listing.items:
        if is_clip_file(item.path):
            items[item.path] = item
        elif _is_in_a_clip(item, root):
            items.setdefault(item.path.parent, replace(item, path=item.path.parent))
        else:
            left_out[item.path.suffix.lower()] += 1
    words = tuple(f"{count} x {suffix} that is in no folder of frames" for suffix, count in left_out.most_common())
    assumed = (TAKEN,) if any(not is_clip_file(path) for path in items) else ()
    return replace(
        listing, items=tuple(items.values()), left_out=listing.left_out + words, assumed=listing.assumed + assumed
    )


def _is_in_a_clip(item: Item, root: Path) -> bool:
    """Whether an image lies below a folder in that of its class."""
    parts = item.path.relative_to(root).parts
    of_class = 2 if len(parts) > 1 and parts[0] != item.label else 1
    return len(parts) > of_class + 1
