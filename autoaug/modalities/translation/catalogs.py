"""Read the messages of programs and their translations: gettext's catalogs, ``.po`` or compiled as ``.mo``."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoaug.errors import DataError, typed_line
from autoaug.utils.files import read_bytes

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

_ENDINGS = (".po", ".mo")
_MOST_BYTES = 2**30


class Translated(NamedTuple):
    """A message and its translation; `where` names it, and `catalog` is the name of its file, without the ending."""

    where: str
    catalog: str
    source: str
    target: str


def catalog_files(data: str) -> list[Path]:
    """The catalogs: the path itself, or those in a folder, but no ``.mo`` beside its ``.po``; maybe none."""
    path = Path(data)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in _ENDINGS and file.is_file())
        return [file for file in files if file.suffix.lower() == ".po" or file.with_suffix(".po") not in files]
    return [path] if path.suffix.lower() in _ENDINGS and path.is_file() else []


def read_catalogs(files: Sequence[Path]) -> tuple[list[Translated], list[Path]]:
    """The messages that are translated for certain: neither untranslated nor marked as fuzzy. Of those with a plural,
    the first and the last form. And the files that do not tell their language.

    Raises:
        DataError: Babel is missing, a file is no catalog, or the files are of several languages.
    """
    messages: list[Translated] = []
    languages: dict[str, Path] = {}
    silent = []
    for file in files:
        catalog = _read(file)
        if catalog.locale_identifier:
            languages.setdefault(catalog.locale_identifier, file)
        else:
            silent.append(file)
        if len(languages) > 1:
            (one, first), (other, second) = languages.items()
            raise DataError(
                f"{first} is in the language {one} and {second} in {other}; translate into one at a time: give a file, "
                "or a folder with one language"
            )
        messages += _messages(file, catalog)
    return messages, silent


def _messages(file: Path, catalog: Catalog) -> Iterator[Translated]:
    for number, message in enumerate(catalog, 1):
        if not message.id or not message.string or message.fuzzy:
            continue
        where = f"{file}, {f'line {message.lineno}' if message.lineno else f'message {number}'}"
        for form, source, target in zip(("", ", plural"), _forms(message.id), _forms(message.string), strict=False):
            if target:
                yield Translated(where + form, file.stem, source, target)


def _forms(text: str | Sequence[str]) -> Sequence[str]:
    """A text as it is, or the first and the last form of one with a plural."""
    return [text] if isinstance(text, str) else [text[0], text[-1]]


def _read(file: Path) -> Catalog:
    try:
        from babel.messages.mofile import read_mo
        from babel.messages.pofile import read_po
    except ImportError:
        raise DataError(f"{file} is read by the package babel: pip install 'autoaug[text]'") from None
    content = io.BytesIO(read_bytes(file, DataError, _MOST_BYTES))
    try:
        return read_po(content, abort_invalid=True) if file.suffix.lower() == ".po" else read_mo(content)
    except Exception as fault:  # whatever damaged bytes lead to
        why = f"it is none, or its header is not filled in ({typed_line(fault)})"
        raise DataError(f"{file} cannot be read as a gettext catalog: {why}") from None
