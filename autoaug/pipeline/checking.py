"""Check a data set: what it contains, and whether a search makes sense."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from autoaug.data.audit import Audit, Finding, allowed, audit
from autoaug.data.description import describe_source, describe_splits
from autoaug.data.loading import open_source
from autoaug.data.split_findings import FEW_GROUPS, split_findings
from autoaug.data.splits import DataSet, split
from autoaug.errors import AutoaugError, DataError, OptionError
from autoaug.pipeline.options import CheckOptions, SearchOptions
from autoaug.pipeline.parsing import memory_limit, parse_reading
from autoaug.pipeline.session import forecast_run

#: Below this number of test samples folds are suggested, and how many at most.
_FEW, _FOLDS = 500, 5
_SOUND = "no problems found: all files are readable, no duplicates, no sample with two labels"


@dataclass(frozen=True)
class DataCheck:
    """The result of checking a data set.

    Attributes:
        counts: the number of samples for each given split and class.
        findings: the findings of the audit, worst first, and those about the splits.
        fingerprint: 12 hex digits over all samples, labels and class names.
        sizes: the number of samples in each split that a search would use; empty if it would refuse the data.
        refusal: why it would refuse them; empty if a search makes sense.
        lines: all of this as text, without the refusal.
    """

    counts: dict[str, dict[str, int]]
    findings: tuple[Finding, ...]
    fingerprint: str
    sizes: dict[str, int]
    refusal: str
    lines: tuple[str, ...]


def _has_few_groups(data: DataSet) -> bool:
    return data.test_groups is not None and data.test_groups < FEW_GROUPS


def _offer(data: DataSet, with_folds: Callable[[int], DataSet]) -> list[str]:
    """A suggestion of folds, if the test split of the `data` has few samples or groups and folds are possible."""
    if data.has_own_test or (len(data.test) >= _FEW and not _has_few_groups(data)):
        return []
    for count in range(_FOLDS, 1, -1):
        with suppress(DataError, OptionError):  # too few samples or groups for so many
            folded = with_folds(count)
            return [
                f"with {data.tested}, chance moves a difference by several points: pass --folds {count} to test on "
                f"{folded.tested}, each seed on one fold of them"
            ]
    return []


def _estimate(options: CheckOptions, audited: Audit, data: DataSet) -> list[str]:
    """How long a search with the default options would take."""
    search = SearchOptions(**vars(options))
    try:
        return ["a search with the default options:", *forecast_run(search, (audited, data)).time_lines]
    except AutoaugError as fault:
        return [f"a search with the default options is not possible: {fault}"]


def check(options: CheckOptions) -> DataCheck:
    """See `autoaug.api.check`."""
    reading = parse_reading(options.size, options.resize, options.protect)
    passing, limit = allowed(options.allow), memory_limit(options.memory_limit)
    source = open_source(str(options.data), limit, reading, options.modality)
    audited = audit(source)
    lines, sizes, refusal, findings = describe_source(source, audited, passing), {}, "", audited.findings
    splits = partial(split, source, audited, options.seed, limit, passing)
    try:
        audited.stop(passing)
        data = splits()
        data.check_test_groups()
    except DataError as fault:
        refusal = str(fault)
    else:
        about_splits = split_findings(data)
        findings += tuple(about_splits)
        lines += [f"{finding.level}: {finding.message}" for finding in about_splits]
        lines += [_SOUND] * all(finding.level == "note" for finding in findings)
        lines += [*describe_splits(data), *_offer(data, splits), *_estimate(options, audited, data)]
        sizes = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    counts = {str(role): dict(of_class) for role, of_class in audited.counts.items()}
    return DataCheck(counts, findings, audited.fingerprint, sizes, refusal, tuple(lines))
