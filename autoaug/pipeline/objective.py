"""Search with a user's objective: a function that replaces the training of a classifier."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError, pausing_on_full_disk
from autoaug.evaluation.comparing import Paired
from autoaug.evaluation.confirmation import CandidatePolicy, Deadline, confirmation_seeds, distinct, train_candidates
from autoaug.evaluation.statistics import estimate, seed_errors
from autoaug.evaluation.verdict import Rival, decide, strongest
from autoaug.evaluation.wording import Phrases, nothing_found
from autoaug.exporters import export_modules
from autoaug.modalities.operators import IDENTITY, get_operator
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.options import ObjectiveOptions
from autoaug.pipeline.parsing import parse_budget
from autoaug.pipeline.searching import known_candidates, searched_candidates
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.policy.words import in_words
from autoaug.results import Interval, MetricRecord, Record, TrialSummary, Verdict
from autoaug.runs.callbacks import listening
from autoaug.search.baselines import CONFIRMED, UNTRIED, affordable_baselines, baseline_scores
from autoaug.search.budget import Budget, Reserve
from autoaug.search.executors import executors, resolve_executor
from autoaug.search.loop import elapsed, run_search
from autoaug.search.progress import Progress
from autoaug.search.space import AdversarialSpace, MixingSpace, SearchSpace, load_space
from autoaug.search.strategies import Strategy, get_strategy
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import TrialRequest, summary
from autoaug.training.result import TrialResult
from autoaug.training.trial import failed
from autoaug.utils.clock import now
from autoaug.utils.facts import Facts
from autoaug.utils.files import write_atomically
from autoaug.utils.locks import held
from autoaug.utils.own_code import code_digest, same_folder
from autoaug.utils.quantities import parse_time
from autoaug.utils.seeds import derive_seed

#: The user's function: given a policy as a transform, a seed and a fidelity in (0, 1], it trains (on that fraction of
#: the data, or for that fraction of the time) and returns a score to be maximized.
Objective = Callable[[PolicyTransform, int, float], float]

#: The compute of one call at full fidelity: the unit of a budget.
_UNIT = 1000
#: Candidates are evaluated with so many fresh seeds even if the time is up.
_LEAST_SEEDS = 2
#: The assumed resolution of scores, which is unknown: it keeps the deviation of equal scores above 0.
_RESOLUTION = 1e-9
#: Scores are no larger: the squares of their differences have to be numbers, too.
_LARGEST = 1e100
#: The key of the time of a confirmation, beside its scores.
_SECONDS = "seconds"
_WORDS = Phrases(MetricRecord(name="score", unit=""), split="", best="the best baseline by the search's trials")

#: Fresh seeds take away the luck of a seed, not that of the data.
_SEEDS_ALONE = "This is about new seeds alone: the luck of what held_out scores on is not part of the interval."
_NOT_HELD_OUT = (
    "without held_out the policies were confirmed by the objective that chose them, on data whose luck favors what was "
    "chosen; give held_out, a function of the same form that scores on data which the objective does not see"
)


@dataclass(frozen=True, eq=False)
class ObjectiveSetting:
    """What all trials of such a search have in common."""

    objective: Objective
    device: str
    modality: str

    def warm_up(self) -> None:
        """Import what policies are applied with; the objective loads what it needs itself."""
        modality = get_modality(self.modality)
        modality.register()
        _ = modality.values, modality.fusions

    def computing(self) -> AbstractContextManager[object]:
        """A context that changes nothing."""
        return nullcontext()


@dataclass(frozen=True)
class Evaluate:
    """Call the objective for `policy`, with `data_fraction` as the fidelity."""

    policy: Policy
    data_fraction: float = 1.0

    def run(self, setting: ObjectiveSetting, seed: int) -> Iterator[TrialResult]:
        """Yield one result."""
        begun = TrialResult(started=now(), sample_passes=round(_UNIT * self.data_fraction))
        transform = PolicyTransform(self.policy, derive_seed(seed, "transform"), modality=setting.modality)
        try:
            with same_folder():
                score = float(setting.objective(transform, seed, self.data_fraction))
            if _LARGEST < abs(score) < math.inf:
                raise ValueError(f"the score {score:g} is too large; return one within ±{_LARGEST:g}")
        except Exception as fault:  # the user's function may raise anything
            yield failed(begun, fault)
            return
        yield replace(begun, status="complete", score=score, ended=now())


def _evaluate(request: TrialRequest) -> Evaluate:
    return Evaluate(request.policy, request.data_fraction)


class Scored(Record):
    """A policy's scores on fresh seeds that all candidates share."""

    name: str
    kind: Literal["baseline", "searched"]
    fingerprint: str
    policy: Policy
    scores: tuple[float, ...]
    mean: float
    ci95: Interval

    @property
    def label(self) -> str:
        """What it is called in texts: a policy of the search by what it does."""
        return self.name if self.kind == "baseline" else in_words(self.policy)


class ObjectiveResult(Record):
    """The outcome of a search with an objective: the content of its ``result.json``.

    Attributes:
        verdict, sentence: whether the search's first finalist beats the strongest baseline; None without ``held_out``,
            and the sentence says why.
        policy: the policy to use: the searched one if it is better, otherwise the best baseline; without a verdict, the
            best candidate.
        candidates: finalists and baselines on fresh seeds, best first.
        difference, ci95, p_value: the searched policy compared with the best baseline, paired by seed; None without a
            verdict.
        history: the trials of the search.
    """

    verdict: Verdict | None
    sentence: str
    policy: Policy
    candidates: tuple[Scored, ...]
    difference: float | None = None
    ci95: Interval | None = None
    p_value: float | None = None
    history: tuple[TrialSummary, ...]


def search_objective(options: ObjectiveOptions) -> ObjectiveResult:
    """See `autoaug.search`; this is its implementation for objectives."""
    with listening(options.progress) as progress:
        return _search(options, progress)


def _search(options: ObjectiveOptions, progress: Progress) -> ObjectiveResult:
    chosen, seed = _checked_strategy(options), options.seed
    progress.measured_by(_WORDS.metric)
    limits = parse_budget(options.trials, options.time, options.budget)
    known = _transforms_alone(options.space if isinstance(options.space, SearchSpace) else load_space(options.space))
    own = [get_operator(name) for name in known.operator_names() if name != IDENTITY]
    need_samples = {operator.name for operator in own if operator.learns or operator.prepares}
    known = known.without({*known.modality.lacking(), *need_samples})
    chosen.check(known)
    modality = known.modality.name
    folder = Path(options.out) if options.out is not None else None
    baselines = {name: policy for name in known.baselines if not (policy := load_policy(name)).mixing}
    tried = {name: baselines[name] for name in affordable_baselines(tuple(baselines), limits)}
    most = options.finalists + min(CONFIRMED, len(baselines))
    limits = limits.model_copy(update={"reserve": Reserve(most * options.seeds / options.workers, 0)})
    searched = _end_of_search(limits, chosen, len(tried), most * options.seeds)
    ends = now() + (limits.seconds or math.inf)
    timeout = parse_time("trial-timeout", options.trial_timeout) if options.trial_timeout else None
    kind = resolve_executor(options.executor, options.workers, options.ray_address)
    judge = options.held_out or options.objective
    judged_by = code_digest(judge)  # before its calls: it may keep state
    with (
        _alone_in(folder),
        executors(kind, options.workers, options.device, options.ray_address, timeout) as open_executor,
    ):
        place = folder / "study.db" if folder else "sqlite:///:memory:"
        study = SearchStudy(place, known, chosen, seed, facts=_facts(options.objective))
        ends -= elapsed(study)  # in earlier sessions
        with open_executor(ObjectiveSetting(options.objective, options.device, modality)) as running:
            progress.part_begins(0.0, searched)  # the start of the workers says nothing of the speed
            run_search(study, running, limits, _UNIT, tried, progress, training=_evaluate)
        candidate_policies = _candidate_policies(study, baselines, options.finalists)
        progress.part_begins(searched, 1.0)
        progress.say(f"confirming {len(candidate_policies)} policies on {options.seeds} fresh seeds")
        store = _ScoreStore(folder / "confirmation.json" if folder else None, judged_by)
        deadline = Deadline(ends - store.seconds, least_seeds=_LEAST_SEEDS)
        fresh = confirmation_seeds(seed, options.seeds)
        with open_executor(ObjectiveSetting(judge, options.device, modality)) as running:
            trained = train_candidates(candidate_policies, fresh, running, store, progress, deadline)
        scored = [
            _scored(candidate, [trained.outcomes[candidate.name, s] for s in fresh[: trained.seeds]])
            for candidate in candidate_policies
            if candidate.name not in trained.left_out
        ]
        history = tuple(summary(trial) for trial in study.ended())
        by_trials = baseline_scores(study.history().trials)
        result = (
            _not_judged(scored, history, _NOT_HELD_OUT)
            if options.held_out is None
            else _judged(scored, by_trials, history, lost=any(c.kind == "searched" for c in candidate_policies))
        )
        if folder is not None:
            _write(folder, result, modality)
    return result


def _facts(objective: Objective) -> Facts:
    """What all trials depend on: the function, by its bytecode, which each version of Python has its own of. It may
    count its calls and the like, and be called again in a notebook.
    """
    version = ".".join(platform.python_version_tuple()[:2])
    return {"task": "objective", "code_of_the_objective": {version: code_digest(objective, state=False)}}


def _end_of_search(budget: Budget, strategy: Strategy, known: int, confirmation: int) -> float:
    """The part of the run that the search takes, if a confirmation has so many evaluations; half of it under a time
    limit. Evaluations on a share of the data count as that share.
    """
    tried = (budget.policies + known) * strategy.explored_fraction / strategy.explores_until if budget.policies else 0.0
    evaluations = budget.trainings or tried or confirmation
    return evaluations / (evaluations + confirmation)


def _checked_strategy(options: ObjectiveOptions) -> Strategy:
    """The strategy of the search; raises `OptionError` for invalid options."""
    chosen = get_strategy(options.strategy)
    if chosen.needs_data:
        raise OptionError(
            f"strategy {options.strategy!r} needs access to the data or to trainings, which an objective does not "
            "give; use auto"
        )
    if len(chosen.objectives) > 1:
        raise OptionError(f"strategy {options.strategy!r} has several objectives, but your own is only one; use auto")
    return chosen


def _candidate_policies(study: SearchStudy, baselines: Mapping[str, Policy], count: int) -> list[CandidatePolicy]:
    """The best baselines, then the `count` best policies of the search, most promising first."""
    known = known_candidates(study, baselines, study.space.modality.usual_policy)
    both = distinct([*known, *searched_candidates(study)])
    return [*known, *[candidate for candidate in both if candidate.kind == "searched"][:count]]


@contextmanager
def _alone_in(folder: Path | None) -> Iterator[None]:
    """Lock the folder of a search, if it has one. Errors that pause the search tell how to continue."""
    cure = "continue with the same call"
    with pausing_on_full_disk(cure):
        if folder is None:
            yield
            return
        with held(folder, f"wait until it has ended, or end it and {cure}"):
            yield


class _ScoreStore:
    """The scores of the confirmation, kept across sessions in a file if there is a folder; see
    `autoaug.evaluation.confirmation.Store`.

    Args:
        path: the file, or None; a damaged file is ignored.
        scorer: the digest of the function that gives the scores. Those of another one are kept, but not read.

    Attributes:
        seconds: the time of the earlier sessions until their last scores.
    """

    cure = "the same call tries again"

    def __init__(self, path: Path | None, scorer: str) -> None:
        self._path, self._scorer = path, scorer
        self._scores: dict[str, float] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError):
            noted = json.loads(path.read_bytes()) if path is not None else {}
            self._scores = {key: float(score) for key, score in noted.items() if math.isfinite(float(score))}
        self.seconds, self._begun = self._scores.get(_SECONDS, 0.0), now()

    def work(self, policy: Policy, seed: int) -> Evaluate:  # noqa: ARG002 (other stores use the seed)
        return Evaluate(policy)

    def read(self, policy: Policy, seed: int) -> float | None:
        return self._scores.get(self._key(policy, seed))

    def keep(self, policy: Policy, seed: int, result: TrialResult) -> float:
        self._scores |= {self._key(policy, seed): result.score, _SECONDS: self.seconds + now() - self._begun}
        if self._path is not None:
            write_atomically(self._path, json.dumps(self._scores, indent=1))
        return result.score

    def _key(self, policy: Policy, seed: int) -> str:
        return f"{self._scorer} {policy.fingerprint()} {seed}"


def _transforms_alone(space: SearchSpace) -> SearchSpace:
    """The space without mixing, attacks and copies, which a transform of samples alone cannot do."""
    return space.model_copy(update={"mixing": MixingSpace(), "adversarial": AdversarialSpace(), "copies": (1, 1)})


def _scored(candidate: CandidatePolicy, scores: Sequence[float]) -> Scored:
    interval = estimate(list(scores), _RESOLUTION)
    return Scored(
        name=candidate.name,
        kind="searched" if candidate.kind == "searched" else "baseline",
        fingerprint=candidate.policy.fingerprint(),
        policy=candidate.policy.model_copy(update={"name": candidate.name}),
        scores=tuple(scores),
        mean=interval.mean,
        ci95=interval.ci95,
    )


def _not_judged(candidates: Sequence[Scored], history: tuple[TrialSummary, ...], why: str) -> ObjectiveResult:
    """The best of the candidates, without a verdict, and why there is none."""
    best, seeds = strongest(candidates), len(candidates[0].scores)
    returned = f"{best.name}, the best of {len(candidates)} by its mean over {seeds} fresh seeds"
    sentence = f"No verdict: {why}. Returned is {returned}."
    ranked = tuple(sorted(candidates, key=lambda c: -c.mean))
    return ObjectiveResult(verdict=None, sentence=sentence, policy=best.policy, candidates=ranked, history=history)


def _judged(
    candidates: Sequence[Scored],
    tried: Mapping[str, tuple[float, float]],
    history: tuple[TrialSummary, ...],
    lost: bool = False,
) -> ObjectiveResult:
    """The verdict on the finalist against the best baseline by its trials; see `baseline_scores` for `tried`. The
    search itself chooses both: chosen by these scores, they would look better than they are. `lost` is whether it had
    policies, and all of them failed.
    """
    known = [c for c in candidates if c.kind == "baseline"]
    if not known:
        return _not_judged(candidates, history, "no baseline could be confirmed")
    baseline = max(known, key=lambda candidate: tried.get(candidate.name, UNTRIED))
    own = [c for c in candidates if c.kind == "searched"]
    words = replace(_WORDS, lost=lost, described={c.name: in_words(c.policy) for c in own})
    if not own:
        sentence = nothing_found(baseline.name, words)
        return ObjectiveResult(
            verdict="no significant difference",
            sentence=sentence,
            policy=baseline.policy,
            candidates=tuple(sorted(candidates, key=lambda c: -c.mean)),
            history=history,
        )
    finalist = own[0]

    def rival(candidate: Scored) -> Rival[Scored]:
        differences = tuple(a - b for a, b in zip(finalist.scores, candidate.scores, strict=True))
        return Rival(candidate, Paired(differences, seed_errors(differences, _RESOLUTION)))

    against = rival(baseline)
    decision = decide(finalist, against, rival(strongest(known)), baseline, words)
    paired = against.difference
    return ObjectiveResult(
        verdict=decision.verdict,
        sentence=f"{decision.sentence} {_SEEDS_ALONE}",
        policy=decision.returned.policy,
        candidates=tuple(sorted(candidates, key=lambda c: -c.mean)),
        difference=paired.difference,
        ci95=paired.ci95,
        p_value=paired.p_value,
        history=history,
    )


def _write(folder: Path, result: ObjectiveResult, modality: str) -> None:
    for name, text in export_modules(result.policy, modality).items():
        write_atomically(folder / name, text)
    write_atomically(folder / "policy.yaml", result.policy.to_yaml())
    write_atomically(folder / "result.json", result.model_dump_json(indent=2))
