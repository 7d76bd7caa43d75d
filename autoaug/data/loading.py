"""From a path to audited, split data."""

from __future__ import annotations

from collections.abc import Sequence

from autoaug.data.audit import Audit, allowed, audit
from autoaug.data.sources import open_source
from autoaug.data.splits import DataSet, split


def check_data(
    data: str, memory_limit: int, size: int | None, allow: Sequence[str], seed: int
) -> tuple[Audit, DataSet]:
    """Open, audit and split a data set; raises `DataError` on what would spoil a result and is not allowed."""
    passing = allowed(allow)
    source = open_source(data, memory_limit, size)
    found = audit(source)
    found.stop(passing)
    return found, split(source, found, seed, memory_limit, passing)
