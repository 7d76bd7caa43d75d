"""One-line errors for damaged files of any format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoaug.errors import DataError, first_line
from autoaug.utils.files import regular_file


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn every error in a block that reads `path` into a `DataError` that names the path and `what` it should be, or
    why it cannot be read.

    Libraries that read archives, arrays and tables do not catch the errors of their parsers.
    """
    try:
        with regular_file(path).open("rb"):
            pass
    except OSError as fault:  # one that may not be read is not damaged
        raise DataError(f"{path} cannot be read: {fault.strerror}") from None
    try:
        yield
    except DataError:
        raise
    except Exception as fault:
        raise DataError(f"{path}: not {what} ({first_line(fault)})") from None
