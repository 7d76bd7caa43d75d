"""The verdict on policies that have one score per seed, by a user's objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from autoaug.evaluation.comparing import Paired
from autoaug.evaluation.confirmation import CandidatePolicy
from autoaug.evaluation.statistics import estimate, seed_errors
from autoaug.evaluation.verdict import Rival, decide, strongest
from autoaug.evaluation.wording import Phrases, nothing_found
from autoaug.policy.models import Policy
from autoaug.policy.words import in_words
from autoaug.results import MetricRecord, ObjectiveResult, Scored, TrialSummary, Verdict
from autoaug.search.baselines import UNTRIED

#: What an objective measures.
SCORE = MetricRecord(name="score", unit="")
#: The assumed resolution of scores, which is unknown: it keeps the deviation of equal scores above 0.
_RESOLUTION = 1e-9
_WORDS = Phrases(SCORE, split="", best="the best baseline by the search's trials")
#: Fresh seeds take away the luck of a seed, not that of the data.
_SEEDS_ALONE = "This is about new seeds alone: the luck of what held_out scores on is not part of the interval."
_NOT_HELD_OUT = (
    "without held_out the policies were confirmed by the objective that chose them, on data whose luck favors what was "
    "chosen; give held_out, a function of the same form that scores on data which the objective does not see"
)


def scored(candidate: CandidatePolicy, scores: Sequence[float]) -> Scored:
    """A candidate with its `scores`, and the interval of their mean."""
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


def judge_scores(
    candidates: Sequence[Scored],
    history: tuple[TrialSummary, ...],
    tried: Mapping[str, tuple[float, float]],
    is_held_out: bool,
    lost: bool = False,
) -> ObjectiveResult:
    """The verdict on the finalist against the best baseline by its trials. The search itself chooses both: chosen by
    these scores, they would look better than they are. There is none without a baseline, or if it is the objective of
    the search that scored the candidates.

    Args:
        candidates: the candidates, of each kind the most promising first.
        history: the trials of the search.
        tried: what these say of baselines; see `baseline_scores`.
        is_held_out: whether another function than the objective of the search scored the candidates.
        lost: whether the search had policies, and all of them failed.
    """
    known, own = ([c for c in candidates if c.kind == kind] for kind in ("baseline", "searched"))
    if not (is_held_out and known):
        best, seeds = strongest(candidates), len(candidates[0].scores)
        why = "no baseline could be confirmed" if is_held_out else _NOT_HELD_OUT
        returned = f"{best.name}, the best of {len(candidates)} by its mean over {seeds} fresh seeds"
        return _result(candidates, history, None, f"No verdict: {why}. Returned is {returned}.", best.policy)
    baseline = max(known, key=lambda candidate: tried.get(candidate.name, UNTRIED))
    words = replace(_WORDS, lost=lost, described={c.name: in_words(c.policy) for c in own})
    if not own:
        sentence = nothing_found(baseline.name, words)
        return _result(candidates, history, "no significant difference", sentence, baseline.policy)
    finalist = own[0]

    def rival(candidate: Scored) -> Rival[Scored]:
        differences = tuple(a - b for a, b in zip(finalist.scores, candidate.scores, strict=True))
        return Rival(candidate, Paired(differences, seed_errors(differences, _RESOLUTION)))

    against = rival(baseline)
    decision = decide(finalist, against, rival(strongest(known)), baseline, words)
    sentence = f"{decision.sentence} {_SEEDS_ALONE}"
    return _result(candidates, history, decision.verdict, sentence, decision.returned.policy, against.difference)


def _result(
    candidates: Sequence[Scored],
    history: tuple[TrialSummary, ...],
    verdict: Verdict | None,
    sentence: str,
    policy: Policy,
    paired: Paired | None = None,
) -> ObjectiveResult:
    return ObjectiveResult(
        verdict=verdict,
        sentence=sentence,
        policy=policy,
        candidates=tuple(sorted(candidates, key=lambda c: -c.mean)),
        difference=paired.difference if paired else None,
        ci95=paired.ci95 if paired else None,
        p_value=paired.p_value if paired else None,
        history=history,
    )
