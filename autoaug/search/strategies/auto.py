"""The default strategy: probe for a shift, explore on part of the data, repeat the best, finish at full length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from optuna.samplers import RandomSampler

from autoaug.policy.models import Policy
from autoaug.search.probes.affinity import NAME as AFFINITY
from autoaug.search.probes.affinity import PURPOSE as AFFINITY_PURPOSE
from autoaug.search.probes.affinity import MeasureAffinity, bearable_strength
from autoaug.search.probes.shift import NAME as SHIFT
from autoaug.search.probes.shift import PURPOSE as SHIFT_PURPOSE
from autoaug.search.probes.shift import MatchShift, matched
from autoaug.search.samplers import tpe_sampler
from autoaug.search.sampling import ShapeValues, Suggest, sample_around, sample_shaped, usual_shape
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.base import (
    FIRST,
    Draw,
    Fixed,
    History,
    Probe,
    SearchContext,
    Stage,
    Step,
    Stop,
    Strategy,
    TrialRecord,
    next_baseline,
)
from autoaug.search.strategies.candidates import known_shapes, most_promising, random_shapes
from autoaug.search.strategies.neighbors import neighbors, stronger
from autoaug.search.strategies.portfolio import portfolio
from autoaug.search.strategies.shrinkage import PolicyEstimate, policy_estimates
from autoaug.search.strategies.stopping import chance_of_gain
from autoaug.utils.seeds import derive_seed

#: The stages whose trials have a shape, as `sample_shaped` draws it.
_SHAPED = {Stage.PORTFOLIO, Stage.MODEL, Stage.SHAPES}


@dataclass(frozen=True)
class AutoConfig:
    """How `Auto` spends its budget.

    Attributes:
        data_fraction: the fraction of the training split that exploring trials train on, for all epochs. With a
            quarter of 2,000 CIFAR-10 samples, the ranks of eleven policies correlated with those of full trainings by
            0.83 and 0.40 for two seeds, and by 0.90 for their mean; with a quarter of the epochs, which costs the
            same, by 0.51 and 0.44.
        explores_until: the fraction of the budget at which exploration ends.
        finishes_from: the fraction of the budget at which full-length training of the best begins.
        looks_for_shift: whether the search begins with two-sample matching between the splits.
        measures_affinity: whether it measures the effect of each operator on a model trained without it.
        check_seeds: the seeds with which a policy against a shift must beat no augmentation.
        first_shapes: how many shapes of the portfolio are tried before a model of the trials says what to try next.
        candidates: how many random shapes the model chooses from, besides the portfolio and the best shape's neighbors.
        models: whether it asks the model, or tries random shapes.
        modeled: how many shapes are tried before TPE draws them, which learns finer differences from more trials, and
            single operators are varied.
        most_observed: the most trials that TPE learns from.
        stops_from: the fraction of the budget from which on the search may end because nothing is left to gain.
        least_gain: the least gain over the best baseline that is worth a search.
        least_chance: the least chance of such a gain that is worth going on.
        repeats: how many seeds the best policies are trained with on part of the data.
        repeated: the fewest policies that are repeated.
        strengthens: whether a stronger variant of the best policy is trained at full length too.
        full_length_seeds: how many seeds the best policies are trained with at full length.
        full_length: the fewest policies that are trained at full length.
    """

    data_fraction: float = 0.25
    explores_until: float = 0.6
    finishes_from: float = 0.75
    looks_for_shift: bool = True
    measures_affinity: bool = True
    check_seeds: tuple[int, ...] = (0, 1)
    first_shapes: int = 5
    candidates: int = 200
    models: bool = True
    modeled: int = 40
    most_observed: int = 250
    stops_from: float = 0.2
    least_gain: float = 0.005
    least_chance: float = 0.1
    repeats: int = 6
    repeated: int = 6
    strengthens: bool = True
    full_length_seeds: int = 6
    full_length: int = 4


class Auto(Strategy):
    """Spends the budget in stages.

    1. The baselines; then two-sample matching between the splits, without training. The proposed policy is checked: it
       must beat no augmentation with both of two seeds.
    2. Affinity and diversity of each operator, measured on the unaugmented baseline. They are reported, and set the
       strength of a portfolio that is derived from the families. They never filter operators: under a shift, they rank
       the right operator last.
    3. The first shapes of a portfolio that works well in practice, each trained on a quarter of the data, on the same
       samples with the same seed. Then a Gaussian process over what the policies do says which shape to try next: of
       the portfolio's others, the neighbors of the best, known policies and random ones, the one with the highest
       expected score. With a large budget, TPE over shapes follows, and the best policy varied operator by operator.
    4. The best are repeated with other seeds; the estimate of each policy is shrunk according to the noise.
    5. The best of those are trained at full length, and a stronger variant of the first: on part of the data there are
       fewer steps, in which strong augmentation does not pay yet.
    """

    name = "auto"
    summary = "the default: finds shifts, explores cheaply, repeats what looks good, ends at full length"
    prunes = False

    def __init__(self, config: AutoConfig | None = None) -> None:
        self.config = config or AutoConfig()
        self.explores_until, self.explored_fraction = self.config.explores_until, self.config.data_fraction

    def next(self, history: History, context: SearchContext) -> Step | None:
        if context.spent >= self._finishes_from(context):
            return self._finish(history, context)
        if step := self._begin(history, context):
            return step
        if _is_beginning(history):
            return None
        shift = matched(history.probe_results.get(SHIFT))
        if shift is not None and (step := self._next_check(history, shift)):
            return step
        is_shift = shift is not None and self._is_confirmed(history)
        if is_shift is None:
            return None
        if context.may_stop and not is_shift and (stop := self._stop(history, context.spent)):
            return stop
        if context.spent < self.config.explores_until:
            return self._explore(history, context, shift if is_shift else None)
        return self._repeat(history) or self._finish(history, context)

    def finalists(self, history: History) -> list[TrialRecord]:
        """The policies trained at full length, ranked by all of their trials."""
        return [e.record for e in _own(history) if e.is_whole]

    def _finishes_from(self, context: SearchContext) -> float:
        """The fraction of the budget at which the final stage begins: at least one full-length training must fit in."""
        latest = self.config.finishes_from
        return latest if context.budget is None else min(latest, 1 - min(1.0, 1 / context.budget))

    def _begin(self, history: History, context: SearchContext) -> Step | None:
        """The next of the initial probes and baselines; None if none is left or can start yet."""
        may_probe, fraction = context.has_data, self.config.data_fraction
        if step := next_baseline(history, context, fraction):
            return step
        if may_probe and self.config.looks_for_shift and SHIFT not in history.probe_results:
            return Probe(SHIFT, MatchShift(context.budget, context.pays_probes), SHIFT_PURPOSE)
        is_measured = AFFINITY in history.probe_results or not self.config.measures_affinity
        if may_probe and context.space.families and not is_measured and "none" not in _running_baselines(history):
            return Probe(AFFINITY, MeasureAffinity(context.space, fraction), AFFINITY_PURPOSE)
        return None

    def _next_check(self, history: History, shift: Policy) -> Fixed | None:
        """The next trial that compares the policy against a shift with no augmentation."""
        fraction = self.config.data_fraction
        begun = {(record.name, record.seed_index) for record in history.trials if record.data_fraction == fraction}
        for name, policy in (("matched", shift), ("none", Policy(name="none"))):
            for seed_index in self.config.check_seeds:
                if (name, seed_index) not in begun:
                    return Fixed(name, policy, fraction, seed_index, stage=Stage.SHIFT_CHECK)
        return None

    def _is_confirmed(self, history: History) -> bool | None:
        """Whether the policy against a shift beats no augmentation with every seed; None until this is known."""
        arms: dict[tuple[str, int], TrialRecord] = {}
        for record in history.trials:
            if record.data_fraction == self.config.data_fraction:
                arms.setdefault((record.name, record.seed_index), record)
        pairs = [(arms["matched", index], arms["none", index]) for index in self.config.check_seeds]
        if any(record.is_running for pair in pairs for record in pair):
            return None
        return all(a.score is not None and b.score is not None and a.score > b.score for a, b in pairs)

    def _explore(self, history: History, context: SearchContext, shift: Policy | None) -> Step:
        """Draw a policy and train it on part of the data, combined with the policy against a shift if there is one."""
        config, space, published = self.config, context.space, _published(context)
        strength = bearable_strength(history.probe_results.get(AFFINITY)) if shift is None else None
        known = _known_shapes(context, self._best_of(published, history), strength)
        shaped = [record for record in history.trials if record.stage in _SHAPED]
        draw = partial(_sample_shifted, published, shift)
        tried = sum(record.stage == Stage.PORTFOLIO for record in shaped)
        if tried < min(len(known), config.first_shapes):
            start = {**known[tried], "matched": "on"}
            return Draw(_random_sampler, (), draw, start, config.data_fraction, Stage.PORTFOLIO)
        if len(shaped) >= config.modeled:
            sampler, newest = partial(tpe_sampler, startup=len(known)), shaped[-config.most_observed :]
            shape = Draw(sampler, newest, draw, {}, config.data_fraction, Stage.SHAPES)
            return self._vary_best(history, shaped) or shape
        best = _best_shape(history, space)
        near = [{"matched": "on", **shape} for shape in (*known, *(neighbors(space, best) if best else ()))]
        generator = np.random.default_rng(derive_seed(context.seed, "candidates", len(history.trials)))
        far = random_shapes(space, draw, published, generator)
        choice = next(far)
        if config.models:
            fraction = config.data_fraction
            alike = [r for r in history.trials if r.data_fraction == fraction and r.seed_index == FIRST]
            candidates = [*known_shapes(space, draw, near), *islice(far, config.candidates)]
            choice = most_promising(alike, candidates) or choice
        return Draw(_random_sampler, (), draw, choice.values, config.data_fraction, Stage.MODEL)

    def _stop(self, history: History, spent: float) -> Stop | None:
        """The end of the search, if a gain over the best baseline is too unlikely."""
        config = self.config
        if spent < config.stops_from:
            return None
        tried = sum(not record.is_baseline for record in history.trials)
        untried = round(tried * (1 - spent) / spent)
        chance = chance_of_gain(history.trials, config.data_fraction, untried, config.least_gain)
        if chance >= config.least_chance:
            return None
        return Stop(
            f"the chance of {100 * config.least_gain:g} points over the best baseline is only {100 * chance:.0f} %, by "
            f"the error that it leaves on {100 * config.data_fraction:g} % of the data and {tried} policies that were "
            "tried"
        )

    def _vary_best(self, history: History, shaped: Sequence[TrialRecord]) -> Draw | None:
        """Draw a neighbor of the best policy that chooses between operators; None once it has enough neighbors."""
        best = _best_that_chooses(shaped)
        if best is None:
            return None
        stage = f"{Stage.NEIGHBORS} {best.number}"
        around = [record for record in history.trials if record.stage == stage]
        if len(around) >= len(shaped) / 2:
            return None
        newest, draw = around[-self.config.most_observed :], partial(_sample_near, best.policy)
        return Draw(tpe_sampler, newest, draw, {}, self.config.data_fraction, stage)

    def _best_of(self, published: Mapping[str, Policy], history: History) -> str | None:
        """The name of the published policy with the best score on part of the data."""
        scored = {
            record.name: record.score
            for record in history.trials
            if record.score is not None and record.is_baseline and record.data_fraction == self.config.data_fraction
        }
        return max(published, key=lambda name: scored.get(name, -math.inf), default=None)

    def _repeat(self, history: History) -> Fixed | None:
        """The next repetition of one of the best policies on part of the data."""
        own, config = _own(history), self.config
        best = own[: max(config.repeated, len(own) // 6)]
        return _next_trial(history, best, config.data_fraction, config.repeats, Stage.REPEATS)

    def _finish(self, history: History, context: SearchContext) -> Step | None:
        """The next full-length training: of the best policies, and after the first one of a stronger variant of it; of
        the portfolio's first if no policy was tried.
        """
        own, config = _own(history), self.config
        if own:
            best = own[: max(config.full_length, len(own) // 24)]
            begun = [record for record in history.trials if record.stage in {Stage.FULL_LENGTH, Stage.STRONGER}]
            if len(begun) == 1 and (step := self._strengthened(begun[0], context, history)):
                return step
            return _next_trial(history, best, 1.0, config.full_length_seeds, Stage.FULL_LENGTH)
        if any(record.data_fraction == 1 for record in history.trials):
            return None
        first = next(iter(_known_shapes(context)), usual_shape(context.space))
        draw = partial(_sample_shifted, _published(context), None)
        return Draw(_random_sampler, draw=draw, fixed=first, stage=Stage.FULL_LENGTH)

    def _strengthened(self, record: TrialRecord, context: SearchContext, history: History) -> Draw | None:
        """A full-length training of a stronger variant of the policy that such a `record` trained, if it is a shape."""
        shapes = (trial for trial in history.trials if trial.stage in _SHAPED and trial.identity == record.identity)
        drawn = next(shapes, None)
        if drawn is None or not self.config.strengthens:
            return None
        answer = stronger(context.space, _shape_of(drawn, context.space))
        if answer is None:
            return None
        shift = matched(history.probe_results.get(SHIFT))
        draw = partial(_sample_shifted, _published(context), shift if shift and self._is_confirmed(history) else None)
        return Draw(_random_sampler, (), draw, answer, 1.0, Stage.STRONGER)


def _best_shape(history: History, space: SearchSpace) -> ShapeValues | None:
    """The values of the best shape so far; None as long as there is none."""
    shaped = {record.identity: record for record in history.trials if record.stage in _SHAPED}
    ranked = (shaped.get(estimate.record.identity) for estimate in policy_estimates(history.trials))
    best = next((record for record in ranked if record is not None), None)
    return None if best is None else _shape_of(best, space)


def _shape_of(record: TrialRecord, space: SearchSpace) -> ShapeValues:
    """The values of the shape that a trial drew, with the usual ones for what was not drawn."""
    return {"matched": "on", **usual_shape(space), **record.frozen.params}


def _running_baselines(history: History) -> set[str]:
    return {record.name for record in history.trials if record.is_running and record.is_baseline}


def _is_beginning(history: History) -> bool:
    """Whether a probe or a baseline is running."""
    return any(result is None for result in history.probe_results.values()) or bool(_running_baselines(history))


def _published(context: SearchContext) -> dict[str, Policy]:
    """The baselines that consist of layers alone, of which at least one chooses between operators."""
    return {
        name: policy
        for name, policy in context.baselines.items()
        if _chooses(policy) and not (policy.chains or policy.mixing or policy.adversarial or policy.copies > 1)
    }


def _known_shapes(context: SearchContext, best: str | None = None, strength: float | None = None) -> list[ShapeValues]:
    """The shapes of the portfolio with layers of the space, or of a published policy."""
    known = {"space", *_published(context)}
    return [shape for shape in portfolio(context.space, best, strength) if shape["layers of"] in known]


def _chooses(policy: Policy) -> bool:
    """Whether one of its layers chooses between operators."""
    return any(len(layer.sub_policies) > 1 for layer in policy.layers)


def _best_that_chooses(shaped: Iterable[TrialRecord]) -> TrialRecord | None:
    """The best policy that chooses between operators; all were trained once, under the same conditions."""
    ranked = sorted((record for record in shaped if record.values), key=lambda record: -record.values[0])
    return next((record for record in ranked if _chooses(record.policy)), None)


def _random_sampler(seed: int) -> RandomSampler:
    return RandomSampler(seed=seed)


def _sample_shifted(
    published: Mapping[str, Policy], shift: Policy | None, space: SearchSpace, suggest: Suggest
) -> Policy:
    drawn = sample_shaped(space, suggest, published)
    if shift is None or suggest.suggest_categorical("matched", ("on", "off")) == "off":
        return drawn
    return drawn + shift


def _sample_near(policy: Policy, space: SearchSpace, suggest: Suggest) -> Policy:  # noqa: ARG001 (as all draws)
    return sample_around(policy, suggest)


def _next_trial(
    history: History, best: Sequence[PolicyEstimate], data_fraction: float, seeds: int, stage: Stage
) -> Fixed | None:
    """The first training that has not begun of one of the `best` policies with one of the first `seeds` seeds."""
    begun = {record.key for record in history.trials}
    for seed_index in range(seeds):
        for record in (estimate.record for estimate in best):
            if (record.identity, data_fraction, seed_index) not in begun:
                return Fixed(record.name, record.policy, data_fraction, seed_index, stage=stage)
    return None


def _own(history: History) -> Sequence[PolicyEstimate]:
    """Estimates of the policies that are not baselines, best first."""
    baselines = {record.identity for record in history.trials if record.is_baseline}
    return [e for e in policy_estimates(history.trials) if e.record.identity not in baselines]
