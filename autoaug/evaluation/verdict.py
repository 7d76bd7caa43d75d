"""The verdict on confirmed candidates, and the choice of the returned policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, Protocol, TypeVar

from autoaug.evaluation import wording
from autoaug.evaluation.comparing import Paired, comparison_of, paired, pooled_discordance
from autoaug.evaluation.returning import best_bet, best_by_validation
from autoaug.evaluation.scoring import Scoring, Trainings
from autoaug.evaluation.wording import Phrases
from autoaug.policy.words import LONGEST, in_distinct_words
from autoaug.results import Candidate, CandidateKind, Comparison, Returned, Verdict
from autoaug.training.metrics import metric_record


class HasMean(Protocol):
    """A candidate with the mean of its scores; higher is better."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> CandidateKind: ...

    @property
    def mean(self) -> float: ...


C = TypeVar("C", bound=HasMean)


@dataclass(frozen=True)
class Terms:
    """How candidates are judged.

    Attributes:
        after_search: whether the candidates come from a search.
        planned: the numbers of seeds at the interim analyses; empty for a single analysis.
        returns: what is returned if the finalist is proven neither better nor worse.
        usual_policy: the name of the policy that is the default in practice.
        stopped: why the search ended early; empty if it did not.
        lost: whether the search had policies, and all of them failed in the confirmation.
    """

    after_search: bool = True
    planned: tuple[int, ...] = ()
    returns: Literal["best-bet", "baseline-unless-better"] = "best-bet"
    usual_policy: str = ""
    stopped: str = ""
    lost: bool = False


@dataclass(frozen=True)
class Decision(Generic[C]):
    """The verdict, its sentence, and the returned candidate."""

    verdict: Verdict
    sentence: str
    returned: C


@dataclass(frozen=True)
class Rival(Generic[C]):
    """A baseline, and the difference of the finalist to it."""

    candidate: C
    difference: Paired

    @property
    def verdict(self) -> Verdict:
        """The verdict on the finalist against it."""
        return self.difference.verdict


def decide(finalist: C, baseline: Rival[C], strongest: Rival[C], bet: C, words: Phrases) -> Decision[C]:
    """Decide whether `finalist` is better than its `baseline`; it must also be better than the `strongest`. A baseline
    cannot be the better finalist of a search: it means that nothing was found.

    The finalist is returned if it is better, the `baseline` if the finalist is worse, and otherwise the `bet`.
    """
    if words.after_search and finalist.kind == "baseline":
        return Decision("no significant difference", wording.nothing_found(bet.name, words), bet)
    verdict, other = baseline.verdict, baseline.candidate
    theirs = f"{words.named(other.name)}, {words.role(other.kind)}"
    if verdict == "better" and strongest.verdict != "better":
        verdict = "no significant difference"
        hardest = strongest.candidate.name, strongest.difference
        sentence = wording.ahead_of_one(finalist.name, theirs, baseline.difference, hardest, words)
    else:
        sentence = wording.decided(verdict, finalist.name, theirs, baseline.difference, words)
    # Who wants a baseline unless something better is proven does not want the winner of the control search either.
    known = bet if other.kind == "control" and bet.kind == "baseline" else other
    returned = {"better": finalist, "worse": known}.get(verdict, bet)
    if verdict != "better":
        why = words.role(other.kind) if returned is other else words.bet
        named = returned.name if returned in (finalist, other) else words.named(returned.name)
        sentence += f" Returned is {named}, {why}."
    return Decision(verdict, sentence, returned)


@dataclass(frozen=True)
class Judgment(Decision[Candidate]):
    """The decision on trained candidates.

    Attributes:
        comparison: the finalist compared with the best baseline by validation; None without baselines.
        claims: the comparisons of the returned policy with what its user may ask about.
        rivals: the baselines that the verdict depends on: the best by validation, and the strongest by test.
    """

    comparison: Comparison | None
    claims: tuple[Comparison, ...] = ()
    rivals: tuple[Rival[Candidate], ...] = ()

    def as_returned(self) -> Returned:
        """The record of the returned policy."""
        is_searched = self.returned.kind != "baseline"
        return Returned(name=self.returned.name, fingerprint=self.returned.fingerprint, is_searched=is_searched)


def judge(
    candidates: Sequence[Candidate], trainings: Trainings, scoring: Scoring, terms: Terms | None = None
) -> Judgment:
    """Pick the finalist and its baseline by validation, compare them on the test split, and decide.

    The finalist is the searched candidate with the best validation mean, or, where there is none, the best of all; its
    baselines are the known policies and the winner of the control search.

    Args:
        candidates: the candidates. Their validation means are compared over the first seeds, which all share.
        trainings: the trainings of the candidates.
        scoring: how trainings are scored.
        terms: how candidates are judged.
    """
    terms = terms or Terms()
    shared = min(len(c.seeds) for c in candidates)
    known, own = ([c for c in candidates if c.kind == kind] for kind in ("baseline", "searched"))
    words = _words(candidates, scoring, terms)
    if terms.after_search and not own:
        best = best_by_validation(known or candidates, shared)
        claims = _claims(best, candidates, trainings, scoring, terms)
        return Judgment("no significant difference", wording.nothing_found(best.name, words), best, None, claims)
    finalist = best_by_validation(own or candidates, shared)
    baselines = baselines_of(finalist, candidates, terms.after_search)
    if not baselines:
        return Judgment("no significant difference", wording.alone(finalist.name, words), finalist, None)

    def rival(candidate: Candidate) -> Rival[Candidate]:
        return Rival(candidate, paired(finalist, candidate, trainings, scoring, terms.planned))

    baseline = rival(best_by_validation(baselines, shared))
    hardest = strongest(baselines)
    both = baseline, baseline if hardest is baseline.candidate else rival(hardest)
    if terms.returns == "best-bet":
        bet = best_bet(candidates, trainings, scoring, shared)
    else:
        bet = best_by_validation(known or candidates, shared)
    decision = decide(finalist, *both, bet, words)
    pooled = pooled_discordance(finalist, baseline.candidate, trainings, scoring)
    return Judgment(
        decision.verdict,
        decision.sentence,
        decision.returned,
        comparison_of(finalist, baseline.candidate, baseline.difference, pooled, words.role(baseline.candidate.kind)),
        _claims(decision.returned, candidates, trainings, scoring, terms),
        both,
    )


def _words(candidates: Sequence[Candidate], scoring: Scoring, terms: Terms) -> Phrases:
    """The words for these candidates."""
    described = zip(candidates, in_distinct_words([c.policy for c in candidates]), strict=True)
    phrases = Phrases(
        metric_record(scoring.metric),
        after_search=terms.after_search,
        stopped=terms.stopped,
        lost=terms.lost,
        described={c.name: own for c, own in described if c.kind != "baseline" and len(own) <= LONGEST},
    )
    return phrases if terms.returns == "best-bet" else replace(phrases, bet=phrases.best)


def _claims(
    returned: Candidate, candidates: Sequence[Candidate], trainings: Trainings, scoring: Scoring, terms: Terms
) -> tuple[Comparison, ...]:
    """The returned policy compared with each baseline that its user may ask about, over the seeds that both have."""
    known = [c for c in candidates if c.kind == "baseline"]
    others = [c for c in known if c is not returned]
    roles: dict[str, list[str]] = {}
    if others:
        roles = {"none": ["no augmentation"]}
        roles.setdefault(terms.usual_policy, []).append("the usual default")
        hardest, among = strongest(others), "baseline" if strongest(known) is not returned else "other baseline"
        roles.setdefault(hardest.name, []).append(f"the strongest {among} by test")
    claims = []
    for other in others:
        if other.name in roles:
            difference = paired(returned, other, trainings, scoring, terms.planned)
            claims.append(comparison_of(returned, other, difference, against=" and ".join(roles[other.name])))
    return tuple(claims)


def strongest(candidates: Sequence[C]) -> C:
    """The candidate with the highest mean on the test split. This choice can only make "better" harder to reach."""
    return max(candidates, key=lambda c: c.mean)


def baselines_of(finalist: Candidate, candidates: Sequence[Candidate], after_search: bool) -> list[Candidate]:
    """The candidates that the finalist has to beat, among those with all of its seeds: those that were not searched.
    Without a search, a comparison of policies of one's own alone is one with all others.
    """
    others = [c for c in candidates if c is not finalist and len(c.seeds) == len(finalist.seeds)]
    known = [c for c in others if c.kind != "searched"]
    return known if known or after_search else others


def contenders(judgment: Judgment, candidates: Sequence[Candidate], after_search: bool = True) -> list[str]:
    """The candidates to train on more seeds: the finalist, its baseline, and others that may yet turn out to be the
    strongest, since they are no further behind than more seeds may move them. Empty if the data have decided, or if
    more seeds are unlikely to show that the finalist is better.
    """
    comparison = judgment.comparison
    if comparison is None or judgment.verdict != "no significant difference":
        return []
    if any(rival.difference.is_futile for rival in judgment.rivals if rival.verdict != "better"):
        return []
    finalist = next(c for c in candidates if c.name == comparison.candidate)
    hardest = judgment.rivals[-1]
    lowest = hardest.candidate.mean - hardest.difference.reach.seeds
    baselines = baselines_of(finalist, candidates, after_search)
    return [finalist.name, *(c.name for c in baselines if c.mean >= lowest or c.name == comparison.baseline)]
