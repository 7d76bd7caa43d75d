"""What is in a data set, and whether a search makes sense."""

from __future__ import annotations

from dataclasses import dataclass

from autoaug.data.audit import Finding, allowed, audit
from autoaug.data.description import describe_source, describe_splits
from autoaug.data.loading import open_source
from autoaug.data.splits import split
from autoaug.errors import DataError
from autoaug.pipeline.options import CheckOptions
from autoaug.pipeline.parsing import check_seed, check_size, parse_memory


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


def check(options: CheckOptions) -> DataCheck:
    """See `autoaug.api.check`."""
    check_seed(options.seed)
    check_size(options.size)
    passing, limit = allowed(options.allow), parse_memory(options.memory_limit)
    source = open_source(str(options.data), limit, options.size)
    found = audit(source)
    lines, sizes, refusal = describe_source(source, found), {}, ""
    try:
        found.stop(passing)
        data = split(source, found, options.seed, limit, passing)
    except DataError as fault:
        refusal = str(fault)
    else:
        lines += describe_splits(data)
        sizes = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    counts = {str(role): dict(of_class) for role, of_class in found.counts.items()}
    return DataCheck(counts, found.findings, found.fingerprint, sizes, refusal, tuple(lines))
