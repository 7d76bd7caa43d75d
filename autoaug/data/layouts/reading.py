"""How damaged files are met, whatever their format: with one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoaug.errors import DataError, first_line
from autoaug.utils.files import regular_file

#: More bytes than deflate, the codec of .npz and .gz, can pack into one (its limit is 1,032).
MOST_PACKED = 1100


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn every error of a block that reads `path` into a `DataError` that names it, and `what` it should be.

    The libraries that read archives, arrays and tables let any error of their parsers pass.
    """
    try:
        regular_file(path)
        yield
    except DataError:
        raise
    except Exception as fault:
        raise DataError(f"{path}: not {what} ({first_line(fault)})") from None
