"""Read pairs of texts: two parallel files, a folder of such files, TMX, gettext's catalogs, and tables with two
columns.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from autoaug.data.layouts.encoded import role_in
from autoaug.data.layouts.table import IDS, Columns, read_table, table_columns, table_files
from autoaug.data.source import ROLE_NAMES, Role
from autoaug.errors import DataError
from autoaug.modalities.translation.catalogs import catalog_files, read_catalogs
from autoaug.utils.files import read_text
from autoaug.utils.quantities import counted

#: Usual names of the columns, the most telling first, and of the column with targets translated back.
SOURCES, TARGETS, BACK = ("source", "src"), ("target", "tgt", "translation", "reference"), "back_translation"
#: The endings of parallel files that tell their sides; others are of languages.
_SIDES = ((".src", ".source"), (".tgt", ".target"))
_ENDING = re.compile(r"\.(src|tgt|source|target|[a-z]{2}(-[a-z]{2})?)", re.IGNORECASE)
_MOST_BYTES = 2**32
#: Where the source may have any language.
_ANY = "*all*"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
#: The elements of TMX whose content is not text but the code of a program.
_CODES = ("bpt", "ept", "it", "ph", "ut")


@dataclass(frozen=True)
class Pair:
    """A pair of texts with its name in messages and its role; `back` is another source for the target, if given, and
    `is_copy` marks what `autoaug expand` has made.
    """

    where: str
    source: str
    target: str
    role: Role = "train"
    group: str | None = None
    back: str = ""
    is_copy: bool = False


@dataclass(frozen=True)
class Corpus:
    """Pairs; see `autoaug.data.source.Source` for the rest."""

    name: str
    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


def recognizes(data: str) -> bool:
    """Whether these are two parallel files, a folder of such, a TMX file, gettext's catalogs, or a table with columns
    for both sides, or for one of them alone, which the reader refuses.
    """
    path = Path(data)
    if table_files(data):
        there = table_columns(data)
        columns = {name.lower() for name in _others(there, ())}
        both = not columns.isdisjoint(SOURCES) and not columns.isdisjoint(TARGETS)
        return both or (bool(columns) and columns <= {*SOURCES, *TARGETS}) or len(_in_record(there)) > 1
    if path.suffix.lower() == ".tmx" or _two_files(data) is not None:
        return True
    return bool(catalog_files(data)) or bool(path.is_dir() and _parallel(path))


def read_corpus(data: str) -> Corpus:
    """Read all pairs.

    Raises:
        DataError: there are no such data, the sides do not have as many lines, a column is missing, a file is no UTF-8.
    """
    path, both = Path(data), _two_files(data)
    if both is not None:
        return _corpus(data, _of_files(*both, "train"))
    if table_files(data) or data.startswith("hf:"):
        return _of_table(data)
    if path.suffix.lower() == ".tmx" and path.is_file():
        return _of_tmx(path)
    if catalogs := catalog_files(data):
        return _of_catalogs(data, catalogs)
    if path.is_dir() and (found := _parallel(path)):
        return _of_folder(path, found)
    raise DataError(
        f"{data}: there are no pairs of texts; give a table with the columns source and target, a .tmx, .po or .mo "
        "file, two files as FILE.en,FILE.es with a line for each pair, or a folder with train.en and train.es"
    )


def _corpus(name: str, pairs: Iterator[Pair], assumed: tuple[str, ...] = ()) -> Corpus:
    """The pairs that have both texts, and the others as unreadable."""
    whole, unreadable = [], []
    for pair in pairs:
        lacks = [side for side, text in (("source", pair.source), ("target", pair.target)) if not text.strip()]
        if lacks:
            unreadable.append(f"{pair.where}: there is no {lacks[0]}")
        else:
            whole.append(pair)
    if not any(pair.role == "train" for pair in whole):
        first = f"; the first: {unreadable[0]}" if unreadable else ""
        raise DataError(f"{name}: there is no training pair in {counted(len(whole) + len(unreadable), 'line')}{first}")
    return Corpus(name, tuple(whole), assumed=assumed, unreadable=tuple(unreadable))


def _two_files(data: str) -> tuple[Path, Path] | None:
    """The two files of ``SOURCE,TARGET``; None if that is no such name."""
    parts = data.split(",")
    for place in range(1, len(parts)):
        source, target = Path(",".join(parts[:place])), Path(",".join(parts[place:]))
        if source.is_file() and target.is_file():
            return source, target
    return None


def _of_files(source: Path, target: Path, role: Role) -> Iterator[Pair]:
    texts = [read_text(path, DataError, _MOST_BYTES).split("\n") for path in (source, target)]
    lines = [own[:-1] if own and not own[-1] else own for own in texts]
    if len(lines[0]) != len(lines[1]):
        raise DataError(
            f"{source} has {counted(len(lines[0]), 'line')} and {target} {len(lines[1])}; each line must have its "
            "translation at the same place in the other file"
        )
    for number, (own, other) in enumerate(zip(*lines, strict=True), 1):
        yield Pair(f"{source}, line {number}", own, other, role)


def _parallel(folder: Path) -> dict[str, list[Path]]:
    """The pairs of files in a folder that differ in their ending alone, by the rest of their name; empty unless they
    have two endings in all, which no other file has. Other files, such as a README.md, do not matter.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if _ENDING.fullmatch(path.suffix) and path.is_file():
            found[path.stem].append(path)
    pairs = {stem: paths for stem, paths in found.items() if len(paths) == 2}
    endings = {path.suffix for paths in pairs.values() for path in paths}
    others = {path.suffix for stem, paths in found.items() if stem not in pairs for path in paths}
    return pairs if len(endings) == 2 and not endings & others else {}


def _of_folder(folder: Path, found: dict[str, list[Path]]) -> Corpus:
    first, second = sorted({path.suffix for paths in found.values() for path in paths})
    is_told = first.lower() in _SIDES[0] and second.lower() in _SIDES[1]
    told = (
        f"{folder}: {first} is taken for the source and {second} for the target, by the alphabet; name them .src and "
        ".tgt if it is the other way round"
    )
    pairs = itertools.chain(*(_of_files(paths[0], paths[1], role_in(stem)) for stem, paths in found.items()))
    return _corpus(str(folder), pairs, () if is_told else (told,))


def _of_tmx(path: Path) -> Corpus:
    """The units of a Translation Memory eXchange file (LISA, 1.4b): the source has the language that its header names,
    or that of the first text. A language may have a region in some places only, such as ``en-US`` and ``en``.
    """
    text = read_text(path, DataError, _MOST_BYTES, utf_16=True)
    if "<!ENTITY" in text:
        raise DataError(f"{path} defines entities, which no TMX file needs; take them out")
    try:
        root = ElementTree.fromstring(re.sub(r"^<\?xml[^>]*\?>", "", text))  # noqa: S314 (entities are refused above)
    except ElementTree.ParseError as fault:
        raise DataError(f"{path} is not TMX ({fault})") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # some programs write a namespace
    header = root.find("header")
    language = (header.get("srclang") if header is not None else "") or ""
    return _corpus(str(path), _units(path, root, language.lower()))


def _units(path: Path, root: ElementTree.Element, language: str) -> Iterator[Pair]:
    other = ""
    for number, unit in enumerate(root.iter("tu"), 1):
        variants = [
            ((own.get(_LANGUAGE) or own.get("lang") or "").lower(), _text_of(segment))
            for own in unit.findall("tuv")
            if (segment := own.find("seg")) is not None
        ]
        where = f"{path}, unit {number}"
        if len(variants) > 2:
            raise DataError(f"{where} has {len(variants)} languages; keep the two to translate between")
        variants += [("", "")] * (2 - len(variants))
        if language in {"", _ANY}:
            language = variants[0][0]
        if _nearness(variants[0][0], language) < _nearness(variants[1][0], language):
            variants.reverse()
        other = other or variants[1][0]
        if variants[1][0] and not _nearness(variants[1][0], other):
            raise DataError(
                f"{where} is a translation into {variants[1][0]!r}, those before are into {other!r}; keep the two "
                "languages to translate between"
            )
        yield Pair(where, variants[0][1], variants[1][1])


def _nearness(one: str, other: str) -> int:
    """2 if both are the same language, 1 if they may differ in the region, else 0."""
    return 2 if one == other else int(one.split("-")[0] == other.split("-")[0])


def _text_of(segment: ElementTree.Element) -> str:
    """The text of a segment without the codes of programs in it, such as tags of HTML."""
    for code in [inner for inner in segment.iter() if inner.tag in _CODES]:
        code.text = None
        del code[:]
    return "".join(segment.itertext())


def _of_catalogs(data: str, files: Sequence[Path]) -> Corpus:
    messages, silent = read_catalogs(files)
    told = f"{silent[0]} does not tell its language; all files are taken for one" if len(files) > 1 and silent else ""
    pairs = (Pair(own.where, own.source, own.target, _role_of(own.catalog)) for own in messages)
    return _corpus(data, pairs, (told,) if told else ())


def _role_of(catalog: str) -> Role:
    """The role that is the whole name of a catalog, but for a language: dpkg-dev is a program."""
    return ROLE_NAMES.get(catalog.partition(".")[0].lower(), "train")


def _of_table(data: str) -> Corpus:
    source, target, assumed = _columns(data)
    table = read_table(data, Columns((source.lower(),), (target.lower(),), (BACK,)))
    pairs = [Pair(row.where, row.cell, row.label, row.role, row.group, row.beside, row.is_copy) for row in table.rows]
    return Corpus(table.name, tuple(pairs), table.left_out, assumed, table.unreadable)


def _columns(data: str) -> tuple[str, str, tuple[str, ...]]:
    """The columns of both sides: by their names, or else the first two, which is reported as assumed; those of a record
    ``translation``, if there is one.
    """
    there = table_columns(data)
    lower = {name.lower(): name for name in there}
    source, target = (next((lower[name] for name in own if name in lower), None) for own in (SOURCES, TARGETS))
    if source is not None and target is not None:
        return source, target, ()
    others = _in_record(there)
    if len(others) > 1:
        source = target = None
    else:
        others = _others(there, (source, target))
    if source is not None or target is not None or len(others) < 2:
        lacks = "of sources (source)" if source is None else "of translations (target)"
        raise DataError(f"{data}: there is no column {lacks}; it has {', '.join(there) or 'none of texts'}")
    told = (
        f"{data}: {others[0]!r} is taken for the source and {others[1]!r} for the target; rename them if it is not so"
    )
    return others[0], others[1], (told,)


def _in_record(names: Sequence[str]) -> list[str]:
    """The columns of a record ``translation`` with a text in each language, as the Hugging Face hub has it."""
    return [name for name in names if name.startswith("translation.")]


def _others(names: Sequence[str], taken: Sequence[str | None]) -> list[str]:
    others = {"split", "group", "copy", BACK, *IDS}
    return [name for name in names if name not in taken and name.lower() not in others]
