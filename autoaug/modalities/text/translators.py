"""Translations of texts by programs or models of the user's: computed once per text, and kept.

A program reads one text per line and writes one line for each, such as ``apertium -u spa-eng``.
``transformers:FOLDER`` is a model on disk. Several joined by ``|`` work one after another.
"""

from __future__ import annotations

import hashlib
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from autoaug.data.texts import plain_text
from autoaug.errors import DataError
from autoaug.modalities.text import pretrained
from autoaug.modalities.text.kept import kept
from autoaug.utils.files import content_digest
from autoaug.utils.quantities import counted

#: The environment variable with the translator.
VARIABLE = "AUTOAUG_TRANSLATOR"
#: The texts that are translated at once have this time; a translator that takes longer hangs.
SECONDS = 120.0
_MODEL = "transformers:"
#: The bytes that a translator may write beyond 100 times what it is given; one that writes more does not end.
_LONGEST = 2**20
#: A translator that makes nothing of so many texts does not work; of fewer, it may not know the words.
_TELLING = 16
_INSTALL = "Debian has apertium with pairs such as apertium-eng-spa: apt-get install apertium apertium-eng-spa"


def translator() -> str | None:
    """The translator, if there is one."""
    return os.environ.get(VARIABLE) or None


def recorded() -> dict[str, str]:
    """The translator, for the record of a run, with a digest if there is one; see `digest_of`."""
    given = translator()
    return {"translator": given, "translator digest": digest_of(given)} if given else {"translator": "none"}


def rewritten(texts: Sequence[str], translators: str, seconds: float = SECONDS) -> list[str]:
    """What the `translators` make of each text, with one space for white space; empty where they make nothing.

    Raises:
        DataError: a program is not installed, fails, hangs, or does not write a line for each text, or anything; or
            there is no such model.
    """
    made = [plain_text(text) for text in texts]
    for one in map(str.strip, translators.split("|")):
        made = kept(f"{one} {digest_of(one)}", made, partial(_translated, one, seconds=seconds))
    return made


@cache
def digest_of(translators: str) -> str:
    """12 hex digits of the contents of what the translators consist of: model folders, programs, and files among their
    arguments. Those that cannot be read are left out. It is found once per process, since a program may write to such a
    file.
    """
    digests = []
    for one in map(str.strip, translators.split("|")):
        for path in _files_of(one):
            with suppress(DataError):
                digests.append(content_digest(path, DataError))
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:12]


def _files_of(one: str) -> list[Path]:
    """The folder of a model; or the program, where it is found, and its arguments, which may be files or folders."""
    if one.startswith(_MODEL):
        return [Path(one.removeprefix(_MODEL))]
    with suppress(ValueError):
        program, *arguments = shlex.split(one) or [""]
        return [Path(name) for name in (shutil.which(program), *arguments) if name]
    return []


def _translated(one: str, lines: Sequence[str], seconds: float) -> Sequence[str]:
    if one.startswith(_MODEL):
        made = pretrained.translated(one.removeprefix(_MODEL), lines)
    else:
        made = _run(one, lines, seconds)
    if len(lines) >= _TELLING and not any(made):
        raise DataError(f"{one!r} made nothing of {counted(len(lines), 'text')}: try it by hand on a line of text")
    return made


class _TooMuch(Exception):
    """A program writes more than any translation is long."""


def _run(program: str, lines: Sequence[str], seconds: float) -> list[str]:
    """The program's line for each of the lines."""
    try:
        status, written, said = _output(shlex.split(program), "\n".join(lines) + "\n", seconds)
    except (FileNotFoundError, PermissionError, IndexError):
        raise DataError(f"{VARIABLE}: there is no program {program!r}; {_INSTALL}") from None
    except OSError as fault:  # such as a script without a first line that names its interpreter
        raise DataError(f"{program!r} cannot be run: {fault.strerror}") from None
    except _TooMuch as fault:
        raise DataError(f"{program!r} wrote {fault} for {counted(len(lines), 'text')}, and was ended") from None
    except subprocess.TimeoutExpired:
        raise DataError(
            f"{program!r} took more than {seconds:g} s for {counted(len(lines), 'text')}, and was ended; try it by "
            "hand on a line of text, or name a faster one"
        ) from None
    except ValueError as fault:
        raise DataError(f"{program!r} is no command, or writes no UTF-8 ({fault})") from None
    made = written.removesuffix("\n").split("\n") if written else []
    if status:
        why = said.strip().splitlines()[-1:] or ["it does not say why"]
        raise DataError(f"{program!r} failed with status {status}: {why[0]}")
    if len(made) != len(lines):
        raise DataError(
            f"{program!r} must write a line for each text: of {counted(len(lines), 'text')} it made "
            f"{counted(len(made), 'line')}; try it by hand on two lines of text"
        )
    return [plain_text(line) for line in made]


def _output(command: Sequence[str], text: str, seconds: float) -> tuple[int, str, str]:
    """The status of a command that is given a text, what it writes, and what it says on stderr. If it takes too long
    or writes without end, what it has started is ended with it: ``apertium`` is a script.
    """
    pipe, until = subprocess.PIPE, time.monotonic() + seconds
    with tempfile.TemporaryFile() as given:
        most = _LONGEST + 100 * given.write(text.encode())
        given.seek(0)
        with subprocess.Popen(  # noqa: S603 (the user's own program, not through a shell)
            command, stdin=given, stdout=pipe, stderr=pipe, process_group=0
        ) as process:
            try:
                written, said = _read(process, most, until)
                status = process.wait(max(0.0, until - time.monotonic()))
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
    return status, written.decode(), said.decode(errors="replace")


def _read(process: subprocess.Popen[bytes], most: int, until: float) -> tuple[bytes, bytes]:
    """What a process writes to stdout and stderr until it closes them: at most so many bytes each, by that time."""
    parts: dict[int, bytearray] = {}
    with selectors.DefaultSelector() as selector:
        for stream in filter(None, (process.stdout, process.stderr)):
            selector.register(stream, selectors.EVENT_READ)
            parts[stream.fileno()] = bytearray()
        while selector.get_map():
            ready = selector.select(until - time.monotonic())
            if not ready or time.monotonic() > until:
                raise subprocess.TimeoutExpired(process.args, 0)
            for key, _ in ready:
                part = os.read(key.fd, 2**16)
                parts[key.fd] += part
                if not part:
                    selector.unregister(key.fileobj)
                if len(parts[key.fd]) > most:
                    raise _TooMuch(f"more than {most} bytes")
    written, said = parts.values()
    return bytes(written), bytes(said)
