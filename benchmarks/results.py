"""The results of a benchmark: a JSON file, rewritten after each item; no item is measured twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from autoaug.utils.files import write_atomically
from benchmarks.provenance import provenance

#: The key of the records of all runs that added to the file.
PROVENANCE = "provenance"


class Results:
    """The items in a file; none if there is no file yet. A stopped benchmark continues with the next missing item.

    Args:
        path: of the file; its folder is created if it is missing.
        options: of the program; recorded in the file.
        fixed: the names of options that must be the same for all items in the file.
        then: called each time the file has been written, for example to write a page of the results.

    Attributes:
        items: all items; a benchmark may nest them.
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
                cure = "choose another file with --out"
                raise SystemExit(f"error: {self.path} was made with --{option} {noted}, not {given}; {cure}")

    def once(self, part: dict[str, Any], key: str, measure: Callable[[], Any]) -> bool:
        """Measure `key` and write the file if it is missing in a `part` of the items. Return whether it was missing."""
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
        write_atomically(self.path, json.dumps({**self.items, PROVENANCE: self._runs}, indent=1) + "\n")
        self._then()
