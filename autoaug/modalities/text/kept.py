"""What is made of texts by slow programs and models: computed once per text, and kept in the cache folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from autoaug.utils.files import cache_folder

#: What makes a text of each text.
Make = Callable[[Sequence[str]], Sequence[str]]
#: The number of texts that are made before they are written.
AT_ONCE = 256
_PAIR: TypeAdapter[tuple[str, str]] = TypeAdapter(tuple[str, str])


@dataclass
class _Store:
    """The texts in a file of JSON lines, each with what is made of it. Several processes may add to it: each write is
    of whole lines, which begin with a line feed, so that one after a torn line is whole.

    Attributes:
        path: the file.
        known: what this process has read or made.
        read: how many bytes of the file it has read.
    """

    path: Path
    known: dict[str, str] = field(default_factory=dict)
    read: int = 0

    def update(self) -> None:
        """Read what was added since the last time. Damaged lines are skipped; the last one is read again the next time,
        since another process may be writing it.
        """
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            file.seek(self.read)
            added = file.read()
        lines, torn = added.split(b"\n"), 0
        for line in filter(None, lines):
            try:
                text, made = _PAIR.validate_json(line)
            except ValidationError:
                torn = len(line) if line is lines[-1] else 0
                continue
            self.known[text] = made
        self.read += len(added) - torn

    def add(self, made: dict[str, str]) -> None:
        """Add texts to the file, at once."""
        self.known.update(made)
        left = "".join(f"\n{json.dumps(pair, ensure_ascii=False)}" for pair in made.items()).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            while left:  # a full disk takes a part, and raises the next time
                left = left[file.write(left) :]


@cache
def _store(path: Path) -> _Store:
    return _Store(path)


def kept(maker: str, texts: Sequence[str], make: Make) -> list[str]:
    """What `make` makes of each of the texts; nothing of empty ones. It is kept under the name of the `maker`, so that
    it is made once per text: the name must tell all that the result depends on.
    """
    store = _store(cache_folder() / "texts" / f"{hashlib.sha256(maker.encode()).hexdigest()[:16]}.jsonl")
    if any(text and text not in store.known for text in texts):
        store.update()  # another process may have made it
    missing = [text for text in dict.fromkeys(texts) if text and text not in store.known]
    for start in range(0, len(missing), AT_ONCE):
        some = missing[start : start + AT_ONCE]
        store.add(dict(zip(some, make(some), strict=True)))
    return [store.known.get(text, "") for text in texts]
