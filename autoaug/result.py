"""What comes out of trials and searches: frozen records. No torch here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, PrivateAttr

from autoaug.errors import RunError, UnknownName
from autoaug.policy import Policy, read_policy

FORMAT = 1

Status = Literal["running", "complete", "pruned", "failed"]
Kind = Literal["baseline", "searched", "rival"]
Verdict = Literal["better", "worse", "no significant difference"]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Rung:
    """An accuracy on the validation split on the way; `step` counts passes over the training split."""

    step: int
    accuracy: float


@dataclass(frozen=True, eq=False)
class TrialResult:
    """One policy trained and scored once, whole or so far.

    Attributes:
        started, ended: seconds since the epoch, on the worker's clock.
        status: running at a rung, complete, pruned there, or failed.
        accuracy: on the validation split at full length, in [0, 1]; NaN unless complete.
        curve: the rungs passed, the last one at full length where complete.
        robustness: accuracy on the validation split under attacks and corruptions; NaN unless the task asks for it.
        reason: why it failed.
        note: what else is to be said of it.
        augmentation_seconds: of the time, spent on drawing and applying the policy.
        samples_seen: augmented samples trained on.
        passes: the same, with the extra passes of adversarial attacks: the unit of compute.
        findings: of work that is no training, as plain JSON values.
        validation_predictions: class indices ``[n]`` uint16.
        test_predictions: likewise, where the task has a test split.
    """

    started: float
    ended: float = math.nan
    status: Status = "running"
    accuracy: float = math.nan
    curve: tuple[Rung, ...] = ()
    robustness: float = math.nan
    reason: str = ""
    note: str = ""
    augmentation_seconds: float = 0.0
    samples_seen: int = 0
    passes: int = 0
    findings: Mapping[str, Any] = field(default_factory=dict)
    validation_predictions: np.ndarray | None = None
    test_predictions: np.ndarray | None = None

    @property
    def seconds(self) -> float:
        """The trial's own compute."""
        return self.ended - self.started


class Record(BaseModel):
    """Base of what stands in ``result.json``: frozen, and strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Candidate(Record):
    """A policy trained again from scratch on fresh seeds that all candidates share.

    `class_accuracy` is the mean over the seeds, `class_accuracies` has a row a seed, `confusion` counts test images by
    class and prediction over all seeds.
    """

    name: str
    kind: Kind
    fingerprint: str
    trial: int | None
    policy: Policy
    seeds: tuple[int, ...]
    validation_accuracy: tuple[float, ...]
    validation_mean: float
    test_accuracy: tuple[float, ...]
    mean: float
    ci95: Interval
    class_accuracy: tuple[float, ...]
    class_accuracies: tuple[tuple[float, ...], ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    seconds: float


class McNemar(Record):
    """The exact test of McNemar (1947) on the predictions of all seeds pooled."""

    only_candidate_right: int
    only_rival_right: int
    p_value: float


class Comparison(Record):
    """The finalist against the hardest rival, paired by seed, on the test split; accuracies in [0, 1].

    `ci95` holds with 95 % over all `looks` at the data together; `level` is what each of them could be wrong by alone.
    """

    candidate: str
    rival: str
    differences: tuple[float, ...]
    difference: float
    ci95: Interval
    p_value: float
    level: float = 0.05
    looks: tuple[int, ...] = ()
    mcnemar: McNemar


class Returned(Record):
    """The policy that the run returns."""

    name: str
    fingerprint: str
    is_searched: bool


class TrialCounts(Record):
    """How the trials of the search ended."""

    complete: int
    pruned: int
    failed: int


class Cost(Record):
    """What the run took. ``overhead_fraction`` = 1 - trial compute / (workers x wall time of the search); the energy is
    the processors' own count over the run, in watt-hours, None where they do not tell.
    """

    search_seconds: float
    confirmation_seconds: float
    trial_compute_seconds: float
    overhead_fraction: float
    augmentation_seconds: float
    samples_seen: int
    run_bytes: int
    energy: float | None = None


class DataSummary(Record):
    """What the search was run on."""

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    train: int
    validation: int
    test: int
    findings: tuple[str, ...]


class TrialSummary(Record):
    """A trial of the search, as the study has it; `share` is of the training split, `until` of a training's length, and
    `values` are one per objective; `params` are what a sampler drew, by name, and `started` is in seconds since the
    epoch.
    """

    number: int
    name: str
    stage: str
    share: float
    repeat: int
    until: float = 1.0
    status: Literal["complete", "pruned", "failed"]
    values: tuple[float, ...]
    accuracy: float | None
    curve: tuple[tuple[int, float], ...]
    seconds: float
    passes: int
    reason: str
    note: str
    is_baseline: bool
    fingerprint: str
    params: dict[str, float | str] = {}
    started: float = 0.0


class Robustness(Record):
    """How a model holds up on test images: accuracies in [0, 1]; what stands in ``robustness.json``.

    Attributes:
        images: how many it was measured on.
        attack: in words.
        clean: on the images as they are.
        attacked: under the attack.
        corrupted: for each common corruption at the severities 1 to 5.
    """

    images: int
    attack: str
    clean: float
    attacked: float
    corrupted: dict[str, tuple[float, ...]]

    @property
    def mean_corrupted(self) -> float:
        """The mean over all corruptions and severities."""
        values = [value for row in self.corrupted.values() for value in row]
        return sum(values) / len(values)


class SearchResult(Record):
    """The outcome of a search: what stands in ``result.json``."""

    format: Literal[1] = 1
    verdict: Verdict
    sentence: str
    returned: Returned
    candidates: tuple[Candidate, ...]
    comparison: Comparison | None
    trials: TrialCounts
    cost: Cost
    data: DataSummary
    objectives: tuple[str, ...] = ("accuracy",)
    history: tuple[TrialSummary, ...]
    inquiries: dict[str, dict[str, Any]] = {}
    generated: dict[str, dict[str, Any]] = {}
    importance: dict[str, float]
    versions: dict[str, str]

    _run_dir: Path = PrivateAttr(default=Path())

    @property
    def run_dir(self) -> Path:
        """The run folder."""
        return self._run_dir

    @property
    def policy(self) -> Policy:
        """The policy that the run returns."""
        return read_policy(self._run_dir / "policy.yaml")

    def candidate(self, name: str) -> Candidate:
        """The candidate of that name; raises `UnknownName` where there is none."""
        found = {c.name: c for c in self.candidates}
        if name not in found:
            raise UnknownName("candidate", name, list(found))
        return found[name]

    @classmethod
    def load(cls, run_dir: str | Path) -> SearchResult:
        """Read the result of a finished run; raises `RunError` where there is none."""
        path = Path(run_dir) / "result.json"
        if not path.is_file():
            raise RunError(f"{run_dir} has no result.json; finish the run with: autoaug resume {run_dir}")
        text = path.read_text()
        check_format(text, str(path))
        result = cls.model_validate_json(text)
        result._run_dir = Path(run_dir)
        return result

    def _repr_html_(self) -> str:
        """The verdict, the candidates and their chart, as notebooks show them."""
        from autoaug.report import notebook_view

        return notebook_view(self)


def check_format(text: str, source: str) -> None:
    """Raise `RunError` where a result is of a newer format than this version reads."""
    try:
        found = json.loads(text).get("format", FORMAT)
    except (ValueError, AttributeError) as fault:
        raise RunError(f"{source} is damaged ({fault}); write it again with: autoaug resume") from None
    if found != FORMAT:
        raise RunError(
            f"{source} is of format {found}, this autoaug reads {FORMAT}; upgrade with: pip install -U autoaug"
        )
