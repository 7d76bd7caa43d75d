"""The default: look for a shift, explore a small space on a share of the data, repeat, and finish at full length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from optuna.samplers import RandomSampler

from autoaug.policy.models import Policy
from autoaug.search.probes.affinity import NAME as AFFINITY
from autoaug.search.probes.affinity import MeasureAffinity, bearable_strength
from autoaug.search.probes.shift import NAME, MatchShift, matched
from autoaug.search.samplers import tpe_sampler
from autoaug.search.sampling import Suggest, sample_around, sample_shaped, usual_shape
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.base import (
    Draw,
    Fixed,
    History,
    Probe,
    SearchContext,
    Step,
    Strategy,
    TrialRecord,
    next_baseline,
)
from autoaug.search.strategies.shrinkage import PolicyEstimate, policy_estimates

#: Exploring trials train on this share of the data, for all epochs. On 2,000 samples of CIFAR-10 the ranks of eleven
#: policies agreed with those of full trainings by 0.83 and 0.40 for two seeds, and by 0.90 for their mean; trials of
#: a quarter of the epochs, which cost the same, by 0.51 and 0.44.
DATA_FRACTION = 0.25
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
_OBSERVED = 250


class Auto(Strategy):
    """Spends the budget in stages.

    1. Two-sample matching between the splits, without training. What it proposes must pass a gate: better than no
       augmentation with both of two seeds.
    2. The baselines; then affinity and diversity of each operator, by the model of the one without augmentation:
       reported, and what strength the portfolio starts from. Never a filter: under a shift it ranks the right operator
       last.
    3. A portfolio of policies of the space's shape that practice knows, then TPE over that shape: how many layers of
       which family at one strength, which mixing, how many copies. Each is trained on a quarter of the data. With a
       large budget, neighbors of the best policy follow, operator by operator.
    4. The best are repeated with other seeds; what is believed of a policy is shrunken by what noise explains.
    5. The best of those are trained at full length.
    """

    name = "auto"
    summary = "the default: finds shifts, explores cheaply, repeats what looks good, ends at full length"
    prunes = False

    def next(self, history: History, context: SearchContext) -> Step | None:
        if context.spent >= _finishing(context):
            return _finish(history, context)
        if context.has_data and NAME not in history.probe_results:
            return Probe(NAME, MatchShift())
        if step := next_baseline(history, context, DATA_FRACTION):
            return step
        running = {record.name for record in history.trials if record.is_running and record.is_baseline}
        if (
            context.has_data
            and context.space.families
            and AFFINITY not in history.probe_results
            and "none" not in running
        ):
            return Probe(AFFINITY, MeasureAffinity(context.space, DATA_FRACTION))
        is_looking = any(found is None for found in history.probe_results.values())
        if is_looking or running:
            return None
        policy = matched(history.probe_results.get(NAME))
        if policy is not None and (step := _next_in_gate(history, policy)):
            return step
        is_shift = policy is not None and _passes_gate(history)
        if is_shift is None:
            return None
        if context.spent < _EXPLORED:
            return _explore(history, context, policy if is_shift else None)
        return _repeat(history) or _finish(history, context)

    def finalists(self, history: History) -> list[TrialRecord]:
        """By all that is known of a policy, those that were trained at full length; among the first three is one that
        hardly differs from the best published policy, so that a search does not end far below that.
        """
        own = [s for s in policy_estimates(history.trials) if not s.record.is_baseline]
        whole = [s.record for s in own if s.is_whole]
        anchor = _anchor([s.record for s in own], history)
        if anchor is None or not whole or anchor in whole[:_BEFORE_ANCHOR]:
            return whole
        rest = [record for record in whole[_BEFORE_ANCHOR:] if record is not anchor]
        return [*whole[:_BEFORE_ANCHOR], anchor, *rest]


def _anchor(ranked: Iterable[TrialRecord], history: History) -> TrialRecord | None:
    """The most promising of those that only vary the published policy with the best score."""
    scores = {record.name: record.score or 0.0 for record in history.trials if record.is_baseline}
    varied = [
        record for record in ranked if record.frozen.params.get("layers of") in scores and record.policy.mixing is None
    ]
    best = max((scores[record.frozen.params["layers of"]] for record in varied), default=0.0)
    return next((record for record in varied if scores[record.frozen.params["layers of"]] == best), None)


def _finishing(context: SearchContext) -> float:
    """The share of the budget at which the end begins: at least one training at full length must fit in."""
    return _REPEATED if context.budget is None else min(_REPEATED, 1 - min(1.0, 1 / context.budget))


def _next_in_gate(history: History, policy: Policy) -> Fixed | None:
    begun = {(record.name, record.seed_index) for record in history.trials if record.data_fraction == DATA_FRACTION}
    for name, arm in (("matched", policy), ("none", Policy(name="none"))):
        for seed_index in _GATE_REPEATS:
            if (name, seed_index) not in begun:
                return Fixed(name, arm, DATA_FRACTION, seed_index, stage="gate")
    return None


def _passes_gate(history: History) -> bool | None:
    """Whether the matched policy is better than none with every seed; None while that is not known."""
    arms: dict[tuple[str, int], TrialRecord] = {}
    for record in history.trials:
        if record.data_fraction == DATA_FRACTION:
            arms.setdefault((record.name, record.seed_index), record)
    pairs = [(arms["matched", seed_index], arms["none", seed_index]) for seed_index in _GATE_REPEATS]
    if any(record.is_running for pair in pairs for record in pair):
        return None
    return all(a.score is not None and b.score is not None and a.score > b.score for a, b in pairs)


def _explore(history: History, context: SearchContext, shift: Policy | None) -> Step:
    published = _published(context)
    strength = bearable_strength(history.probe_results.get(AFFINITY)) if shift is None else None
    known = list(portfolio(context.space, published, _best_of(published, history), strength))
    shaped = [record for record in history.trials if record.stage in {"portfolio", "shape"}]
    draw = partial(_sample_shifted, published, shift)
    if len(shaped) < len(known):
        start = {**known[len(shaped)], "matched": "on"}
        return Draw(lambda seed: RandomSampler(seed=seed), (), draw, start, DATA_FRACTION, "portfolio")
    if len(shaped) >= _SHAPED and (best := _best_to_vary(shaped)):
        around = [record for record in history.trials if record.stage == f"around {best.number}"]
        if len(around) < len(shaped) / 2:
            return Draw(
                tpe_sampler,
                around[-_OBSERVED:],
                partial(_sample_near, best.policy),
                {},
                DATA_FRACTION,
                f"around {best.number}",
            )
    return Draw(partial(tpe_sampler, startup=len(known)), shaped[-_OBSERVED:], draw, {}, DATA_FRACTION, "shape")


def _published(context: SearchContext) -> dict[str, Policy]:
    """The baselines whose layers choose between operators, and which are nothing but layers."""
    return {
        name: policy
        for name, policy in context.baselines.items()
        if any(len(layer.sub_policies) > 1 for layer in policy.layers)
        and not (policy.chains or policy.mixing or policy.adversarial or policy.copies > 1)
    }


def _best_of(published: Mapping[str, Policy], history: History) -> str | None:
    """The name with the best score on a share of the data."""
    scored = {
        record.name: record.score
        for record in history.trials
        if record.is_baseline and record.data_fraction == DATA_FRACTION
    }
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


def _best_to_vary(shaped: Iterable[TrialRecord]) -> TrialRecord | None:
    """The best that chooses between operators; each was trained once, under the same conditions."""
    ranked = sorted((record for record in shaped if record.values), key=lambda record: -record.values[0])
    return next(
        (record for record in ranked if any(len(layer.sub_policies) > 1 for layer in record.policy.layers)), None
    )


def _repeat(history: History) -> Fixed | None:
    """The next repeat, on a share of the data, of one of the best."""
    own = _own(history)
    return _next_trial(history, own[: max(_REPEATED_POLICIES, len(own) // 6)], DATA_FRACTION, "repeat")


def _finish(history: History, context: SearchContext) -> Step | None:
    """The next of the best at full length; what practice knows where nothing has been tried."""
    own = _own(history)
    if own:
        return _next_trial(history, own[: max(_WHOLE_POLICIES, len(own) // 24)], 1.0, "finish")
    if any(record.data_fraction == 1 for record in history.trials):
        return None
    first = next(portfolio(context.space))
    return Draw(lambda seed: RandomSampler(seed=seed), draw=sample_shaped, fixed=first, stage="finish")


def _next_trial(history: History, best: Sequence[PolicyEstimate], data_fraction: float, stage: str) -> Fixed | None:
    begun = {record.key for record in history.trials}
    for seed_index in range(_REPEATS):
        for s in best:
            if (s.record.key[0], data_fraction, seed_index) not in begun:
                return Fixed(s.record.name, s.record.policy, data_fraction, seed_index, stage=stage)
    return None


def _own(history: History) -> Sequence[PolicyEstimate]:
    """Policies that are no baselines, the best first."""
    baselines = {record.key[0] for record in history.trials if record.is_baseline}
    return [s for s in policy_estimates(history.trials) if s.record.key[0] not in baselines]


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
