"""What a benchmark has measured: a JSON file that is written whole after each item, and never measured twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from autoaug.utils.files import write_whole
from benchmarks.provenance import provenance

#: Beside the items, the file has the records of all runs that added to it.
PROVENANCE = "provenance"


class Results:
    """The items in a file, none where there is no file yet. Whoever is stopped goes on with the next missing item.

    Args:
        path: of the file; its folder is made where it is missing.
        options: of the program, which are noted with what it adds.
        fixed: the names of those that must be the same for all that stands in one file.
        then: called after each writing, as to write a page of what there is.

    Attributes:
        items: all of them; a benchmark may nest them as it likes.
    """

    def __init__(
        self,
        path: Path,
        options: Mapping[str, Any],
        fixed: Collection[str] = (),
        then: Callable[[], object] = lambda: None,
    ) -> None:
        self.path, self._options, self._then = path, options, then
        self.items: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self._runs: list[dict[str, Any]] = self.items.pop(PROVENANCE, [])
        for name in fixed:
            self._check_same(name)

    def _check_same(self, name: str) -> None:
        for run in self._runs:
            noted, given, option = run["options"].get(name), self._options[name], name.replace("_", "-")
            if noted != given:
                cure = "name another file with --out"
                raise SystemExit(f"error: {self.path} was made with --{option} {noted}, not {given}; {cure}")

    def once(self, part: dict[str, Any], key: str, measure: Callable[[], Any]) -> bool:
        """Put what `measure` returns into a `part` of the items under `key`, and write the file; nothing happens where
        it is there. Returns whether it was missing.
        """
        if key in part:
            return False
        part[key] = measure()
        self.save()
        return True

    def save(self) -> None:
        """Write the file, with the record of this run."""
        run = json.loads(json.dumps(provenance(self._options)))
        if run not in self._runs:
            self._runs.append(run)
        write_whole(self.path, json.dumps({**self.items, PROVENANCE: self._runs}, indent=1) + "\n")
        self._then()
