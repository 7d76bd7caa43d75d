"""Read files with clear errors, write them atomically, and make file names from any text."""

from __future__ import annotations

import errno
import hashlib
import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from autoaug.errors import AutoaugError, OptionError

#: A file's name takes at most 255 bytes on most file systems; this leaves room for a suffix and a temporary name.
_LONGEST_NAME = 200
#: ``/dev/stdout`` may be a link to a regular file.
_DEVICES = Path("/dev")
#: Of a large file, so many pieces of so many bytes tell what is in it.
_PIECES, _PIECE_BYTES = 64, 4096
_UNSAFE = frozenset('/\\:*?"<>|')


def regular_file(path: Path) -> Path:
    """The path itself; raises `OSError` if it exists but is not a regular file. Reading a pipe, a device or a socket
    may never end.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file")
    return path


def read_bytes(path: Path, error: type[AutoaugError], at_most: int | None = None) -> bytes:
    """Read a regular file.

    Args:
        path: the file.
        error: the type of error to raise, with a one-line message, if the file is missing, unreadable or too large.
        at_most: the most bytes that the file may have; None for no limit.
    """
    try:
        with regular_file(path).open("rb") as file:
            content = file.read(-1 if at_most is None else at_most + 1)
    except OSError as fault:
        raise error(f"{path} cannot be read: {fault.strerror}") from None
    if at_most is not None and len(content) > at_most:
        raise error(f"{path} has more than {at_most} bytes, the limit for such a file")
    return content


def read_text(path: Path, error: type[AutoaugError], at_most: int | None = None, utf_16: bool = False) -> str:
    """Read a regular file as UTF-8 text or, with `utf_16`, as UTF-16 if it begins with the mark of that; raises `error`
    as `read_bytes` does, and if it is neither.
    """
    content = read_bytes(path, error, at_most)
    is_wide = utf_16 and content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as fault:
        raise error(f"{path} is not UTF-8 text (byte {fault.start}); save it as UTF-8") from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to; the file there replaces `path` when the block ends. Missing folders are created. If the
    block fails, the old file is kept.
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
            fault.filename = fault.filename or str(path)  # the error of a failed write has no file name
        raise


def check_no_folder(path: Path) -> None:
    """Raise `IsADirectoryError` if a folder is where a file is to be written."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def write_atomically(path: Path, content: str | bytes, mode: int = 0o666) -> None:
    """Write a file atomically: a reader sees the old content or the new, never a part, even after a crash. Text is
    written as UTF-8. A symbolic link is replaced, not followed, because a folder from someone else may contain one that
    points outside. Pipes and anything in ``/dev`` are written to directly. A new file gets the permissions `mode`,
    minus the umask.
    """
    check_no_folder(path)
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


def content_digest(path: Path, error: type[AutoaugError]) -> str:
    """12 hex digits that tell what is in a file, or in the files of a folder (not below it): their names, their sizes,
    and the contents of files of up to 256 KiB. Of larger ones, pieces spread evenly over them are read, which is quick
    for weights of any size. Raises `error`, with a one-line message, if the file, the folder or a file in it cannot be
    read.
    """
    try:
        if not path.is_dir():
            return _digest_of(regular_file(path), path.stat().st_size, path.stat().st_mtime_ns)
        files = sorted(file for file in path.iterdir() if file.is_file())
    except OSError as fault:
        raise error(f"{path} cannot be read: {fault.strerror}") from None
    each = "".join(f"{file.name} {content_digest(file, error)}\n" for file in files)
    return hashlib.sha256(each.encode(errors="surrogateescape")).hexdigest()[:12]


@lru_cache(256)
def _digest_of(file: Path, size: int, _changed: int) -> str:
    """The digest of a file of that size, which changed at that time."""
    digest = hashlib.sha256(str(size).encode())
    step = max(_PIECE_BYTES, size // _PIECES)
    with file.open("rb") as content:
        for start in range(0, size, step):
            content.seek(start)
            digest.update(content.read(_PIECE_BYTES))
    return digest.hexdigest()[:12]


def cache_folder() -> Path:
    """The folder for data sets and fitted generators: the one named by ``AUTOAUG_DATA``, or ``~/.cache/autoaug``.
    Raises `OptionError` if neither can be determined.
    """
    try:
        return Path(os.environ.get("AUTOAUG_DATA") or Path.home() / ".cache" / "autoaug")
    except RuntimeError:  # the system has no entry for this user
        raise OptionError("this user has no home folder to keep data in: set AUTOAUG_DATA to a folder") from None


def check_writable(folder: Path) -> None:
    """Raise `OptionError` if the cache folder `folder`, which need not exist yet, cannot be written to."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise OptionError(f"{folder} cannot be written to: set AUTOAUG_DATA to a folder that can")


def is_text(text: str) -> bool:
    """Whether a name can be written to a file: it can be encoded as UTF-8 and has no NUL."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def safe_name(text: str) -> str:
    """A file or folder name made from any `text`, such as a label. Ordinary text is kept. Characters that are special
    to a file system or a shell become ``_``, and a digest of the text is appended to changed names, so that two texts
    never share a name.

    >>> safe_name("golden retriever"), safe_name("../x")
    ('golden retriever', '_x-d6b96a97')
    """
    kept = "".join(c if c.isprintable() and c not in _UNSAFE else "_" for c in text).strip(". ") or "_"
    if kept == text and len(text.encode()) <= _LONGEST_NAME:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{kept.encode()[: _LONGEST_NAME - 9].decode(errors='ignore')}-{digest}"


def other_names(texts: Iterable[str]) -> dict[str, str]:
    """The safe names of those `texts` that are not safe names themselves."""
    return {text: name for text in texts if (name := safe_name(text)) != text}
