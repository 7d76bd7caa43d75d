"""Other forms of texts from a program of the user's, such as a translator: computed once per text, and kept.

The program reads one text per line and writes one line for each, such as ``apertium -u spa-eng``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from autoaug.data.texts import plain_text
from autoaug.errors import DataError
from autoaug.utils.files import cache_folder, write_whole

#: The environment variable with the program that translates targets back.
VARIABLE = "AUTOAUG_TRANSLATOR"
#: So many texts at once have this time; a translator that takes longer hangs.
_AT_ONCE, SECONDS = 256, 120.0
_INSTALL = "Debian has apertium with pairs such as apertium-eng-spa: apt-get install apertium apertium-eng-spa"


def back_translator() -> str | None:
    """The program that translates targets back, if there is one."""
    return os.environ.get(VARIABLE) or None


def rewritten(texts: Sequence[str], program: str, seconds: float = SECONDS) -> list[str]:
    """What the `program` makes of each text, with one space for white space; empty where it makes nothing. It is kept
    in the cache folder, so that a text is never rewritten twice.

    Raises:
        DataError: the program is not installed, fails, hangs, or does not write a line for each text, or anything.
    """
    path = cache_folder() / "texts" / f"{hashlib.sha256(program.encode()).hexdigest()[:16]}.json"
    known = _read(path)
    lines = [plain_text(text) for text in texts]
    missing = [line for line in dict.fromkeys(lines) if line and line not in known]
    for start in range(0, len(missing), _AT_ONCE):
        some = missing[start : start + _AT_ONCE]
        known |= dict(zip(some, _run(program, some, seconds), strict=True))
        write_whole(path, json.dumps(known, ensure_ascii=False))
    made = [known.get(line, "") for line in lines]
    if lines and not any(made):
        raise DataError(f"{program!r} made nothing of {len(lines)} texts: try it by hand on a line of text")
    return made


def _read(path: Path) -> dict[str, str]:
    """The texts that are known; none if the file is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in content.items() if isinstance(value, str)} if isinstance(content, dict) else {}


def _run(program: str, lines: Sequence[str], seconds: float) -> list[str]:
    """The program's line for each of the lines."""
    try:
        done = subprocess.run(  # noqa: S603 (the user's own program, not through a shell)
            shlex.split(program), input="\n".join(lines) + "\n", capture_output=True, timeout=seconds, encoding="utf-8"
        )
    except (FileNotFoundError, PermissionError, IndexError):
        raise DataError(f"{VARIABLE}={program}: there is no such program; {_INSTALL}") from None
    except subprocess.TimeoutExpired:
        raise DataError(f"{program!r} took more than {seconds:g} s for {len(lines)} texts, and was ended") from None
    except ValueError as fault:
        raise DataError(f"{program!r} is no command, or writes no UTF-8 ({fault})") from None
    made = done.stdout.split("\n")[: len(lines)]
    if done.returncode or len(made) < len(lines):
        said = done.stderr.strip().splitlines()[-1:] or [f"it wrote {len(made)} lines for {len(lines)}"]
        raise DataError(f"{program!r} failed with status {done.returncode}: {said[0]}")
    return [plain_text(line) for line in made]
