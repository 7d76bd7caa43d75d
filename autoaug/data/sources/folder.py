"""ImageFolder layout: ``class/image``, or ``train/class/image`` with ``val/`` and ``test/`` beside it. In a folder that
`autoaug expand` made, an image and its copies are a group.
"""

from __future__ import annotations

from pathlib import Path

from autoaug.data.source import ROLE_NAMES, Role, Source
from autoaug.data.sources.files import Item, open_files
from autoaug.errors import DataError
from autoaug.modalities.image.decoding import EXTENSIONS

#: What a folder has that `autoaug expand` made, and what stands between an image's number and its copy's.
EXPANSION, COPY = "expansion.json", "-copy"


def open_folder(root: Path, image_size: int | None) -> Source:
    """Read the layout below `root`; raises `DataError` where there is none."""
    folders = _subfolders(root)
    roles = {ROLE_NAMES[f.name.lower()]: f for f in folders if f.name.lower() in ROLE_NAMES}
    is_expanded = (root / EXPANSION).is_file()
    if "train" in roles:
        items = [item for role, folder in roles.items() for item in _items(folder, role, is_expanded)]
    else:
        items = _items(root, "train", is_expanded)
    if not items:
        what = "is empty" if not any(root.iterdir()) else "has no images in folders named after their class"
        raise DataError(f"{root}: the folder {what}; expected CLASS/IMAGE or train/CLASS/IMAGE")
    return open_files(str(root), items, image_size)


def _subfolders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _items(root: Path, role: Role, is_expanded: bool) -> list[Item]:
    return [
        Item(path, folder.name, role, f"{role} {path.stem.partition(COPY)[0]}" if is_expanded else None)
        for folder in _subfolders(root)
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in EXTENSIONS and path.is_file() and not path.name.startswith(".")
    ]
