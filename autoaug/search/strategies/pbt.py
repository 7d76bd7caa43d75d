"""Population Based Augmentation (Ho et al., 2019), after Population Based Training (Jaderberg et al., 2017)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import optuna
from optuna.samplers import RandomSampler

from autoaug.errors import SpaceError
from autoaug.modalities.operators import get_operator
from autoaug.policy.models import Operation, Phase, Policy
from autoaug.search.samplers import quiet_optuna
from autoaug.search.sampling import Given, Suggest, sample_shaped, usual_shape
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.base import Fixed, History, SearchContext, Step, Strategy, TrialRecord, next_baseline
from autoaug.utils.seeds import derive_seed

#: The number of parts of a training; after each, the worst members of the population are replaced.
GENERATIONS = 5
#: The fraction of the population that is replaced by copies of the best members.
_REPLACED = 0.25
#: The probability that a copy draws new layers instead of varying its own; the paper resamples each number as often.
_ANEW = 0.2
#: The largest change of a probability or magnitude in a copy.
_STEP = 0.3
#: The population size if the budget in trainings is not known.
_USUAL = 8
_FEWEST = 2


class Pbt(Strategy):
    """Trains the baselines, then a population in parallel, in which each member has its own policy. After each part of
    the training, the worst quarter copy the weights and policies of the best quarter and continue with varied layers.
    The result is a schedule: which layers the best member was trained with at which time. A member's mixing,
    adversarial training and copies do not change.

    The study owns the population: a member of a generation is a trial that continues where its parent stopped.
    """

    name = "pbt"
    summary = "a schedule over epochs, from a population trained once; if early and late training need different layers"
    prunes = False
    needs_data = True

    def check(self, space: SearchSpace) -> None:
        if not space.layers[1]:
            raise SpaceError(f"strategy 'pbt' needs layers, but space {space.name!r} has none; use tpe or random")

    def next(self, history: History, context: SearchContext) -> Step | None:
        if baseline := next_baseline(history, context):
            return baseline
        members = [record for record in history.trials if record.stage.startswith("generation")]
        size = _population(members, context)
        generation, member = divmod(len(members), size)
        if generation == GENERATIONS:
            return None
        parents = members[(generation - 1) * size : generation * size] if generation else []
        if any(record.is_running for record in parents) or (parents and not any(record.values for record in parents)):
            return None
        policy = _successor(parents, generation, member, context) if parents else _founder(member, context)
        return Fixed(
            f"member-{member + 1}.{generation + 1}",
            policy,
            stage=_stage(generation),
            start=generation / GENERATIONS,
            stop=(generation + 1) / GENERATIONS,
        )


def _population(members: Sequence[TrialRecord], context: SearchContext) -> int:
    """The population size: as many as have begun the first generation if a second one has begun; until then, one member
    per training that the budget leaves after the baselines. A time is another number of trainings in each session.
    """
    begun = sum(record.stage == _stage(0) for record in members)
    if begun < len(members):
        return begun
    left = _USUAL if context.budget is None else math.floor(context.budget) - len(context.baselines)
    return max(_FEWEST, begun, left)


def _stage(generation: int) -> str:
    return f"generation {generation + 1}"


def _suggest(context: SearchContext, generation: int, member: int) -> Suggest:
    seed = derive_seed(context.seed, f"member {generation}", member)
    with quiet_optuna():
        return optuna.create_study(sampler=RandomSampler(seed=seed)).ask()


def _founder(member: int, context: SearchContext) -> Policy:
    """The initial policy of a member: the usual shape for the first member, drawn at random for the others."""
    drawn = sample_shaped(context.space, _suggest(context, 0, member) if member else Given(usual_shape(context.space)))
    return drawn.model_copy(update={"layers": (), "schedule": (Phase(until=1, layers=drawn.layers),)})


def _successor(parents: Sequence[TrialRecord], generation: int, member: int, context: SearchContext) -> Policy:
    """A member's policy in the next generation: its parent's, with the same layers, or a varied copy of a better."""
    ranked = sorted(parents, key=lambda record: -(record.score if record.score is not None else -math.inf))
    replaced = max(1, math.floor(_REPLACED * len(parents)))
    failed = sum(record.score is None for record in parents)
    worst = ranked[len(ranked) - max(replaced, failed) :]
    parent = parents[member]
    if parent not in worst:
        return _going_on(parent.policy, parent.policy.at(1), generation)
    best = ranked[worst.index(parent) % min(replaced, len(parents) - failed)].policy
    suggest = _suggest(context, generation, member)
    if suggest.suggest_float("anew", 0, 1) < _ANEW:
        return _going_on(best, sample_shaped(context.space, suggest), generation)
    return _going_on(best, _varied(best.at(1), suggest), generation)


def _varied(policy: Policy, suggest: Suggest) -> Policy:
    """The same layers with a small random change of each operation's probability and highest magnitude."""

    def moved(name: str, value: float) -> float:
        return min(1.0, max(0.0, value + suggest.suggest_float(name, -_STEP, _STEP)))

    def vary(name: str, operation: Operation) -> Operation:
        low, high = operation.magnitude
        if not get_operator(operation.operator).is_switch:
            high = moved(f"{name}.magnitude", high)
        changed = {
            "probability": moved(f"{name}.probability", operation.probability),
            "magnitude": (min(low, high), high),
        }
        return operation.model_copy(update=changed)

    layers = []
    for i, layer in enumerate(policy.layers):
        sub_policies = [
            sub_policy.model_copy(
                update={"operations": tuple(vary(f"{i}.{j}.{k}", o) for k, o in enumerate(sub_policy.operations))}
            )
            for j, sub_policy in enumerate(layer.sub_policies)
        ]
        layers.append(layer.model_copy(update={"sub_policies": tuple(sub_policies)}))
    return policy.model_copy(update={"layers": tuple(layers)})


def _going_on(parent: Policy, layers_of: Policy, generation: int) -> Policy:
    """The parent's schedule until now, followed by the layers of `layers_of`."""
    now = generation / GENERATIONS
    past = (*parent.schedule[:-1], Phase(until=now, layers=parent.schedule[-1].layers))
    return parent.model_copy(update={"schedule": (*past, Phase(until=1, layers=layers_of.layers))})
