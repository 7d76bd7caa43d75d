"""The result of a run: its candidates, comparisons and trials."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator

from autoaug.errors import OtherFormat, RunError, UnknownName, resume_command
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import read_policy
from autoaug.policy.models import Policy
from autoaug.policy.words import policy_label
from autoaug.results.metric import MetricRecord, MetricValues
from autoaug.results.probes import read_generated, read_probe
from autoaug.results.record import CandidateKind, Count, Fraction, Integer, Interval, Record, Size, Unit, Verdict
from autoaug.results.transcripts import Transcripts
from autoaug.utils.formats import refusal
from autoaug.utils.json import read_record

FORMAT = 2


class Candidate(Record):
    """A policy retrained from scratch on fresh seeds that all candidates share. `mean` and `ci95` are of the scores on
    the test split, of which larger is better; `MetricRecord` says how to show them.

    `metrics` has all metrics of the task by name, whichever was asked for; older results have none. `class_scores` is
    the mean recall over the seeds, None for a class without test samples; `class_scores_by_seed` has a row per seed;
    `confusion` counts test samples by class and prediction over all seeds. Without classes, these three are empty.
    """

    name: str
    kind: CandidateKind
    fingerprint: str
    trial: Integer | None
    policy: Policy
    seeds: Annotated[tuple[Integer, ...], Field(min_length=1)]
    validation_scores: tuple[float, ...]
    validation_mean: float
    test_scores: tuple[float, ...]
    mean: float
    ci95: Interval
    metrics: dict[str, MetricValues] = Field(default_factory=dict)
    class_scores: tuple[float | None, ...]
    class_scores_by_seed: tuple[tuple[float | None, ...], ...] = ()
    confusion: tuple[tuple[Count, ...], ...] = ()
    seconds: float

    @model_validator(mode="after")
    def _has_a_row_per_seed_and_a_column_per_class(self) -> Self:
        seeds, classes = len(self.seeds), len(self.class_scores)
        for name in ("validation_scores", "test_scores", "class_scores_by_seed"):
            found = len(getattr(self, name))
            if found != seeds and (found or name != "class_scores_by_seed"):
                raise ValueError(f"{name} has {found} entries for {seeds} seeds")
        if self.class_scores_by_seed and not self.confusion:
            raise ValueError("class_scores_by_seed is given without confusion")
        if self.confusion and len(self.confusion) != classes:
            raise ValueError(f"confusion has {len(self.confusion)} rows for {classes} classes")
        if any(len(row) != classes for row in (*self.class_scores_by_seed, *self.confusion)):
            raise ValueError(f"class_scores_by_seed or confusion has a row that does not have {classes} classes")
        return self

    @property
    def label(self) -> str:
        """What it is called in texts."""
        return policy_label(self.name, self.policy, self.trial)

    def scores(self) -> Iterator[tuple[str, float]]:
        """Each score, with the name of its field."""
        yield from (("mean", self.mean), ("validation_mean", self.validation_mean))
        rows = {
            "validation_scores": self.validation_scores,
            "test_scores": self.test_scores,
            "class_scores": self.class_scores,
            "class_scores_by_seed": itertools.chain(*self.class_scores_by_seed),
        }
        yield from ((name, score) for name, row in rows.items() for score in row if score is not None)


#: Smaller parts of an interval, compared with the other part, cannot be seen in it.
_NEGLIGIBLE = 1e-3


class McNemar(Record):
    """The exact test of McNemar (1947) on the pooled predictions of all seeds."""

    only_candidate_right: Count
    only_baseline_right: Count
    p_value: Unit


class Comparison(Record):
    """A candidate compared with a baseline on the test split, paired by seed. `against` describes the baseline. The
    differences are of scores, so those of a better candidate are above 0.

    `difference`, `ci95` and `p_value` allow for all `interim_analyses` together; `level` is the level of the seeds'
    part at this one alone. Half the interval's width has two parts, see `Reach`, whose squares add up; both are None in
    older results, whose interval is for new seeds alone. `folds` is None if all seeds have one split, `test_groups`
    without groups, and `mcnemar` if predictions are not right or wrong.
    """

    candidate: str
    baseline: str
    against: str = ""
    differences: Annotated[tuple[float, ...], Field(min_length=1)]
    difference: float
    ci95: Interval
    seeds_reach: Annotated[float, Field(ge=0)] | None = None
    samples_reach: Annotated[float, Field(ge=0)] | None = None
    p_value: Unit
    level: Unit = 0.05
    interim_analyses: tuple[Count, ...] = ()
    folds: Annotated[int, Field(ge=2)] | None = None
    test_groups: Annotated[int, Field(ge=1)] | None = None
    mcnemar: McNemar | None = None

    @property
    def tells_samples(self) -> bool:
        """Whether the luck of the test samples could be told apart from the noise of the seeds. Where it was estimated
        as none, `samples_reach` is a bound, which may be tiny.
        """
        return (self.samples_reach or 0.0) > _NEGLIGIBLE * (self.seeds_reach or 0.0)


class Returned(Record):
    """The policy that the run returns."""

    name: str
    fingerprint: str
    is_searched: bool


class LeftOut(Record):
    """A candidate whose confirmation failed twice, so that it is not judged, and why."""

    name: str
    kind: CandidateKind
    reason: str


class TrialCounts(Record):
    """The number of trials of the search by how they ended."""

    complete: Count
    pruned: Count
    failed: Count


class Cost(Record):
    """The cost of the run. ``overhead_fraction`` = 1 - trial compute / (workers x wall time of the search). `energy` is
    the energy used by the processors during the run, in watt-hours; None if they do not report it.
    """

    search_seconds: float
    confirmation_seconds: float
    trial_compute_seconds: float
    overhead_fraction: float
    augmentation_seconds: float
    samples_seen: Count
    run_bytes: Count
    energy: float | None = None


#: Classes are uneven where the largest has more than this many times the samples of the smallest.
UNEVEN = 3


class DataSummary(Record):
    """The data of the search, and how many `folds`; `class_counts` are training samples. Older results do not name the
    modality: theirs is the first. Nor do they count classes. Of texts, `classes` are the characters. `task` is what is
    predicted, by its name; `means` and `deviations` are those of numbers in the training split. `scale` is how
    values in files are scaled, in the modality's terms.
    """

    name: str
    fingerprint: str
    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    class_counts: tuple[Count, ...] = ()
    task: str = "classification"
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    modality: str = Field(default_factory=lambda: get_modality().name)
    shape: Annotated[tuple[Size, ...], Field(min_length=1)]
    scale: dict[str, int | float] = Field(default_factory=dict)
    train: Size
    validation: Count
    test: Count
    folds: Count | None = None
    findings: tuple[str, ...]

    @property
    def is_uneven(self) -> bool:
        """Whether the largest class has more than three times the training samples of the smallest."""
        return bool(self.class_counts) and max(self.class_counts) > UNEVEN * min(self.class_counts)


class LongerTraining(Record):
    """A training of a candidate for `epochs`, twice the full length, with the first seed of the confirmation: its test
    `score`, and the one at full length, `before`.
    """

    candidate: str
    epochs: Count
    before: float
    score: float


class TrialSummary(Record):
    """A trial of the search. `data_fraction` is the fraction of the training split, `stop` the fraction of full length,
    `values` has one number per objective, `params` has the sampler's choices by name, and `started` is in seconds since
    the epoch. `words` say what its policy does; empty in older results, and for baselines.
    """

    number: Count
    name: str
    stage: str
    data_fraction: Fraction
    seed_index: Count
    stop: Fraction = 1.0
    status: Literal["complete", "pruned", "failed"]
    values: tuple[float, ...]
    score: float | None
    curve: tuple[tuple[Count, float], ...]
    seconds: float
    sample_passes: Count
    reason: str
    note: str
    is_baseline: bool
    fingerprint: str
    params: dict[str, float | str] = Field(default_factory=dict)
    started: float = 0.0
    words: str = ""

    @property
    def label(self) -> str:
        """What it is called in texts."""
        return self.words or self.name


def known_policies(trials: Iterable[TrialSummary]) -> set[str]:
    """The fingerprints of the baselines that were tried. A search may try one of them again, as a policy of its own."""
    return {trial.fingerprint for trial in trials if trial.is_baseline}


class _Formatted(BaseModel):
    """The format of a result; other fields are ignored."""

    format: int = FORMAT


class SearchResult(Record):
    """The outcome of a search: the content of ``result.json``. The verdict is based on the `comparison` of the finalist
    with the best baseline by validation; `claims` are what is proven about the policy that is returned; `longer` is
    what it and its rival gain from twice the length; `stopped` is why the search ended before its budget was spent, if
    it did, and it is `exhausted` if nothing was left to try; `transcripts` has predicted texts, if texts are predicted;
    `trial_metric` is what the scores of trials are, if it is not the `metric`.
    """

    format: Literal[2] = 2
    metric: MetricRecord = MetricRecord()
    trial_metric: MetricRecord | None = None
    verdict: Verdict
    sentence: str
    returned: Returned
    candidates: Annotated[tuple[Candidate, ...], Field(min_length=1)]
    left_out: tuple[LeftOut, ...] = ()
    comparison: Comparison | None
    claims: tuple[Comparison, ...] = ()
    longer: tuple[LongerTraining, ...] = ()
    trials: TrialCounts
    cost: Cost
    data: DataSummary
    objectives: Annotated[tuple[str, ...], Field(min_length=1)] = ("accuracy",)
    stopped: str = ""
    exhausted: bool = False
    history: tuple[TrialSummary, ...]
    probes: dict[str, dict[str, Any]] = Field(default_factory=dict)
    generated: dict[str, dict[str, Any]] = Field(default_factory=dict)
    transcripts: Transcripts | None = None
    importance: dict[str, float]
    versions: dict[str, str]

    _run_dir: Path = PrivateAttr(default=Path())

    @field_validator("probes")
    @classmethod
    def _probes_can_be_read(cls, probes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {name: read_probe(name, facts) for name, facts in probes.items()}

    @field_validator("generated")
    @classmethod
    def _generated_can_be_read(cls, generated: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {kind: read_generated(kind, facts) for kind, facts in generated.items()}

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        names = [candidate.name for candidate in self.candidates]
        named = {"returned": self.returned.name}
        for where, found in (("comparison", self.comparison), *((f"claims.{n}", c) for n, c in enumerate(self.claims))):
            if found:
                named |= {f"{where}.candidate": found.candidate, f"{where}.baseline": found.baseline}
        for field_name, name in named.items():
            if name not in names:
                raise ValueError(f"{field_name} names {name!r}, which is not among the candidates")
        for candidate in self.candidates:
            if len(candidate.class_scores) not in {0, len(self.data.classes)}:
                raise ValueError(
                    f"candidate {candidate.name!r} has scores for {len(candidate.class_scores)} classes, but the data "
                    f"have {len(self.data.classes)}"
                )
        if len(self.data.class_counts) not in {0, len(self.data.classes)}:
            raise ValueError(
                f"class_counts has {len(self.data.class_counts)} entries for {len(self.data.classes)} classes"
            )
        for number, candidate in enumerate(self.candidates if self.metric.is_share else ()):
            for field_name, score in candidate.scores():
                if not 0 <= score <= 1:
                    raise ValueError(f"candidates.{number}.{field_name}: {score:g} is not a fraction from 0 to 1")
        for trial in self.history:
            if trial.values and len(trial.values) != len(self.objectives):
                raise ValueError(
                    f"trial {trial.number} has {len(trial.values)} values for {len(self.objectives)} objectives"
                )
        return self

    @property
    def measured_in_trials(self) -> MetricRecord:
        """What the scores of trials are."""
        return self.trial_metric or self.metric

    @property
    def run_dir(self) -> Path:
        """The run folder."""
        return self._run_dir

    @property
    def policy(self) -> Policy:
        """The policy that the run returns."""
        return read_policy(self._run_dir / "policy.yaml")

    @property
    def returned_candidate(self) -> Candidate:
        """The candidate whose policy the run returns."""
        return self.candidate(self.returned.name)

    def candidate(self, name: str) -> Candidate:
        """The candidate with that name; raises `UnknownName` if there is none."""
        by_name = {c.name: c for c in self.candidates}
        if name not in by_name:
            raise UnknownName("candidate", name, list(by_name))
        return by_name[name]

    @classmethod
    def load(cls, run_dir: str | Path) -> SearchResult:
        """Read the result of a finished run; raises `RunError` if there is none, or it is damaged."""
        path = Path(run_dir) / "result.json"
        going_on = resume_command(Path(run_dir))
        own = "with --trust if the run uses functions of yours or a Ray cluster"
        if not path.is_file():
            if not path.with_name("config.yaml").is_file():
                raise RunError(f"{run_dir} is not a run folder: it has no config.yaml")
            raise RunError(f"{run_dir} has no result.json; finish the run with: {going_on} ({own})")
        cure = f"{going_on} writes it again, {own}"
        if reason := refusal(read_record(path, _Formatted, RunError, cure).format, FORMAT, "begin a new run"):
            raise OtherFormat(f"{path} {reason}")
        result = read_record(path, cls, RunError, cure)
        result._run_dir = Path(run_dir)
        return result

    def _repr_html_(self) -> str:
        """The verdict, the candidates and their chart, for notebooks."""
        from autoaug.report import notebook_view

        return notebook_view(self)
