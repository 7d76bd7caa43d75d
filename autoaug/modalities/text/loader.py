"""Open data sets of texts."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.layouts import list_files, no_such_data
from autoaug.data.layouts.arrays import open_npz
from autoaug.data.layouts.folder import files_below
from autoaug.data.layouts.heads import columns_of
from autoaug.data.layouts.listing import Common, Item, labels_of, open_listing
from autoaug.data.layouts.reading import reading
from autoaug.data.layouts.table import Columns, Table, marked_copies, read_table, table_files
from autoaug.data.source import ROLE_NAMES, Part, Role, Source
from autoaug.errors import DataError, printable
from autoaug.modalities.base import AS_SUITS, Reading
from autoaug.modalities.text.languages import foreign
from autoaug.modalities.text.lexicon import described
from autoaug.modalities.text.protected import protected_words
from autoaug.modalities.text.scripts import mixed, script_of
from autoaug.modalities.text.segmentation import Chinese, Scripts
from autoaug.modalities.text.tokens import NUMBERS, PART, ROOM, WORD, as_rows, text_of, tokenized
from autoaug.utils.files import read_text
from autoaug.utils.npz import array_header, read_arrays

suffix = ".txt"
extra_arrays: Mapping[str, np.ndarray] = {}

_ENDINGS = frozenset({".txt"})
#: Usual names of the column of texts.
COLUMNS = (
    *("text", "sentence", "content", "review", "document", "body", "message", "comment", "tweet", "question"),
    *("description", "abstract", "utterance", "headline", "title", "文本", "内容", "评论", "句子"),
)
_LOOKED_AT = 200
#: Without a given length, this share of the training texts fit in whole with room for a fourth more, up to the most.
_WHOLE, _ROOM, _FEWEST, _MOST = 0.98, 1.25, 8, 128
#: A label is in its texts if so many of them name it, this many times as often as other texts do.
_NAMED, _TIMES = 0.5, 5
_FEW = 3
#: Tags of HTML, as their tokens stand in a row.
_TAGS = re.compile(rb"< (/ )?(p|br|b|i|a|em|strong|div|span|li|ul|td|tr|h[1-6])( /)? >", re.IGNORECASE)
#: What stands in place of what is no text.
_NO_TEXT = "�".encode()
#: The names of arrays of texts.
_SAMPLES = re.compile(r"(x|texts)(_(?P<split>[a-z]+))?|(?P<part>[a-z]+)_texts", re.IGNORECASE)

#: Cuts a text into tokens.
Cut = Callable[[str], list[bytes]]


def recognizes(data: str) -> bool:
    """Whether a table has a column with one of the usual names for texts, and none with paths of other samples; or
    most files in a folder end in ``.txt``; or an ``.npz`` has texts.
    """
    files = table_files(data)
    if files:
        columns = {name.lower() for name in columns_of(files[0])}
        return "path" not in columns and not columns.isdisjoint(COLUMNS)
    path = Path(data)
    if path.is_dir():
        files = list(islice(files_below(path), _LOOKED_AT))
        return 2 * sum(file.name.lower().endswith(suffix) for file in files) > len(files)
    if path.suffix.lower() != ".npz" or not path.is_file():
        return False
    return any(kind == "U" for kind in _kinds(path))


def _kinds(path: Path) -> Iterator[str]:
    """The kinds of type of the arrays of samples; only their headers are read."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if _role(name.removesuffix(".npy")) is not None:
                with archive.open(name) as file:
                    yield array_header(file)[1].kind


def _role(name: str) -> Role | None:
    """Whose samples an array of that name has, as `open_npz` knows it; None if it has others."""
    match = _SAMPLES.fullmatch(name)
    return None if match is None else ROLE_NAMES.get((match["split"] or match["part"] or "train").lower())


def open(data: str, memory_limit: int, reading: Reading = AS_SUITS) -> Source:  # noqa: A001 (the seam's name)
    """Open a table with a column of texts, a folder of ``.txt`` per class, or an ``.npz`` of texts.

    Args:
        data: a path, or ``hf:NAME``.
        memory_limit: not used: tokens are in memory.
        reading: the length of all texts, in words and signs (shorter ones are padded, and longer ones are cut), and
            the file of words that stay.

    Raises:
        DataError: the data do not exist, or break a rule of their format.
        OptionError: the file of words cannot be read.
    """
    if len(reading.lengths) > 1 or reading.how != "crop":
        raise DataError(f"{data}: texts have one length, and are cut or padded: --size WORDS, without --resize")
    size = reading.lengths[0] if reading.lengths else None
    return _opened(data, memory_limit, size, partial(tokenized, protected=protected_words(reading.protect)))


def _opened(data: str, memory_limit: int, size: int | None, cut: Cut) -> Source:
    if table_files(data) or data.startswith("hf:"):
        return _of_table(read_table(data, Columns(COLUMNS)), size, cut)
    if Path(data).suffix.lower() == ".npz" and Path(data).is_file():
        return _of_arrays(Path(data), memory_limit, size, cut)
    listing = list_files(data, _ENDINGS, "Value")
    if listing is None:
        raise no_such_data(data, ())
    return open_listing(listing, partial(read_tokens, cut=cut), partial(_agree, size=size, cut=cut))


def _of_table(table: Table, size: int | None, cut: Cut) -> Source:
    rows = table.rows
    split = [cut(row.cell) for row in rows]
    roles: list[Role] = [role for role in ("train", "validation", "test") if any(row.role == role for row in rows)]
    places = {role: [i for i, row in enumerate(rows) if row.role == role] for role in roles}
    length = size or length_for([split[i] for i in places["train"]])
    labels, classes = labels_of(table.kind, [[rows[i].label for i in places[role]] for role in roles], table.name)
    grouped = any(row.group is not None for row in rows)

    def part(role: Role, of_role: np.ndarray) -> Part:
        own = [rows[i] for i in places[role]]
        groups = np.array([row.group or row.where for row in own]) if grouped else None
        tokens = as_rows([split[i] for i in places[role]], length)
        names = tuple(printable(row.where) for row in own)
        return Part(MemoryInputs(tokens), of_role, groups, names, marked_copies(own))

    words = [row.label if table.kind == "classification" else "" for row in rows]
    texts, names = [row.cell for row in rows], [printable(row.where) for row in rows]
    return Source(
        name=table.name,
        classes=classes,
        parts={role: part(role, of_role) for role, of_role in zip(roles, labels, strict=True)},
        unreadable=tuple(printable(words) for words in table.unreadable),
        forms=_forms(texts, split),
        rule=_rule(length),
        left_out=table.left_out,
        assumed=table.assumed,
        unusual=(*_unusual(split, words, names, length), *mixed(texts, words, names)),
    )


def length_for(train: Sequence[Sequence[bytes]]) -> int:
    """The number of tokens of all texts, from the tokenized training texts."""
    whole = float(np.quantile([len(text) for text in train], _WHOLE, method="higher"))
    return int(min(max(np.ceil(whole * _ROOM), _FEWEST), _MOST))


def _forms(texts: Sequence[str], split: Sequence[Sequence[bytes]]) -> dict[str, dict[str, int]]:
    """The scripts of the texts, by most of their letters, and the bounds of their numbers of words and signs."""
    scripts = Counter(script_of(text) for text in texts)
    lengths = sorted(map(len, split))
    middle = f"{lengths[0]} to {lengths[-1]}, half of them up to {lengths[len(lengths) // 2]}"
    return {"scripts": dict(scripts.most_common()), "words and signs": {middle: len(lengths)}}


def _rule(length: int) -> str:
    return f"{length} words and signs, shorter texts are padded and longer ones are cut at the end; {described()}"


def _unusual(
    split: Sequence[Sequence[bytes]], labels: Sequence[str], names: Sequence[str], length: int
) -> Iterator[str]:
    """What is readable and hardly meant, each with the number of texts and the first of them."""
    words = [sum(unit[0] & (WORD | PART) == WORD for unit in text) for text in split]
    kinds: dict[str, list[bool]] = {
        "without a word": [not many for many in words],
        "of one word": [many == 1 for many in words],
        "damaged: they have � in place of what is no text, such as NUL": [_is_damaged(text) for text in split],
        "marked up with HTML, whose tags are words and signs to operators and models": list(map(_has_tags, split)),
        f"longer than {length} words and signs, and cut there (--size WORDS sets the length)": [
            len(text) > length for text in split
        ],
    }
    for what, are_so in kinds.items():
        found = [name for name, is_so in zip(names, are_so, strict=True) if is_so]
        if found:
            yield f"{len(found)} of {len(split)} texts are {what}; the first: {found[0]}"
    yield from _named_labels(split, labels)
    yield from foreign(split[:_LOOKED_AT])
    if Chinese.cut is None and any(_is_han(text) for text in split[:_LOOKED_AT]):
        yield "there is Chinese, which is cut into characters: pip install 'autoaug[text]' to find its words"


def _is_damaged(text: Sequence[bytes]) -> bool:
    return any(_NO_TEXT in unit for unit in text)


def _has_tags(text: Sequence[bytes]) -> bool:
    return _TAGS.search(b" ".join(unit[1:].rstrip(b"\0") for unit in text)) is not None


def _is_han(text: Sequence[bytes]) -> bool:
    return any(re.match(f"[{Scripts.han}]", unit[1:].rstrip(b"\0").decode(errors="replace")) for unit in text)


def _named_labels(split: Sequence[Sequence[bytes]], labels: Sequence[str]) -> Iterator[str]:
    """Labels that most of their texts name, and few others do."""
    words = [{unit[1:].lower() for unit in text} for text in split]
    for label in dict.fromkeys(labels):
        named = label.lower().encode()[:ROOM].ljust(ROOM, b"\0")
        has = [named in of_text for of_text in words]
        own = [h for h, other in zip(has, labels, strict=True) if other == label]
        others = [h for h, other in zip(has, labels, strict=True) if other != label]
        if len(own) >= _FEW and np.mean(own) > _NAMED and np.mean(own) > _TIMES * np.mean(others or [False]):
            yield f"{sum(own)} of {len(own)} texts of {label!r} have this word in them; a model may look for it alone"


@dataclass(frozen=True)
class TextReader:
    """Reads files as ``length`` tokens; see `autoaug.data.inputs.Reader`."""

    length: int
    cut: Cut

    @property
    def shape(self) -> tuple[int, ...]:
        return self.length, NUMBERS

    @property
    def dtype(self) -> np.dtype[np.int64]:
        return np.dtype(np.int64)

    def read(self, path: Path) -> np.ndarray:
        row: np.ndarray = as_rows([read_tokens(path, self.cut)], self.length)[0]
        return row

    def rewritten(self, path: Path) -> None:
        return None


def read_tokens(path: Path, cut: Cut) -> list[bytes]:
    """The tokens of a file; raises `DataError` if it is not UTF-8, or empty."""
    split = cut(read_text(path, DataError))
    if not split:
        raise DataError(f"{path} is empty")
    return split


def _agree(readable: Sequence[tuple[Item, list[bytes]]], size: int | None, cut: Cut) -> Common:
    length = size or length_for([split for item, split in readable if item.role == "train"])
    texts = [text_of(as_rows([split[:20]], 20)[0]) for _, split in readable]
    split = [split for _, split in readable]
    labels, names = [item.label for item, _ in readable], [str(item.path) for item, _ in readable]
    unusual = (*_unusual(split, labels, names, length), *mixed(texts, labels, names))
    return Common(TextReader(length, cut), _forms(texts, split), _rule(length), unusual)


def _of_arrays(path: Path, memory_limit: int, size: int | None, cut: Cut) -> Source:
    """Arrays ``[N]`` of text."""
    if size is None:
        with reading(path, "an .npz of plain arrays"):
            train = [array for name, array in read_arrays(path).items() if _role(name) == "train"]
            texts = [text for array in train if array.dtype.kind == "U" for text in array.ravel()[:5000]]
        size = length_for([cut(text) for text in texts] or [[]])
    return replace(open_npz(path, memory_limit, partial(_prepare, length=size, cut=cut), "text"), rule=_rule(size))


def _prepare(array: np.ndarray, where: str, length: int, cut: Cut) -> Callable[[np.ndarray], np.ndarray]:
    """Check the array, and return a function that converts its rows to tokens."""
    if array.ndim != 1 or array.dtype.kind != "U":
        raise DataError(f"{where} must be [N] of text, not {array.dtype} {list(array.shape)}")
    return lambda some: as_rows([cut(text) for text in some], length)


def write(sample: np.ndarray, path: Path) -> None:
    """Write tokens ``[L, 3]`` as a text file."""
    path.write_text(text_of(sample) + "\n", encoding="utf-8")


def as_array(samples: np.ndarray) -> np.ndarray:
    """Texts as they are in an ``.npz`` file, text ``[n]``."""
    return np.array([text_of(sample) for sample in samples], dtype=str)
