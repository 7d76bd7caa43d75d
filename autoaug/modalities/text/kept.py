"""What is made of texts by slow programs and models: computed once per text, and kept in the cache folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from autoaug.utils.files import cache_folder, write_whole

#: What makes a text of each text.
Make = Callable[[Sequence[str]], Sequence[str]]
#: So many texts are made at once, and then written.
AT_ONCE = 256
#: What this process has read or made, by file.
_known: dict[Path, dict[str, str]] = {}


def kept(maker: str, texts: Sequence[str], make: Make) -> list[str]:
    """What `make` makes of each of the texts; nothing of empty ones. It is kept under the name of the `maker`, so that
    it is made once per text.
    """
    path = cache_folder() / "texts" / f"{hashlib.sha256(maker.encode()).hexdigest()[:16]}.json"
    known = _known.setdefault(path, {})
    if any(text and text not in known for text in texts):
        known.update(_read(path))  # another process may have made it
    missing = [text for text in dict.fromkeys(texts) if text and text not in known]
    for start in range(0, len(missing), AT_ONCE):
        some = missing[start : start + AT_ONCE]
        known.update(zip(some, make(some), strict=True))
        write_whole(path, json.dumps(known, ensure_ascii=False))
    return [known.get(text, "") for text in texts]


def _read(path: Path) -> dict[str, str]:
    """The texts that are known; none if the file is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in content.items() if isinstance(value, str)} if isinstance(content, dict) else {}
