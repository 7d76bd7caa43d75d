"""What is in a data set, and whether a search makes sense."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from autoaug.data.audit import Finding, allowed, audit
from autoaug.data.description import describe_source, describe_splits
from autoaug.data.loading import open_source
from autoaug.data.splits import DataSet, split
from autoaug.errors import DataError, OptionError
from autoaug.pipeline.options import CheckOptions
from autoaug.pipeline.parsing import check_seed, check_size, parse_memory

#: A test split with fewer samples than this is worth folds, of which so many are offered.
_FEW, _FOLDS = 500, 5


@dataclass(frozen=True)
class DataCheck:
    """What is in a data set.

    Attributes:
        counts: samples per split that was given, and class.
        findings: what was found, worst first.
        fingerprint: 12 hex digits over all samples, labels and class names.
        sizes: samples in the splits that a search would use, by their names; empty where it would refuse the data.
        refusal: why it would; empty where a search makes sense.
        lines: all of it in words.
    """

    counts: dict[str, dict[str, int]]
    findings: tuple[Finding, ...]
    fingerprint: str
    sizes: dict[str, int]
    refusal: str
    lines: tuple[str, ...]


def _offer(data: DataSet, with_folds: Callable[[int], DataSet]) -> list[str]:
    """Folds, where the test split of the `data` is small, and there can be some."""
    if data.has_own_test or len(data.test) >= _FEW:
        return []
    with suppress(DataError, OptionError):  # too few samples or groups
        count = len(with_folds(_FOLDS).test)
        return [
            f"{len(data.test)} test samples are so few that their luck moves a difference by points: pass "
            f"--folds {_FOLDS} to test on {count}, each seed on a fold of them"
        ]
    return []


def check(options: CheckOptions) -> DataCheck:
    """See `autoaug.api.check`."""
    check_seed(options.seed)
    check_size(options.size)
    passing, limit = allowed(options.allow), parse_memory(options.memory_limit)
    source = open_source(str(options.data), limit, options.size)
    found = audit(source)
    lines, sizes, refusal = describe_source(source, found), {}, ""
    splits = partial(split, source, found, options.seed, limit, passing)
    try:
        found.stop(passing)
        data = splits()
    except DataError as fault:
        refusal = str(fault)
    else:
        lines += [*describe_splits(data), *_offer(data, splits)]
        sizes = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    counts = {str(role): dict(of_class) for role, of_class in found.counts.items()}
    return DataCheck(counts, found.findings, found.fingerprint, sizes, refusal, tuple(lines))
