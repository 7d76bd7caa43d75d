"""Files that are read with one clear error, and written whole or not at all; file names from any text."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autoaug.errors import AutoaugError, OptionError

#: A file's name takes at most 255 bytes on most file systems; this leaves room for a suffix and a temporary name.
_LONGEST_NAME = 200
#: ``/dev/stdout`` may lead to a file.
_DEVICES = Path("/dev")
_UNSAFE = frozenset('/\\:*?"<>|')


def regular_file(path: Path) -> Path:
    """The path itself; raises `OSError` where something stands there that may have no end, or none yet: a pipe, a
    device, a socket, a folder.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file")
    return path


def read_bytes(path: Path, error: type[AutoaugError], at_most: int | None = None) -> bytes:
    """What is in a regular file.

    Args:
        path: of the file.
        error: raised, with one line, where there is no such file, or it cannot be read, or is too large.
        at_most: bytes that the file may have; None for any number.
    """
    try:
        with regular_file(path).open("rb") as file:
            content = file.read(-1 if at_most is None else at_most + 1)
    except OSError as fault:
        raise error(f"{path} cannot be read: {fault.strerror}") from None
    if at_most is not None and len(content) > at_most:
        raise error(f"{path} has more than {at_most} bytes, the most that such a file may have")
    return content


def read_text(path: Path, error: type[AutoaugError], at_most: int | None = None) -> str:
    """The UTF-8 text of a regular file; raises `error` as `read_bytes` does, and where it is not UTF-8."""
    try:
        return read_bytes(path, error, at_most).decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise error(f"{path} is not UTF-8 text (byte {fault.start}); save it as UTF-8") from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a file that takes the place of `path` when the block ends, in a folder that is made. A block that
    fails leaves what was there before.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        yield unfinished
        unfinished.replace(path)
    except BaseException as fault:
        with suppress(OSError):
            unfinished.unlink()
        if isinstance(fault, OSError):
            fault.filename = fault.filename or str(path)  # a write that fails does not say where
        raise


def write_whole(path: Path, content: str | bytes, mode: int = 0o666) -> None:
    """Write a file so that a reader, or a crash, finds the old content or the new, never a part. Text is UTF-8. A link
    is replaced, not followed: somebody else's folder may hold one that leads out of it. What is no file stays, and is
    written into, such as a pipe or what lies in ``/dev``. A new file has the permissions `mode`, less the umask.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and (path.parent == _DEVICES or not path.is_file()):
        try:
            path.write_bytes(data)
        except OSError as fault:
            fault.filename = fault.filename or str(path)
            raise
        return
    with replacing(path) as unfinished:
        unfinished.touch(mode)
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def cache_folder() -> Path:
    """Where data sets and fitted generators are kept: the folder that ``AUTOAUG_DATA`` names, or ``~/.cache/autoaug``.
    Raises `OptionError` where neither is known.
    """
    try:
        return Path(os.environ.get("AUTOAUG_DATA") or Path.home() / ".cache" / "autoaug")
    except RuntimeError:  # a user whom the system does not know
        raise OptionError("this user has no home folder to keep data in: set AUTOAUG_DATA to a folder") from None


def check_writable(folder: Path) -> None:
    """Raise `OptionError` where nothing can be written to `folder` in the cache, which need not exist yet."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise OptionError(f"{folder} cannot be written to: set AUTOAUG_DATA to a folder that can")


def is_text(text: str) -> bool:
    """Whether a name can be written to a file: it is UTF-8, and has no NUL."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def safe_name(text: str) -> str:
    """A name for a file or folder made from any `text`, such as a label. Ordinary text stays as it is; characters that
    a file system or a shell could read otherwise become ``_``, and a digest of the text follows what had to be changed,
    so that two texts never share a name.

    >>> safe_name("golden retriever"), safe_name("../x")
    ('golden retriever', '_x-d6b96a97')
    """
    kept = "".join(c if c.isprintable() and c not in _UNSAFE else "_" for c in text).strip(". ") or "_"
    if kept == text and len(text.encode()) <= _LONGEST_NAME:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{kept.encode()[: _LONGEST_NAME - 9].decode(errors='ignore')}-{digest}"


def other_names(texts: Iterable[str]) -> dict[str, str]:
    """The safe names of those `texts` that are not safe themselves."""
    return {text: name for text in texts if (name := safe_name(text)) != text}
