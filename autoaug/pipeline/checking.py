"""Check a data set: what it contains, and whether a search makes sense."""

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

#: Below this number of test samples folds are suggested, and how many.
_FEW, _FOLDS = 500, 5


@dataclass(frozen=True)
class DataCheck:
    """The result of checking a data set.

    Attributes:
        counts: the number of samples for each given split and class.
        findings: the findings of the audit, worst first.
        fingerprint: 12 hex digits over all samples, labels and class names.
        sizes: the number of samples in each split that a search would use; empty if it would refuse the data.
        refusal: why it would refuse them; empty if a search makes sense.
        lines: all of this as text.
    """

    counts: dict[str, dict[str, int]]
    findings: tuple[Finding, ...]
    fingerprint: str
    sizes: dict[str, int]
    refusal: str
    lines: tuple[str, ...]


def _offer(data: DataSet, with_folds: Callable[[int], DataSet]) -> list[str]:
    """A suggestion of folds, if the test split of the `data` is small and folds are possible."""
    if data.has_own_test or len(data.test) >= _FEW:
        return []
    with suppress(DataError, OptionError):  # too few samples or groups
        count = len(with_folds(_FOLDS).test)
        return [
            f"with {len(data.test)} test samples, chance moves a difference by points: pass --folds {_FOLDS} to test "
            f"on {count}, each seed on one fold of them"
        ]
    return []


def check(options: CheckOptions) -> DataCheck:
    """See `autoaug.api.check`."""
    check_seed(options.seed)
    check_size(options.size)
    passing, limit = allowed(options.allow), parse_memory(options.memory_limit)
    source = open_source(str(options.data), limit, options.size)
    audited = audit(source)
    lines, sizes, refusal = describe_source(source, audited), {}, ""
    splits = partial(split, source, audited, options.seed, limit, passing)
    try:
        audited.stop(passing)
        data = splits()
    except DataError as fault:
        refusal = str(fault)
    else:
        lines += [*describe_splits(data), *_offer(data, splits)]
        sizes = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    counts = {str(role): dict(of_class) for role, of_class in audited.counts.items()}
    return DataCheck(counts, audited.findings, audited.fingerprint, sizes, refusal, tuple(lines))
