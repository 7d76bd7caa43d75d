"""The output of `autoaug check`: the audit as text, and whether a search makes sense."""

from __future__ import annotations

import math
from collections import Counter

from autoaug.data.audit import ALLOWABLE, Audit
from autoaug.data.inputs import MemoryInputs
from autoaug.data.labels import Kind, kind_of
from autoaug.data.source import Source
from autoaug.data.splits import DataSet, count_groups
from autoaug.data.texts import decode_texts
from autoaug.utils.quantities import counted

_MANY = 20
_PREDICTED: dict[Kind, tuple[str, str]] = {
    "classification": ("class", "classes"),
    "multi-label": ("label, several per sample", "labels, several per sample"),
    "regression": ("number per sample", "numbers per sample"),
    "transcription": ("character, of which texts are made", "characters, of which texts are made"),
    "translation": (
        "piece of words, of which translations are made",
        "pieces of words, of which translations are made",
    ),
}


def describe_source(source: Source, audit: Audit, allow: frozenset[str] = frozenset()) -> list[str]:
    """Lines with the counts per class, the forms and the findings, some of which are allowed, but for the one that
    `Audit.stop` raises.
    """
    kind = kind_of(source.parts["train"].labels)
    of = counted(len(source.classes), *_PREDICTED[kind])
    lines = [f"{source.name}: {of}, taken for {source.modality} data, fingerprint {audit.fingerprint}"]
    for role, counts in audit.counts.items():
        listed = list(counts.items())
        shown = ", ".join(f"{name} {count}" for name, count in listed[:_MANY])
        more = f", and {counted(len(listed) - _MANY, 'more class', 'more classes')}" if len(listed) > _MANY else ""
        is_counted = kind in ("classification", "multi-label")  # each sample has all numbers, and a text
        by_class = f" ({shown}{more})" if is_counted else ""
        lines.append(f"{role}: {counted(len(source.parts[role]), 'sample')}{by_class}")
    if kind == "transcription":
        rare = reversed(Counter("".join(decode_texts(source.parts["train"].labels))).most_common())
        lines.append(f"characters, the rarest first: {_listing({repr(character): count for character, count in rare})}")
    if source.forms:
        lines.append("; ".join(f"{what}: {_listing(counts)}" for what, counts in source.forms.items()))
    if source.rule:
        lines.append(f"one form for all samples: {source.rule}")
    lines += [f"unreadable: {name}" for name in source.unreadable[1:_MANY]]
    stopping = audit.stopping(allow)
    for finding in (one for one in audit.findings if one is not stopping):
        permits = f" (--allow {finding.code} permits {ALLOWABLE[finding.code]})" if finding.code in ALLOWABLE else ""
        level = "allowed" if finding.level == "stop" and finding.code in allow else finding.level
        lines.append(f"{level}: {finding.message}{permits}")
    return lines


def _listing(counts: dict[str, int]) -> str:
    listed = list(counts.items())
    more = f", and {len(listed) - _MANY} more" if len(listed) > _MANY else ""
    return ", ".join(f"{name} ({count})" for name, count in listed[:_MANY]) + more


def describe_splits(data: DataSet) -> list[str]:
    """Lines with the splits that a search would use, and the differences that it could detect with them."""
    where = "in memory" if isinstance(data.train.inputs, MemoryInputs) else "read as needed"
    return [
        f"a search would use {len(data.train)} train, {len(data.validation)} validation and {data.tested}, {where}",
        *_luck(data),
    ]


def _luck(data: DataSet) -> list[str]:
    """A line on how much chance moves the accuracy of a trial."""
    if kind_of(data.validation.labels) != "classification":
        return []
    units = count_groups(data.validation.groups) or len(data.validation)
    error = 100 * math.sqrt(0.8 * 0.2 / units)
    return [
        f"a search makes sense: the luck of the validation samples moves a trial's accuracy (at 80 %) by ± {error:.1f} "
        "points (one standard error); more seeds do not change that, but all policies share this luck",
    ]
