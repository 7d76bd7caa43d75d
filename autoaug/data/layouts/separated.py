"""Text files with separated values: CSV and TSV."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from autoaug.errors import DataError
from autoaug.utils.files import read_text
from autoaug.utils.quantities import counted

#: The most characters in a value: a C long, which has 32 bits on Windows. The bytes of the file are limited anyway.
_LONGEST = 2**31 - 1
#: A value with quotation marks as programs write it that put values in quotes (RFC 4180).
_IN_QUOTES = re.compile(r'"(?:[^"]|"")*"')
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
#: The first line of a file that is not empty, which may have ends of lines in quotes; and the most bytes of it.
_HEAD = re.compile(rf'[\r\n]*((?:{_IN_QUOTES.pattern}|[^"\r\n])*)')
_HEAD_BYTES = 2**17


def separator_of(text: str, ending: str) -> str:
    """What separates the values of a file that begins with this text: a tab in a TSV, else a comma, or whatever of
    comma, semicolon and tab is in the head instead. Spreadsheets write semicolons where numbers have decimal commas.
    """
    head = _HEAD.match(text[:_HEAD_BYTES])
    usual, names = "\t" if ending.lower() == ".tsv" else ",", _IN_QUOTES.sub("", head[1] if head else "")
    return next((sign for sign in (usual, *_SEPARATORS) if sign in names), usual)


def first_rows(path: Path, at_most: int) -> list[list[str]]:
    """Up to `at_most` rows of a file that are not empty, the head first. Only its beginning is read, and damage is not
    noticed: this is for guesses about what is in it. Raises `OSError` if the file cannot be read.
    """
    with path.open("rb") as file:
        text = file.read(_HEAD_BYTES).decode("utf-8-sig", errors="replace")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text, path.suffix))
    return list(itertools.islice(filter(None, rows), at_most))


def separated_rows(path: Path, most_bytes: int) -> Iterator[tuple[str, list[str]]]:
    """The rows of a file that are not empty, each with its name in messages. The first one is the head, and the others
    have as many values. Raises `DataError` that names the invalid line.
    """
    kind = path.suffix[1:].upper()
    text = read_text(path, DataError, most_bytes)
    if "\0" in text:
        raise DataError(f"{path}: not a {kind} file (it has NUL bytes; remove them)")
    csv.field_size_limit(_LONGEST)
    separator = separator_of(text, path.suffix)
    is_plain = separator == "\t" and '"' in text and _is_plain(text)
    lines = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        quoting=csv.QUOTE_NONE if is_plain else csv.QUOTE_MINIMAL,
        strict=True,
    )
    count, begun = 0, 1
    try:
        for row in lines:
            begun = lines.line_num + 1
            if not row:
                continue
            where = f"{path}, line {lines.line_num}"
            if len(row) != (count := count or len(row)):
                raise DataError(
                    f"{where}: there {_values(len(row))} for {counted(count, 'column')}; put values with a "
                    f"{_SEPARATORS[separator]} in quotes, and leave none out"
                )
            yield where, row
    except csv.Error as fault:
        cure = "a value with quotes must be in quotes, with its own quotes doubled"
        if separator == "\t" and count:
            cure += "; or each line must have as many tabs as the first, and quotes are then text"
        raise DataError(f"{path}, line {begun}: not a {kind} file ({fault}); {cure}") from None


def _values(many: int) -> str:
    return "is 1 value" if many == 1 else f"are {many} values"


def _is_plain(text: str) -> bool:
    """Whether quotation marks in a TSV are parts of its values, as text/tab-separated-values has it: each line
    has as many values as the first, whose names have no such mark, and not all values with one are in quotes.
    """
    rows = [line.split("\t") for line in re.split(r"\r\n|\r|\n", text) if line]
    marked = (value for row in rows for value in row if '"' in value)
    is_table = len(set(map(len, rows))) == 1 and not any('"' in name for name in rows[0])
    return is_table and any(not _IN_QUOTES.fullmatch(value) for value in marked)
