"""What is worth knowing about the splits before a search, and beside its verdict."""

from __future__ import annotations

import numpy as np

from autoaug.data.audit import Finding
from autoaug.data.labels import absent, members
from autoaug.data.splits import DataSet, group_label

#: Below this number of test groups there is a warning: the variance of so few clusters is hardly known, so that
#: intervals are wide (Cameron, Gelbach and Miller, 2008).
FEW_GROUPS = 10
#: From this share of the test samples on, a group is warned of: its luck is nearly all of the luck.
_DOMINANT = 0.5
_MOST_LISTED = 5


def split_findings(data: DataSet) -> list[Finding]:
    """Warnings about few or uneven groups, also of a class, and about classes that a split lacks because that was
    allowed.
    """
    return [*_few_groups(data), *_dominant_group(data), *_lone_classes(data), *_absent_classes(data)]


def _few_groups(data: DataSet) -> list[Finding]:
    if data.test_groups is None or data.test_groups >= FEW_GROUPS:
        return []
    message = (
        f"the test samples are in {data.test_groups} groups, and a verdict holds for new groups: with fewer than "
        f"{FEW_GROUPS}, only large differences can be proven; more groups would help, more samples of these would not"
    )
    return [Finding("few-groups", "warning", message)]


def _dominant_group(data: DataSet) -> list[Finding]:
    if data.test_groups is None or data.test.groups is None:
        return []
    names, counts = np.unique(data.test.groups, return_counts=True)
    share = counts.max() / counts.sum()
    if share < _DOMINANT:
        return []
    message = (
        f"{group_label(names[counts.argmax()])} has {100 * share:.0f} % of the test samples, so a verdict is mostly "
        "about it; more samples of other groups would help"
    )
    return [Finding("dominant-group", "warning", message)]


def _lone_classes(data: DataSet) -> list[Finding]:
    """A warning of classes or labels whose test samples are all of one group."""
    if data.test_groups is None or data.test.groups is None:
        return []
    groups = [np.unique(data.test.groups[members(data.test.labels, label)]) for label in range(len(data.classes))]
    lone = np.flatnonzero([len(own) == 1 for own in groups])
    if not len(lone):
        return []
    message = (
        f"all test samples of {_named(data, lone)} are of one group, and another one may be recognized quite "
        "differently; more groups of such a class would help, above all where --metric counts classes alike, such as "
        "balanced accuracy"
    )
    return [Finding("lone-class", "warning", message)]


def _named(data: DataSet, classes: np.ndarray) -> str:
    """The names of classes, the first ones if there are many."""
    names = ", ".join(repr(data.classes[number]) for number in classes[:_MOST_LISTED].tolist())
    return f"{names} and {len(classes) - _MOST_LISTED} more" if len(classes) > _MOST_LISTED else names


def _absent_classes(data: DataSet) -> list[Finding]:
    """A warning for each split that was held out without a sample of some class, because that was allowed."""
    findings = []
    for role, samples in (("validation", data.validation), ("test", data.test)):
        missing = absent(samples.labels, data.classes)
        if len(missing):
            names = _named(data, missing)
            message = f"the {role} split has no sample of {names}, so nothing is known about these classes there"
            findings.append(Finding("absent", "warning", message))
    return findings
