"""What the pages share: samples as data URIs, the files of pictures that a run keeps, and the templates."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from autoaug.errors import RunError, first_line, typed_line

#: Arrays that were called otherwise in files of older versions.
_RENAMED = {"images": "samples"}


class Picture(NamedTuple):
    """A sample as a data URI, with its caption."""

    uri: str
    caption: str


@cache
def environment(autoescape: bool = True) -> Environment:
    """The templates; what they are given is escaped, unless they are no HTML, and what they lack is an error."""
    loader = PackageLoader("autoaug.report")
    return Environment(loader=loader, autoescape=autoescape, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701


def read_pictures(path: Path, forms: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` of pictures.

    Args:
        path: of the file.
        forms: for each array what its dimensions are, a letter each, such as ``"nCHW"``: equal letters are equal sizes,
            and capitals at least 1. ``CHW`` are those of samples, in uint8. The arrays with a ``?`` before may lack
            together.

    Raises:
        RunError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {_RENAMED.get(name, name): name for name in file.files}
            has_all = all(name in stored for name in forms)
            found = {name: file[stored[name]] for name, form in forms.items() if has_all or form[0] != "?"}
        _check_forms(found, forms)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as fault:
        reason = first_line(fault)
    except (MemoryError, NotImplementedError, RuntimeError, TypeError, AttributeError) as fault:
        # A header that claims more than there is, an encrypted file, one that is no .npz.
        reason = typed_line(fault)
    else:
        return found
    raise RunError(f"{path} is damaged ({reason}); delete it, and the report is written without these pictures")


def _check_forms(found: Mapping[str, np.ndarray], forms: Mapping[str, str]) -> None:
    """Raise `ValueError` where an array is not of its form."""
    sizes: dict[str, int] = {}
    for name, array in found.items():
        form = forms[name].lstrip("?")
        if array.ndim != len(form):
            raise ValueError(f"{name} has {array.ndim} dimensions, not {len(form)}")
        if form.endswith("CHW") and array.dtype != np.uint8:
            raise ValueError(f"{name} is of {array.dtype}, not uint8")
        for letter, size in zip(form, array.shape, strict=True):
            if letter.isupper() and not size:
                raise ValueError(f"{name} is empty")
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"{name} has {size} entries where another array has {sizes[letter]}")
