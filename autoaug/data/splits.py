"""Stratified splits: train, validation for the search, and a test split that is locked until confirmation.

The test split depends only on the data, not on the seed. Otherwise a policy that was found with one seed would be
judged with another by samples that it was chosen on.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from autoaug.data.audit import Audit
from autoaug.data.folds import Folds, are_even, check_count, complete_fold
from autoaug.data.inputs import Inputs, in_memory, join, pick
from autoaug.data.labels import TEXTS, absent, counts_of, kind_of, members, strata_of
from autoaug.data.source import Part, Role, Source
from autoaug.errors import DataError, OptionError
from autoaug.modalities.registry import get_modality

#: The share of the training part that is held out for validation and for test, if the data have no such part.
HELD_OUT = 0.25
#: The number of different divisions into folds of validation: those of the most seeds that there are by default.
_TURNS = 4
#: With so many validation samples, their luck moves a score by a point at most.
_ENOUGH = 2000
#: The seed of the test split, whatever the user's seed is.
_TEST_SEED = 0
#: The fewest training samples of a class for each split that is held out.
_LEAST = 4


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples, their labels (int64 ``[n]``, or see `autoaug.data.labels`), and the names of their groups, if they have
    any. Exact copies of a sample are a group as well.
    """

    inputs: Inputs
    labels: np.ndarray
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, rows: np.ndarray) -> Samples:
        """The samples at `rows`."""
        return Samples(pick(self.inputs, rows), self.labels[rows], None if self.groups is None else self.groups[rows])

    def without(self, rows: np.ndarray) -> Samples:
        """The samples that are not at `rows`."""
        return self.at(np.delete(np.arange(len(self)), rows))

    def __add__(self, other: Samples) -> Samples:
        """These samples followed by the others; both are of the same part of the data."""
        is_grouped = self.groups is not None and other.groups is not None
        groups = np.concatenate([self.groups, other.groups]) if is_grouped else None
        return Samples(join(self.inputs, other.inputs), np.concatenate([self.labels, other.labels]), groups)


@dataclass(frozen=True, eq=False)
class DataSet:
    """A data set ready for a search: three splits of one shape.

    Attributes:
        name: its name.
        classes: class names, which labels index; or the names of the columns of labels of another form.
        train: the split to train on.
        validation: the split that the search scores on.
        test: the split that is locked until confirmation.
        fingerprint: the fingerprint of all splits.
        train_fingerprint: the fingerprint of the training split; it depends on the seed if validation is held out.
        digests: the digests of the samples of each split, as in `Audit`.
        has_own_test: whether the data have a test part; otherwise it is held out of the training part.
        folds: the folds of the test split, if each seed of the confirmation is tested on another one; otherwise None.
        validation_folds: the folds of the training and the validation split together, in this order, if the validation
            split was held out and is small; otherwise None.
        is_exchangeable: whether the validation split was drawn sample by sample from the same part as the training
            split, so that a training sample that a model was not trained on can replace a validation sample.
        modality: the name of the modality.
        lacking: the operators that have nothing to work with on these data, each with what to do.
        scale: how stored values were scaled, as in `Source`.
        learned: what operators have learned from the training split, by their names; empty before a run.
    """

    name: str
    classes: tuple[str, ...]
    train: Samples
    validation: Samples
    test: Samples
    fingerprint: str
    train_fingerprint: str
    digests: Mapping[Role, np.ndarray] = field(default_factory=dict)
    has_own_test: bool = False
    folds: Folds | None = None
    validation_folds: Folds | None = None
    is_exchangeable: bool = False
    modality: str = field(default_factory=lambda: get_modality().name)
    lacking: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)
    learned: Mapping[str, str] = field(default_factory=dict)

    @property
    def test_groups(self) -> int | None:
        """The number of groups in the test split; None without groups."""
        return count_groups(self.test.groups)

    @property
    def tested(self) -> str:
        """The test samples in words: how many, and of how many groups, or how many different ones."""
        samples, count, groups = f"{len(self.test)} test samples", self.test_groups, self.test.groups
        if count is None or groups is None:
            return samples
        return (
            f"{samples} ({count} different ones)" if isinstance(groups[0], np.void) else f"{samples} of {count} groups"
        )

    def check_test_groups(self) -> None:
        """Raise `DataError` if the test split is a single group."""
        if self.test_groups == 1:
            assert self.test.groups is not None
            cure = "" if self.has_own_test else ", pass --folds 2 or more"
            raise DataError(
                f"{self.name}: the test split has only {group_label(self.test.groups[0])}, but the luck of a group can "
                f"only be estimated from two or more; add groups{cure}, or, if samples of this group are independent, "
                "give each of them its own group"
            )


def group_label(group: object) -> str:
    """What a group is called in messages: groups that are only made of copies have digests for names."""
    return "the group of copies of one sample" if isinstance(group, np.void) else f"group {str(group)!r}"


def count_groups(groups: np.ndarray | None) -> int | None:
    """The number of different `groups`, the names of samples' groups; None if no two samples share one."""
    count = 0 if groups is None else len(np.unique(groups))
    return None if groups is None or count == len(groups) else count


#: More would make a quarter of ten samples per class cost as much as half of them.
_FEWEST_OF_A_CLASS = 2


def nested_rows(strata: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Sorted rows of a `share` of the samples in these `strata`. With the same seed, a smaller share is contained in a
    larger one. At least two samples of each stratum, such as a class, are taken, or all if it has fewer.
    """
    draw = np.random.default_rng(seed)
    taken = [
        draw.permutation(rows)[: max(_FEWEST_OF_A_CLASS, round(share * len(rows)))]
        for rows in (np.flatnonzero(strata == stratum) for stratum in np.unique(strata))
    ]
    return np.sort(np.concatenate(taken))


def split(
    source: Source,
    audit: Audit,
    seed: int,
    memory_limit: int,
    allow: frozenset[str] = frozenset(),
    folds: int | None = None,
) -> DataSet:
    """Split `source`: given parts are kept, and missing ones are held out of the training part. Groups, and exact
    copies of a sample, stay in one split. Augmented copies are only used for training, and only if their original is.

    Args:
        source: the data to split.
        audit: the audit of the same source.
        seed: the seed of the validation split, if it is held out.
        memory_limit: bytes; larger sets stay on disk.
        allow: codes of allowed findings; ``absent`` also applies here, to splits that are held out.
        folds: the number of folds of the test split, which is then twice as large; None for no folds.

    Raises:
        DataError: a class has fewer samples than the splits need, or there are too few groups.
        OptionError: the test split is given, or too small for so many `folds`.
    """
    part = source.parts["train"]
    units = _units(part, audit.hashes["train"])
    _check_counts(source, folds)
    if "absent" not in allow:
        _check_units(source, units, folds)
    parts = _rows(source, units, seed, folds)
    for role, (whole, rows) in parts.items():
        _check_classes(source, role, whole.labels[rows], allow)
    rest, tested = parts["train"][1], parts["test"][1]
    if folds is not None:
        check_count(folds, part.labels[tested], units[tested], source.classes)
    bytes_each = math.prod(part.inputs.shape) * part.inputs.dtype.itemsize
    fits = bytes_each * sum(len(rows) for _, rows in parts.values()) <= memory_limit

    def samples(role: Role) -> Samples:
        whole, rows = parts[role]
        inputs = pick(whole.inputs, rows)
        groups = _group_names(whole, audit.hashes[_role_of(source, role)], rows)
        return Samples(in_memory(inputs) if fits else inputs, whole.labels[rows], groups)

    return DataSet(
        name=source.name,
        classes=source.classes,
        train=samples("train"),
        validation=samples("validation"),
        test=samples("test"),
        fingerprint=audit.fingerprint,
        train_fingerprint=hashlib.sha256(audit.fingerprint.encode() + rest.tobytes()).hexdigest()[:12],
        digests={role: audit.hashes[_role_of(source, role)][rows] for role, (_, rows) in parts.items()},
        has_own_test="test" in source.parts,
        folds=None if folds is None else Folds(folds, _strata(part)[tested], units[tested]),
        validation_folds=_validation_folds(source, units, np.concatenate([rest, parts["validation"][1]])),
        is_exchangeable="validation" not in source.parts and len(np.unique(units)) == len(units),
        modality=source.modality,
        lacking=source.lacking,
        scale=source.scale,
    )


def _rows(source: Source, units: np.ndarray, seed: int, folds: int | None) -> dict[Role, tuple[Part, np.ndarray]]:
    """The part that each split comes from, and its rows."""
    part = source.parts["train"]
    rest, whole = part.originals, _Whole(part.labels, source.classes, _strata(part), units)
    later = len(_held_out(source)) + (folds is not None)
    found: dict[Role, tuple[Part, np.ndarray]] = {}
    seeds: dict[Role, int] = {"test": _TEST_SEED, "validation": (seed + 1) % 2**32}
    for role, own in seeds.items():
        given, what = source.parts.get(role), f"{source.name}: the {role} split"
        if given is not None:
            found[role] = given, given.originals
            continue
        rest, out = _hold_out(rest, whole, own, what, later)
        if role == "test" and folds is not None:  # as much again, in addition to the test split without folds
            later -= 1
            rest, more = _hold_out(rest, whole, own, what, later, HELD_OUT / (1 - HELD_OUT))
            out = np.sort(np.concatenate([out, more]))
        later -= 1
        found[role] = part, out
    held_out = np.setdiff1d(part.originals, rest)
    rest = np.flatnonzero(~np.isin(units, units[held_out]))  # with copies, unless their original is held out
    return {"train": (part, rest), **found}


def _validation_folds(source: Source, units: np.ndarray, rows: np.ndarray) -> Folds | None:
    """The folds of the `rows` that are trained and validated on. None if the validation split is given or large, if
    there are augmented copies, and if the folds would be uneven or lack a class.
    """
    part = source.parts["train"]
    if "validation" in source.parts or part.augmented is not None or len(rows) * HELD_OUT >= _ENOUGH:
        return None
    labels = part.labels[rows]
    folds = Folds(round(1 / HELD_OUT), _strata(part)[rows], units[rows], _TURNS)
    return folds if are_even(folds, labels, source.classes) else None


def _strata(part: Part) -> np.ndarray:
    """The stratum ``[n]`` of each sample: those of originals, which are divided, are as large as they need to be."""
    strata = np.zeros(len(part), np.int64)
    strata[part.originals] = strata_of(part.labels[part.originals])
    return strata


def _role_of(source: Source, role: Role) -> Role:
    """The role of the part that a split comes from: a missing split is held out of the training part."""
    return role if role in source.parts else "train"


def _check_classes(source: Source, role: Role, labels: np.ndarray, allow: frozenset[str]) -> None:
    missing = absent(labels, source.classes)
    if not len(missing) or (role != "train" and "absent" in allow):
        return
    cure = "" if role == "train" else " (or pass --allow absent)"
    name = source.classes[int(missing[0])]
    raise DataError(f"{source.name}: the {role} split has no sample of class {name!r}; add samples or groups{cure}")


def _check_counts(source: Source, folds: int | None) -> None:
    if folds is not None and "test" in source.parts:
        raise OptionError(
            f"--folds {folds}: {source.name} has its own test split, which judges the candidates; leave --folds out"
        )
    held_out = _held_out(source)
    least = 2 + _LEAST * (len(held_out) + (folds is not None))
    part = source.parts["train"]
    counts = counts_of(part.labels[part.originals], source.classes)
    if counts.min() < least:
        name, fold_cure = source.classes[int(counts.argmin())], ", leave --folds out" if folds is not None else ""
        kind = kind_of(part.labels)
        what, cure = f"{'class' if kind == 'classification' else 'label'} {name!r} has", "leave the class out"
        if kind in TEXTS:
            what, cure = "it has only", "provide a split"
        raise DataError(
            f"{source.name}: {what} {counts.min()} of the {least} training samples that are needed to hold out "
            f"{_in_words(held_out, folds)} (add samples{fold_cure}, or {cure})"
        )


def _check_units(source: Source, units: np.ndarray, folds: int | None) -> None:
    """Raise `DataError` if a class has fewer groups than there are splits to hold out and to train on."""
    held_out, part = _held_out(source), source.parts["train"]
    rows = part.originals
    alike = kind_of(part.labels) in TEXTS  # each sample has all of these
    for label, name in enumerate(source.classes[:1] if alike else source.classes):
        own = rows[members(part.labels[rows], label)]
        count = len(np.unique(units[own]))
        if held_out and count <= len(held_out) and count < len(own):
            if part.groups is None:
                origin = f"copies of {count} sample{'s' * (count != 1)}"
            else:
                group = repr(str(part.groups[own[0]]))
                origin = f"in a single group, {group}" if count == 1 else f"in {count} groups, such as {group}"
            raise DataError(
                f"{source.name}: the {len(own)} training samples of class {name!r} are {origin}; a group, and all "
                f"copies of a sample, stay in one split, so {len(held_out) + 1} are needed to hold out "
                f"{_in_words(held_out, folds)} (add groups, provide a split, leave the class out, or pass --allow "
                "absent)"
            )


def _held_out(source: Source) -> list[Role]:
    """The splits that are held out of the training part, because they are not given."""
    roles: tuple[Role, ...] = ("validation", "test")
    return [role for role in roles if role not in source.parts]


def _in_words(held_out: Sequence[Role], folds: int | None) -> str:
    """The splits that are held out, in a message."""
    extra = " (of twice the size, for --folds)" if folds is not None else ""
    return " and ".join(f"a {role} split{extra if role == 'test' else ''}" for role in held_out) or "no split"


def _units(part: Part, hashes: np.ndarray) -> np.ndarray:
    """The unit number of each sample: samples linked by a group or by equal values form one unit."""
    _, copies = np.unique(hashes, return_inverse=True)
    if part.groups is None:
        return copies
    _, groups = np.unique(part.groups, return_inverse=True)
    nodes = copies.max() + 1 + groups.max() + 1
    links = coo_matrix((np.ones(len(copies)), (copies, copies.max() + 1 + groups)), shape=(nodes, nodes))
    _, component = connected_components(links, directed=False)
    unit: np.ndarray = component[copies]
    return unit


def _group_names(part: Part, hashes: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """The name of the group of each of the samples at `rows`: its own, the first of those that copies link, or the
    digest of the sample of which there are copies. None if each sample is alone.
    """
    units = _units(part, hashes)[rows]
    if part.groups is None and len(np.unique(units)) == len(units):
        return None
    names = (hashes if part.groups is None else part.groups)[rows]
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    linked: np.ndarray = names[first][unit]
    return linked


class _Whole(NamedTuple):
    """The training part that splits are held out of: labels, names of classes, strata ``[n]`` and units ``[n]``."""

    labels: np.ndarray
    classes: tuple[str, ...]
    strata: np.ndarray
    units: np.ndarray


def _hold_out(
    rows: np.ndarray, whole: _Whole, seed: int, what: str, staying: int, share: float = HELD_OUT
) -> tuple[np.ndarray, np.ndarray]:
    """Divide `rows` into those that stay, with `staying` units of each class if possible, and those held out, both
    sorted. With few units, more than `share` may be held out.
    """
    from sklearn.model_selection import train_test_split  # a second to import, which no worker needs

    strata, units = whole.strata[rows], whole.units[rows]
    count = len(np.unique(units))
    if count == len(rows) and _can_stratify(strata, share):
        stay, out = train_test_split(rows, test_size=share, random_state=seed, stratify=strata)
    else:
        parts = min(round(1 / share), count, int(np.bincount(strata).max()))
        if parts < 2:
            raise DataError(
                f"{what} cannot be held out: there are too few groups, and each split needs its own (all copies of a "
                "sample form a group); add groups, or provide that split"
            )
        held_out = complete_fold(Folds(parts, strata, units), seed, whole.labels[rows], whole.classes, staying)
        stay, out = np.delete(rows, held_out), rows[held_out]
    return np.sort(stay), np.sort(out)


def _can_stratify(strata: np.ndarray, share: float) -> bool:
    """Whether each of the strata ``[n]`` has two samples, and both sides have room for one if a `share` is held out."""
    sizes = np.unique(strata, return_counts=True)[1]
    out = math.ceil(share * len(strata))
    return bool(sizes.min() > 1) and len(sizes) <= min(out, len(strata) - out)
