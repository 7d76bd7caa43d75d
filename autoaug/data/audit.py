"""The audit of a data set: what it contains, and what would spoil a result."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal

import numpy as np

from autoaug.data.inputs import Inputs, in_blocks
from autoaug.data.labels import DECIMAL, TEXTS, counts_of, kind_of, target_texts
from autoaug.data.source import Role, Source
from autoaug.data.texts import characters
from autoaug.errors import DataError, OptionError, UnknownName
from autoaug.results import UNEVEN
from autoaug.utils.quantities import counted

#: Below this many validation samples, the standard error of an accuracy of 80 % is above 4 points.
_FEW_SAMPLES = 100
#: Scripts without spaces between words, as in Unicode's names of characters.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_MOST_LISTED = 10
#: The row of a sample in the part of a role.
_Place = tuple[Role, int]


@dataclass(frozen=True)
class Finding:
    """A finding of the audit; a ``stop`` keeps a search from starting unless its `code` is allowed."""

    code: str
    level: Literal["stop", "warning", "note"]
    message: str


@dataclass(frozen=True, eq=False)
class Audit:
    """The result of looking at every sample once.

    Attributes:
        counts: samples per role and class.
        findings: what was found, worst first.
        hashes: for each role, a digest of the values of every sample.
        fingerprint: 12 hex digits over all values, labels and class names.
    """

    counts: dict[Role, dict[str, int]]
    findings: tuple[Finding, ...]
    hashes: dict[Role, np.ndarray]
    fingerprint: str

    def stopping(self, allow: frozenset[str] = frozenset()) -> Finding | None:
        """The first finding that would spoil the result and is not allowed, if any."""
        return next((f for f in self.findings if f.level == "stop" and f.code not in allow), None)

    def stop(self, allow: frozenset[str] = frozenset()) -> None:
        """Raise `DataError` on that finding."""
        if finding := self.stopping(allow):
            cure = "" if finding.code in _NO_CURE else f" (or pass --allow {finding.code})"
            raise DataError(f"{finding.message}{cure}")


#: What `--allow` takes, with what each lets pass.
ALLOWABLE = {
    "unreadable": "damaged files, which are left out",
    "empty": "classes without a sample, which are left out",
    "absent": "a validation or test split that lacks a class",
    "leak": "samples or groups that are in two splits",
    "groups": "groups in one split but not in another",
    "conflict": "the same sample under two labels",
    "generator": "a generator that was trained on other data",
    "overlap": "a policy that was chosen on samples of the test split",
}
_NO_CURE = {"classes"}


def allowed(names: Iterable[str]) -> frozenset[str]:
    """The codes of the findings to allow; raises `OptionError` for an unknown code."""
    for name in names:
        if "," in name:
            each = " ".join(f"--allow {one.strip()}" for one in name.split(","))
            raise OptionError(f"--allow {name}: give each finding on its own: {each}")
        if name not in ALLOWABLE:
            raise UnknownName("finding to allow", name, ALLOWABLE)
    return frozenset(names)


def audit(source: Source) -> Audit:
    """Look at every sample of `source` once: counts, exact duplicates, samples and groups that leak between given
    splits, conflicts.
    """
    hashes = {role: hash_inputs(part.inputs) for role, part in source.parts.items()}
    counts = {
        role: dict(zip(source.classes, counts_of(part.labels, source.classes).tolist(), strict=True))
        for role, part in source.parts.items()
    }
    findings = [
        *_too_few_classes(source),
        *_unreadable_files(source),
        *_missing_classes(source, counts),
        *_unknown_characters(source),
        *_no_spaces(source),
        *_repeated_samples(source, hashes),
        *_straddling_groups(source),
        *_missing_groups(source),
        *_uneven_and_small(source),
        *(Finding("assumed", "warning", words) for words in source.assumed),
        *(Finding("unusual", "warning", words) for words in source.unusual),
        *_augmented_copies(source),
        *_what_is_left_out(source),
        *(Finding("lacking", "note", f"{name} is left out: {why}") for name, why in source.lacking.items()),
    ]
    order = {"stop": 0, "warning": 1, "note": 2}
    digest = hashlib.sha256(repr(source.classes).encode())
    for role, part in source.parts.items():
        digest.update(role.encode() + hashes[role].tobytes() + part.labels.tobytes())
    return Audit(counts, tuple(sorted(findings, key=lambda f: order[f.level])), hashes, digest.hexdigest()[:12])


def hash_inputs(inputs: Inputs) -> np.ndarray:
    """A 16-byte digest of the values of every sample."""
    digests = [
        hashlib.blake2b(sample.tobytes(), digest_size=16).digest() for block in in_blocks(inputs) for sample in block
    ]
    return np.array(digests, dtype="V16")


def _too_few_classes(source: Source) -> list[Finding]:
    train = source.parts["train"].labels
    if kind_of(train) in TEXTS:
        message = f"{source.name}: all training samples have the same text; a search needs different ones"
        texts = target_texts(train)
        return [Finding("classes", "stop", message)] if (texts == texts[0]).all() else []
    if kind_of(train) != "classification":
        constant = [name for name, column in zip(source.classes, train.T, strict=True) if (column == column[0]).all()]
        if not constant:
            return []
        message = f"{source.name}: {constant[0]!r} is the same for all training samples; leave it out"
        return [Finding("classes", "stop", message)]
    if len(source.classes) >= 2:
        return _measured_classes(source)
    message = f"{source.name}: there is only one class ({source.classes[0]!r}); a search needs at least two"
    return [Finding("classes", "stop", "; ".join([message, *(note.message for note in _what_is_left_out(source))]))]


def _measured_classes(source: Source) -> list[Finding]:
    """Classes that may be few measured numbers: all of them are decimal, and not all of them whole."""
    names = source.classes
    if not all(DECIMAL.fullmatch(name) for name in names) or all(float(name).is_integer() for name in names):
        return []
    message = (
        f"{source.name}: the {len(names)} classes are numbers such as {names[0]}; if they were measured, give them in "
        "a column `number`, and they are predicted as numbers"
    )
    return [Finding("numbers", "warning", message)]


def _unreadable_files(source: Source) -> list[Finding]:
    if not source.unreadable:
        return []
    others = len(source.unreadable) - 1
    more = f" ({others} more cannot be read either)" if others else ""
    message = f"unreadable sample: {source.unreadable[0]}{more}; repair or remove what is damaged"
    return [Finding("unreadable", "stop", message)]


def _missing_classes(source: Source, counts: dict[Role, dict[str, int]]) -> list[Finding]:
    """Classes without a sample, overall or in a given split."""
    findings = []
    if source.empty:
        message = (
            f"{source.name}: there is no sample of {_named(source.empty)}; add samples, or remove its folder or label"
        )
        findings.append(Finding("empty", "stop", message))
    for role, of_class in counts.items():
        lacking = [name for name, count in of_class.items() if not count]
        if lacking and role != "train":
            message = f"{source.name}: the {role} split has no sample of {_named(lacking)}; add samples"
            findings.append(Finding("absent", "stop", message))
    return findings


def _unknown_characters(source: Source) -> list[Finding]:
    """Characters of given splits that no training text has."""
    findings = []
    for role, part in source.parts.items():
        if kind_of(part.labels) not in TEXTS:
            return []
        texts = target_texts(part.labels)
        unknown = sorted(set(characters(texts)) - set("".join(source.classes)))
        if unknown:
            rows = np.flatnonzero(np.isin(texts, [ord(character) for character in unknown]).any(1))
            some = counted(len(rows), f"text of the {role} split has", f"texts of the {role} split have")
            message = (
                f"{some} characters that no training text has, "
                f"{' '.join(map(repr, unknown[:_MOST_LISTED]))}, e.g. {part.names[rows[0]]}; they cannot be predicted "
                "and count as errors: write all texts alike (case, punctuation), or add training samples"
            )
            findings.append(Finding("characters", "warning", message))
    return findings


def _no_spaces(source: Source) -> list[Finding]:
    """A warning if texts to predict are written without spaces between words."""
    labels = source.parts["train"].labels
    if kind_of(labels) != "transcription" or (target_texts(labels) == ord(" ")).any(1).mean() > 0.5:
        return []
    unspaced = [unicodedata.name(letter, "").startswith(_UNSPACED) for letter in source.classes]
    if 2 * sum(unspaced) <= len(unspaced):
        return []
    message = (
        "the texts have no spaces between words, so that the word error rate counts a whole text as one word: "
        "--metric cer counts characters"
    )
    return [Finding("spaces", "warning", message)]


def _named(classes: Sequence[str]) -> str:
    more = f" and {len(classes) - 1} more" if len(classes) > 1 else ""
    return f"class {classes[0]!r}{more}"


def _what_is_left_out(source: Source) -> list[Finding]:
    if not source.left_out:
        return []
    shown = ", ".join(source.left_out[:_MOST_LISTED])
    more = f" and {len(source.left_out) - _MOST_LISTED} more kinds" if len(source.left_out) > _MOST_LISTED else ""
    return [Finding("left-out", "note", f"not taken as data: {shown}{more}")]


def _augmented_copies(source: Source) -> list[Finding]:
    count = sum(len(part) - len(part.originals) for part in source.parts.values())
    copies = counted(count, "sample is an augmented copy of another", "samples are augmented copies of others")
    message = f"{copies}: used for training alone"
    return [Finding("copies", "note", message)] if count else []


def _repeated_samples(source: Source, hashes: dict[Role, np.ndarray]) -> list[Finding]:
    def label(place: _Place) -> object:
        return source.parts[place[0]].labels[place[1]].tobytes()

    def example(copies: list[_Place], differing: Callable[[_Place], object]) -> str:
        """Two of the places of one sample, which differ if any do."""
        other = next((place for place in copies if differing(place) != differing(copies[0])), copies[1])
        return " and ".join(source.parts[role].names[i] for role, i in (copies[0], other))

    places: dict[bytes, list[_Place]] = defaultdict(list)
    for role, digests in hashes.items():
        for index, digest in enumerate(digests):
            places[digest.tobytes()].append((role, index))
    repeated = [copies for copies in places.values() if len(copies) > 1]
    leaks = [copies for copies in repeated if len({role for role, _ in copies}) > 1]
    conflicts = [copies for copies in repeated if len(set(map(label, copies))) > 1]
    within = [copies for copies in repeated if len({role for role, _ in copies}) == 1]

    findings, split = [], itemgetter(0)
    if leaks:
        message = f"{_samples(leaks, 'is', 'are')} in two splits, e.g. {example(leaks[0], split)}; remove them from one"
        findings.append(Finding("leak", "stop", message))
    if conflicts:
        message = (
            f"{_samples(conflicts, 'has', 'have')} two labels, e.g. {example(conflicts[0], label)}; correct the labels"
        )
        findings.append(Finding("conflict", "stop", message))
    if within:
        message = (
            f"{_samples(within, 'occurs', 'occur')} more than once within a split, e.g. {example(within[0], split)}"
        )
        findings.append(Finding("duplicate", "warning", message + "; copies are kept together when splits are made"))
    return findings


def _samples(repeated: Sequence[object], one: str, several: str) -> str:
    """The number of samples with the verb that follows it."""
    return f"1 sample {one}" if len(repeated) == 1 else f"{len(repeated)} samples {several}"


def _straddling_groups(source: Source) -> list[Finding]:
    """Groups with samples in two given splits."""
    places: dict[str, dict[Role, str]] = defaultdict(dict)
    for role, part in source.parts.items():
        if part.groups is not None:
            names, first = np.unique(part.groups, return_index=True)
            for name, row in zip(names.tolist(), first.tolist(), strict=True):
                places[str(name)][role] = part.names[row]
    parted = {group: of_role for group, of_role in places.items() if len(of_role) > 1}
    if not parted:
        return []
    group, of_role = next(iter(parted.items()))
    where, count = " and ".join(list(of_role.values())[:2]), len(parted)
    message = (
        f"{count} group{'s are' if count > 1 else ' is'} in two splits, e.g. {group!r} with {where}; move all samples "
        "of a group into one split"
    )
    return [Finding("leak", "stop", message)]


def _missing_groups(source: Source) -> list[Finding]:
    """A split without groups beside one with groups: whether a group is in both cannot be checked."""
    without = [role for role, part in source.parts.items() if part.groups is None]
    if not without or len(without) == len(source.parts):
        return []
    grouped = next(role for role in source.parts if role not in without)
    message = (
        f"{source.name}: the {grouped} split has groups, but the {without[0]} split has none, so nothing tells whether "
        "a group is in both; give the groups of both splits, or of none"
    )
    return [Finding("groups", "stop", message)]


def _uneven_and_small(source: Source) -> list[Finding]:
    originals = source.parts["train"].labels[source.parts["train"].originals]
    train = counts_of(originals, source.classes)
    findings = []
    if kind_of(originals) == "classification" and train.max() > UNEVEN * max(train.min(), 1):
        rare, common = source.classes[int(train.argmin())], source.classes[int(train.argmax())]
        message = (
            f"classes are uneven: {train.min()} of {rare!r}, {train.max()} of {common!r}; accuracy favors {common!r}: "
            "look at the recall per class too; --metric balanced-accuracy and --class-weights balanced count classes "
            "alike"
        )
        findings.append(Finding("uneven", "warning", message))
    if len(originals) < 4 * _FEW_SAMPLES:
        message = (
            f"{len(originals)} training samples leave so few to validate on that a search can see only large "
            "differences; more samples, or a network that was trained before (--weights), would help more"
        )
        findings.append(Finding("small", "warning", message))
    return findings
