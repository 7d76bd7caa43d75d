"""The default: look for a shift, explore a small space on a share of the data, repeat, and finish at full length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from optuna.samplers import RandomSampler

from autoaug.policy import Policy
from autoaug.sampling import Suggest, sample_around, sample_shaped, usual_shape
from autoaug.space import SearchSpace
from autoaug.strategies.affinity import NAME as AFFINITY
from autoaug.strategies.affinity import MeasureAffinity, bearable_strength
from autoaug.strategies.base import Brief, Draw, Fixed, History, Inquiry, Past, Step, Strategy, next_baseline
from autoaug.strategies.evidence import Standing, standings
from autoaug.strategies.shift import NAME, MatchShift, matched
from autoaug.strategies.tpe import tpe_sampler

#: Exploring trials train on this share of the data, for all epochs. On 2,000 images of CIFAR-10 the ranks of eleven
#: policies agreed with those of full trainings by 0.83 and 0.40 for two seeds, and by 0.90 for their mean; trials of
#: a quarter of the epochs, which cost the same, by 0.51 and 0.44.
SHARE = 0.25
#: At which share of the budget exploring ends.
_EXPLORED = 0.55
#: From which share of the budget on the best are trained at full length.
_REPEATED = 0.75
_REPEATS = 6
_REPEATED_POLICIES = 6
_WHOLE_POLICIES = 4
_BEFORE_ANCHOR = 2
#: So many shaped draws are made before operators are told apart.
_SHAPED = 40
_GATE_REPEATS = (0, 1)
#: The most trials that TPE is shown.
_TOLD = 250


class Auto(Strategy):
    """Spends the budget in stages.

    1. Two-sample matching between the splits, without training. What it proposes must pass a gate: better than no
       augmentation with both of two seeds.
    2. The baselines; then affinity and diversity of each operator, by the model of the one without augmentation:
       reported, and what strength the portfolio starts from. Never a filter: under a shift it ranks the right operator
       last.
    3. A portfolio of policies of the space's shape that practice knows, then TPE over that shape: how many layers of
       which family at one strength, which mixing, how many copies. Each is trained on a quarter of the data. With a
       large budget, neighbours of the best policy follow, operator by operator.
    4. The best are repeated with other seeds; what is believed of a policy is shrunken by what noise explains.
    5. The best of those are trained at full length.
    """

    name = "auto"
    summary = "the default: finds shifts, explores cheaply, repeats what looks good, ends at full length"
    prunes = False

    def next(self, history: History, brief: Brief) -> Step | None:
        if brief.spent >= _finishing(brief):
            return _finish(history, brief)
        if brief.has_data and NAME not in history.findings:
            return Inquiry(NAME, MatchShift())
        if step := next_baseline(history, brief, SHARE):
            return step
        running = {past.name for past in history.trials if past.is_running and past.is_baseline}
        if brief.has_data and brief.space.families and AFFINITY not in history.findings and "none" not in running:
            return Inquiry(AFFINITY, MeasureAffinity(brief.space, SHARE))
        is_looking = any(found is None for found in history.findings.values())
        if is_looking or running:
            return None
        policy = matched(history.findings.get(NAME))
        if policy is not None and (step := _next_in_gate(history, policy)):
            return step
        is_shift = policy is not None and _passes_gate(history)
        if is_shift is None:
            return None
        if brief.spent < _EXPLORED:
            return _explore(history, brief, policy if is_shift else None)
        return _repeat(history) or _finish(history, brief)

    def finalists(self, history: History) -> list[Past]:
        """By all that is known of a policy, those that were trained at full length; among the first three is one that
        hardly differs from the best published policy, so that a search does not end far below that.
        """
        own = [s for s in standings(history.trials) if not s.past.is_baseline]
        whole = [s.past for s in own if s.is_whole]
        anchor = _anchor([s.past for s in own], history)
        if anchor is None or not whole or anchor in whole[:_BEFORE_ANCHOR]:
            return whole
        rest = [past for past in whole[_BEFORE_ANCHOR:] if past is not anchor]
        return [*whole[:_BEFORE_ANCHOR], anchor, *rest]


def _anchor(ranked: Iterable[Past], history: History) -> Past | None:
    """The most promising of those that only vary the published policy with the best score."""
    scores = {past.name: past.score or 0.0 for past in history.trials if past.is_baseline}
    varied = [past for past in ranked if past.frozen.params.get("layers of") in scores and past.policy.mixing is None]
    best = max((scores[past.frozen.params["layers of"]] for past in varied), default=0.0)
    return next((past for past in varied if scores[past.frozen.params["layers of"]] == best), None)


def _finishing(brief: Brief) -> float:
    """The share of the budget at which the end begins: at least one training at full length must fit in."""
    return _REPEATED if brief.budget is None else min(_REPEATED, 1 - min(1.0, 1 / brief.budget))


def _next_in_gate(history: History, policy: Policy) -> Fixed | None:
    begun = {(past.name, past.repeat) for past in history.trials if past.share == SHARE}
    for name, arm in (("matched", policy), ("none", Policy(name="none"))):
        for repeat in _GATE_REPEATS:
            if (name, repeat) not in begun:
                return Fixed(name, arm, SHARE, repeat, stage="gate")
    return None


def _passes_gate(history: History) -> bool | None:
    """Whether the matched policy is better than none with every seed; None while that is not known."""
    arms: dict[tuple[str, int], Past] = {}
    for past in history.trials:
        if past.share == SHARE:
            arms.setdefault((past.name, past.repeat), past)
    pairs = [(arms["matched", repeat], arms["none", repeat]) for repeat in _GATE_REPEATS]
    if any(past.is_running for pair in pairs for past in pair):
        return None
    return all(a.score is not None and b.score is not None and a.score > b.score for a, b in pairs)


def _explore(history: History, brief: Brief, shift: Policy | None) -> Step:
    published = _published(brief)
    strength = bearable_strength(history.findings.get(AFFINITY)) if shift is None else None
    known = list(portfolio(brief.space, published, _best_of(published, history), strength))
    shaped = [past for past in history.trials if past.stage in {"portfolio", "shape"}]
    draw = partial(_sample_shifted, published, shift)
    if len(shaped) < len(known):
        start = {**known[len(shaped)], "matched": "on"}
        return Draw(lambda seed: RandomSampler(seed=seed), (), draw, start, SHARE, "portfolio")
    if len(shaped) >= _SHAPED and (best := _best_to_vary(shaped)):
        around = [past for past in history.trials if past.stage == f"around {best.number}"]
        if len(around) < len(shaped) / 2:
            return Draw(
                tpe_sampler, around[-_TOLD:], partial(_sample_near, best.policy), {}, SHARE, f"around {best.number}"
            )
    return Draw(partial(tpe_sampler, startup=len(known)), shaped[-_TOLD:], draw, {}, SHARE, "shape")


def _published(brief: Brief) -> dict[str, Policy]:
    """The baselines whose layers choose between operators, and which are nothing but layers."""
    return {
        name: policy
        for name, policy in brief.baselines.items()
        if any(len(layer.branches) > 1 for layer in policy.layers)
        and not (policy.chains or policy.mixing or policy.adversarial or policy.copies > 1)
    }


def _best_of(published: Mapping[str, Policy], history: History) -> str | None:
    """The name with the best score on a share of the data."""
    scored = {past.name: past.score for past in history.trials if past.is_baseline and past.share == SHARE}
    return max(published, key=lambda name: scored.get(name) or 0.0, default=None)


def _sample_shifted(
    published: Mapping[str, Policy], shift: Policy | None, space: SearchSpace, suggest: Suggest
) -> Policy:
    drawn = sample_shaped(space, suggest, published)
    if shift is None or suggest.suggest_categorical("matched", ("on", "off")) == "off":
        return drawn
    return drawn + shift


def _sample_near(policy: Policy, space: SearchSpace, suggest: Suggest) -> Policy:  # noqa: ARG001 (as all draws)
    return sample_around(policy, suggest)


def _best_to_vary(shaped: Iterable[Past]) -> Past | None:
    """The best that chooses between operators; each was trained once, under the same conditions."""
    ranked = sorted((past for past in shaped if past.values), key=lambda past: -past.values[0])
    return next((past for past in ranked if any(len(layer.branches) > 1 for layer in past.policy.layers)), None)


def _repeat(history: History) -> Fixed | None:
    """The next repeat, on a share of the data, of one of the best."""
    own = _own(history)
    return _next_trial(history, own[: max(_REPEATED_POLICIES, len(own) // 6)], SHARE, "repeat")


def _finish(history: History, brief: Brief) -> Step | None:
    """The next of the best at full length; what practice knows where nothing has been tried."""
    own = _own(history)
    if own:
        return _next_trial(history, own[: max(_WHOLE_POLICIES, len(own) // 24)], 1.0, "finish")
    if any(past.share == 1 for past in history.trials):
        return None
    first = next(portfolio(brief.space))
    return Draw(lambda seed: RandomSampler(seed=seed), draw=sample_shaped, start=first, stage="finish")


def _next_trial(history: History, best: Sequence[Standing], share: float, stage: str) -> Fixed | None:
    begun = {past.key for past in history.trials}
    for repeat in range(_REPEATS):
        for s in best:
            if (s.past.key[0], share, repeat) not in begun:
                return Fixed(s.past.name, s.past.policy, share, repeat, stage=stage)
    return None


def _own(history: History) -> Sequence[Standing]:
    """Policies that are no baselines, the best first."""
    baselines = {past.key[0] for past in history.trials if past.is_baseline}
    return [s for s in standings(history.trials) if s.past.key[0] not in baselines]


def portfolio(
    space: SearchSpace, published: Iterable[str] = (), best: str | None = None, strength: float | None = None
) -> Iterator[dict[str, Any]]:
    """Shapes that practice knows, as values of `sample_shaped` within `space`: the layers of each `published` policy
    after what the space has before them, alone and with mixing; those of the `best` of them without, weaker or mixed;
    and one or two layers of the space's own at `strength` (or a middle one), of all operators or of one family.
    """
    usual = usual_shape(space)
    families = list(space.families)
    low, high = space.strength
    middle = low + 0.5 * (high - low) if strength is None else strength
    second = {"family": families[min(2, len(families) - 1)]} if families else {}
    cutmix, mixup = (
        {"mixing": kind, "mixing.probability": 0.3, "mixing.alpha": 0.2} if kind in space.mixing.kinds else {}
        for kind in ("cutmix", "mixup")
    )
    bare = {base.operator: "off" for base in space.base}
    wanted: list[dict[str, Any]] = []
    for name in published:
        wanted += [{"layers of": name}, {"layers of": name, **cutmix}]
    if best is not None:
        wanted += [{"layers of": best, "reach": reach, **bare} for reach in (0.9, 0.7)]
        wanted += [{"layers of": best, **mixup, **bare}]
    wanted += [
        {"layers": 2, "strength": middle},
        {"layers": 2, "strength": middle, **second, **cutmix},
        {"layers": 1, "strength": middle, **bare},
        {"layers": 0, **cutmix},
    ]
    shapes = [{name: _within(space, name, value) for name, value in {**usual, **values}.items()} for values in wanted]
    yield from (shape for i, shape in enumerate(shapes) if shape not in shapes[:i])


def _within(space: SearchSpace, name: str, value: Any) -> Any:
    ranges = {
        "layers": space.layers,
        "strength": space.strength,
        "probability": space.probability,
        "mixing.probability": space.mixing.probability,
        "mixing.alpha": space.mixing.alpha,
    }
    if name not in ranges:
        return value
    low, high = ranges[name]
    return min(high, max(low, value))
