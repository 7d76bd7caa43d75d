"""A folder per class: ``class/sample``, or ``train/class/sample`` with ``val/`` and ``test/`` next to ``train/``. In a
folder written by `autoaug expand`, a sample and its copies form a group.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, RootModel

from autoaug.data.layouts.heads import columns_of
from autoaug.data.layouts.listing import Item, Listing, format_left_out
from autoaug.data.source import ROLE_NAMES, Role
from autoaug.errors import DataError, printable
from autoaug.utils.json import read_record

#: The files in a folder written by `autoaug expand`, and the text between the numbers of a sample and its copy.
EXPANSION, MANIFEST, COPY = "expansion.json", "manifest.jsonl", "-copy"
#: The samples of an expansion that is no folder of classes, or the list of them.
EXPANDED, EXPANDED_ARRAYS = "data.csv", "data.npz"
#: Lists the classes whose names their folders cannot have, in a folder written by `autoaug generate sample`.
RENAMED = "renamed.json"
#: Files of archivers, file managers and notebooks, which are ignored like all names that begin with a dot.
_TOOL_MADE = frozenset({"__macosx", "__pycache__", "@eadir", "$recycle.bin", "thumbs.db", "desktop.ini", "lost+found"})
#: Words in the name of a folder that suggest a split.
_SPLIT_WORDS = frozenset(ROLE_NAMES) | {"eval", "evaluation", "holdout", "heldout", "trainset", "testset", "valset"}
_NAMES = "train, val and test"
#: Files by which a folder is known that ``save_to_disk`` of the package datasets has written.
_SAVED = ("dataset_dict.json", "state.json")


def list_folder(root: Path, endings: frozenset[str]) -> Listing:
    """Read the layout below `root`. Files with one of the `endings` are samples.

    Raises:
        DataError: the folder does not have this layout, or a subfolder is neither a class nor a split.
    """
    left_out = Counter[str]()
    folders = _subfolders(root, left_out)
    roles = _roles(root, folders, endings, left_out)
    parts: dict[Role, list[Path]] = {role: _subfolders(folder, left_out) for role, folder in roles.items()}
    parts = parts or {"train": folders}
    is_expanded = (root / EXPANSION).is_file()
    called = _class_names(root)
    items = [
        (_expanded if is_expanded else Item)(path, called.get(folder.name, folder.name), role)
        for role, classes in parts.items()
        for folder in classes
        for path in _samples(folder, root, endings, left_out)
    ]
    if not items:
        what = "is empty" if not any(root.iterdir()) else "has no samples in folders named after their class"
        loose = sum(count for kind, count in left_out.items() if kind in endings)
        cure = f"files outside of such folders: {loose}; a CSV with the columns path,label can tell their classes"
        if manifest := next(filter(_lists_samples, sorted(root.iterdir())), None):
            cure = f"{printable(manifest.name)} lists samples: give it in place of the folder"
        elif any((root / name).is_file() for name in _SAVED):
            cure = f"the package datasets has saved it: hf:{root} opens it"
        elif left_out and not loose:
            cure = f"there are {', '.join(format_left_out(left_out)[:3])}; of which kind samples are, --modality tells"
        words = f"{root}: the folder {what}; expected CLASS/SAMPLE or train/CLASS/SAMPLE"
        raise DataError(f"{words}; {cure}" if loose or left_out else words)
    names = frozenset(called.get(folder.name, folder.name) for classes in parts.values() for folder in classes)
    return Listing(str(root), tuple(items), names, format_left_out(left_out))


class _Expansion(BaseModel):
    """What is read of the facts of an expansion."""

    format: str = "folder"
    renamed: dict[str, str] = {}


class _Names(RootModel[dict[str, str]]):
    """The names of folders by those of their classes."""


def _class_names(root: Path) -> dict[str, str]:
    """The classes whose names their folders cannot have, by the names of these, as autoaug has noted them."""
    renamed: dict[str, str] = {}
    if (root / EXPANSION).is_file():
        renamed = read_record(root / EXPANSION, _Expansion, DataError).renamed
    elif (root / RENAMED).is_file():
        cure = "it should list the folders of classes by their names; move it away if autoaug did not write it"
        renamed = read_record(root / RENAMED, _Names, DataError, cure).root
    return {name: label for label, name in renamed.items()}


def _expanded(path: Path, label: str, role: Role) -> Item:
    """A sample of an expansion."""
    return Item(path, label, role, f"{role} {printable(path.stem.partition(COPY)[0])}", is_copy(path))


def read_in_place_of(data: str) -> str:
    """The file that is read in place of a folder written by `autoaug expand`: with the samples, or the list of them
    with their splits and groups. Other data are read as they are given.

    Raises:
        DataError: the expansion is not complete, or what tells its format is damaged.
    """
    if not os.path.isfile(Path(data, EXPANSION)):  # not `Path.is_file`: a name may be too long
        return data
    written_as = read_record(Path(data, EXPANSION), _Expansion, DataError).format
    if written_as == "folder":
        return data
    file = Path(data, EXPANDED_ARRAYS if written_as == "npz" else EXPANDED)
    if not file.is_file():
        raise DataError(f"{data}: this expansion is not complete; the command that began it continues it")
    return str(file)


def is_copy(path: Path) -> bool:
    """Whether a file of an expansion is an augmented copy."""
    return COPY in path.stem


def is_tool_made(name: str) -> bool:
    """Whether a file or folder is hidden or made by a tool, and so not data."""
    return name.startswith(".") or name.lower() in _TOOL_MADE


def _subfolders(root: Path, left_out: Counter[str]) -> list[Path]:
    """The subfolders that were not made by a tool; everything else is counted in `left_out`."""
    folders = []
    for path in sorted(root.iterdir()):
        if path.is_dir() and not is_tool_made(path.name):
            folders.append(path)
        elif _lists_samples(path):
            use = "it lists samples: to use its splits and groups, give it in place of the folder"
            left_out[f"{printable(path.name)} ({use})"] += 1
        elif path.name not in {EXPANSION, MANIFEST, RENAMED}:
            left_out[_in_words(path)] += 1
    return folders


def _lists_samples(path: Path) -> bool:
    """Whether a file looks like a manifest, whose splits and groups are not used."""
    if path.suffix.lower() not in {".csv", ".tsv"} or not path.is_file():
        return False
    with contextlib.suppress(OSError):
        return "path" in map(str.lower, columns_of(path))
    return False


def _roles(root: Path, folders: list[Path], endings: frozenset[str], left_out: Counter[str]) -> dict[Role, Path]:
    """The folder of each split; empty if the folders are classes."""
    splits: dict[Role, Path] = {}
    named = [folder for folder in folders if folder.name.lower() in ROLE_NAMES]
    if not any(ROLE_NAMES[folder.name.lower()] == "train" for folder in named):
        if folders and all(_looks_like_a_split(folder, endings) for folder in folders):
            raise DataError(
                f"{root}: {folders[0].name}/ has folders of samples, like a split, but there is no train/; name the "
                f"splits {_NAMES}, or put the samples of a class directly into its folder"
            )
        return {}
    for folder in named:
        role = ROLE_NAMES[folder.name.lower()]
        if role in splits:
            raise DataError(f"{root}: {splits[role].name}/ and {folder.name}/ are both the {role} split; keep one")
        splits[role] = folder
    for folder in folders:
        if folder not in named and _has_samples(folder, endings):
            raise DataError(
                f"{root}: {folder.name}/ is next to {splits['train'].name}/ and has samples, but is not a split; name "
                f"the splits {_NAMES}, or move it elsewhere"
            )
        if folder not in named:
            left_out["folder without samples"] += 1
    return splits


def _looks_like_a_split(folder: Path, endings: frozenset[str]) -> bool:
    words = re.split(r"[^a-z]+", folder.name.lower())
    return not _SPLIT_WORDS.isdisjoint(words) and any(
        _has_samples(below, endings) for below in _subfolders(folder, Counter())
    )


def _has_samples(folder: Path, endings: frozenset[str]) -> bool:
    return any(path.suffix.lower() in endings for path in _walk(folder, folder, Counter()))


def _samples(folder: Path, root: Path, endings: frozenset[str], left_out: Counter[str]) -> Iterator[Path]:
    for path in sorted(_walk(folder, root, left_out)):
        if path.suffix.lower() in endings:
            yield path
        else:
            left_out[_in_words(path)] += 1


def files_below(folder: Path) -> Iterator[Path]:
    """The files below a folder but hidden ones, in order, without following links to folders."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def _walk(folder: Path, root: Path, left_out: Counter[str]) -> Iterator[Path]:
    """All files below a folder, including those below links to folders. Each folder is entered once, `root` never."""
    entered = {_identity(root), _identity(folder)}
    for parent, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        folders.sort(key=lambda name: (Path(parent, name).is_symlink(), name))
        for name in list(folders):
            identity = _identity(Path(parent, name))
            if is_tool_made(name):
                left_out[_in_words(Path(parent, name))] += 1
            elif identity in entered:
                left_out["link to a folder that is already read"] += 1
            else:
                entered.add(identity)
                continue
            folders.remove(name)
        for name in files:
            if is_tool_made(name):
                left_out[_in_words(Path(parent, name))] += 1
            else:
                yield Path(parent, name)


def _refuse(fault: OSError) -> None:
    raise DataError(f"{fault.filename}: the folder cannot be listed ({fault.strerror})")


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _in_words(path: Path) -> str:
    """A word or two for a path that is left out."""
    if is_tool_made(path.name):
        return path.name
    return "folder" if path.is_dir() else path.suffix.lower() or "file without a suffix"
