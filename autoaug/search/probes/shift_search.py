"""The search for operators, and their ranges, that make the training samples look like the validation samples."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.modalities.base import Modality
from autoaug.modalities.operators import IDENTITY, Operator, all_operators, get_operator
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.search.probes.mmd import ReferenceSample

_MOST_OPERATIONS = 4
_BEAM = 2
_REFINED = 5
#: How many training and validation samples candidates are first compared on; the best are then compared on all.
_ROUGH = 128, 256
#: An operation must lower the discrepancy by at least this many standard deviations of the noise.
_DEVIATIONS = 2.5
#: At the end, each operation must remove at least this fraction of the initial discrepancy.
_WORTH = 0.01
_SIGNS: tuple[Literal["both", "positive", "negative"], ...] = ("both", "positive", "negative")
_HIGHS = (0.15, 0.35, 0.8)


@dataclass(frozen=True)
class Match:
    """Operations that make one batch of samples look like another.

    Attributes:
        operations: in order of application, each in a layer of its own; empty if nothing was found.
        initial, residual: the squared discrepancy before and after.
        noise: its standard deviation if the distributions are equal.
        steps: the operations after each step of the search, with the discrepancy that remains.
        measured: how many candidates were measured.
        inputs: how many samples were augmented for this, as those of slow operators count.
        untried: the operators that were not tried, because `most_inputs` were used up.
    """

    operations: tuple[Operation, ...]
    initial: float
    residual: float
    noise: float
    steps: tuple[tuple[str, float], ...]
    measured: int
    inputs: int
    untried: tuple[str, ...]

    @property
    def policy(self) -> Policy | None:
        """The operations as a policy; None if there are none."""
        return policy_of(self.operations) if self.operations else None


_Move = Callable[[Operation], Iterator[Operation]]


class _State(NamedTuple):
    distance: float
    operations: tuple[Operation, ...]


@dataclass
class _Count:
    """Counts what is measured, and says when that is enough.

    Attributes:
        most: how many samples may be augmented. What is begun then is still finished.
        inputs: how many were. One under an operator that takes twice as long counts twice.
        measured: how many candidates were measured.
    """

    most: float
    inputs: float = 0.0
    measured: int = 0

    @property
    def is_over(self) -> bool:
        return self.inputs >= self.most


class _Matcher:
    """Measures all candidates on the same samples with the same random numbers.

    Args:
        inputs: the samples to augment.
        target: the samples that they should look like.
        modality: of the samples; its families are in order of application.
        meter: counts what is measured.
    """

    def __init__(
        self, inputs: Tensor, target: ReferenceSample, modality: Modality, meter: _Count, learned: Mapping[str, str]
    ) -> None:
        self.inputs, self.target, self.meter, self._learned = inputs, target, meter, learned
        self._families, self._modality, self._slow = modality.families, modality.name, modality.slow_operators
        self._known: dict[tuple[Operation, ...], float] = {}

    def state(self, operations: Sequence[Operation]) -> _State:
        """The operations in order of application, with the discrepancy from the target after them."""
        ordered = tuple(sorted(operations, key=self._place))
        if ordered not in self._known:
            self.meter.measured += 1
            self.meter.inputs += len(self.inputs) * (1 + sum(self.cost(o.operator) - 1 for o in ordered))
            generator = torch.Generator().manual_seed(0)
            policy = policy_of(ordered).with_learned(self._learned)
            plan = draw_plan(policy, len(self.inputs), generator, self._modality)
            self._known[ordered] = self.target.distance(apply_plan(plan, self.inputs, check=False))
        return _State(self._known[ordered], ordered)

    def best(self, candidates: Iterable[Sequence[Operation]]) -> _State:
        """The best of the candidates, of which the first is always measured."""
        first, *others = candidates
        states = [self.state(first)]
        states += [self.state(other) for other in others if not self.meter.is_over]
        return min(states, key=lambda s: s.distance)

    def cost(self, operator: str) -> float:
        """How many times as long as others it takes to apply that operator."""
        return self._slow.get(operator, 1.0)

    def families(self, state: _State) -> list[int]:
        """The families of its operations, as sorted indices."""
        return sorted(map(self._place, state.operations))

    def _place(self, operation: Operation) -> int:
        family = get_operator(operation.operator).family
        return self._families.index(family) if family in self._families else len(self._families)


def policy_of(operations: Sequence[Operation]) -> Policy:
    """Operations as a policy: each in a layer of its own."""
    return Policy(name="matched", layers=in_turn(*operations))


def match(
    inputs: Tensor,
    validation: Tensor,
    modality: Modality,
    most_inputs: float = math.inf,
    learned: Mapping[str, str] | None = None,
    lacking: Collection[str] = (),
) -> Match:
    """Find operations that make the distribution of `inputs` match that of `validation`. A beam search adds operations
    until the remaining discrepancy is noise; then all are refined together, and superfluous ones are removed.

    Args:
        inputs: training samples ``[n, ...]`` in the engine's format.
        validation: ``[m, ...]``, at least 8. 50 samples reveal a single strong operator; a mixture of two needs 500.
        modality: the modality of both.
        most_inputs: how many samples may be augmented, where slow operators count more and are tried last. Soon after
            that the search ends with the best that it has.
        learned: what operators know of the training samples, by their names; others that learn are left out.
        lacking: the operators that have nothing to work with on these samples; they are left out.
    """
    left_out, known = {IDENTITY, *modality.lacking(), *lacking}, learned or {}
    operators = [
        o
        for o in all_operators().values()
        if o.modality == modality.name and o.name not in left_out and (o.learns is None or o.name in known)
    ]
    whole, part = (ReferenceSample(given, modality.features) for given in (validation, validation[: _ROUGH[1]]))
    meter, tried = _Count(most_inputs), set[str]()
    fine = _Matcher(inputs, whole, modality, meter, known)
    rough = _Matcher(inputs[: _ROUGH[0]], part, modality, meter, known)
    operators.sort(key=lambda o: rough.cost(o.name))
    noise = fine.target.noise(len(inputs))
    least = _DEVIATIONS * noise
    start = best = fine.state(())
    beam, steps = [best], []
    while len(best.operations) < _MOST_OPERATIONS and best.distance > least and not meter.is_over:
        extended = [s for state in beam for s in _extended(rough, state, operators, tried)]
        refined = [_refined(fine, fine.state(s.operations), _ROUGHLY) for s in _varied(fine, extended, _BEAM)]
        ranked = sorted(refined, key=lambda s: s.distance)
        if not ranked or ranked[0].distance > best.distance - max(least, 0.1 * best.distance):
            break
        beam, best = ranked, ranked[0]
        steps.append(("+".join(o.operator for o in best.operations), best.distance))
    best = _thinned(fine, _refined(fine, best, _FINELY), max(least, _WORTH * start.distance))
    return Match(
        operations=best.operations,
        initial=start.distance,
        residual=best.distance,
        noise=noise,
        steps=tuple(steps),
        measured=meter.measured,
        inputs=round(meter.inputs),
        untried=tuple(o.name for o in operators if tried and o.name not in tried),
    )


def _extended(matcher: _Matcher, state: _State, operators: Sequence[Operator], tried: set[str]) -> list[_State]:
    """The best ways to add one operation: try the operators on a coarse grid, then refine the best few. Half of what
    may still be measured is kept for that. The names of the operators go to `tried`.
    """
    used, meter = {o.operator for o in state.operations}, matcher.meter
    half = (meter.inputs + meter.most) / 2
    coarse: list[_State] = []
    for operator in operators:
        if operator.name not in used and (meter.inputs < half or not coarse):
            coarse.append(matcher.best((*state.operations, o) for o in _coarse(operator)))
            tried.add(operator.name)
    return [_refined(matcher, s, _ROUGHLY) for s in _varied(matcher, coarse, _REFINED)]


def _coarse(operator: Operator) -> Iterator[Operation]:
    if operator.is_switch:
        yield Operation(operator=operator.name, probability=1.0, magnitude=(1.0, 1.0))
        yield Operation(operator=operator.name, probability=0.5, magnitude=(1.0, 1.0))
        return
    for high, sign in itertools.product(_HIGHS, _SIGNS if operator.signed else _SIGNS[:1]):
        yield Operation(operator=operator.name, magnitude=(0.0, high), sign=sign)


def _refined(matcher: _Matcher, state: _State, moves: Sequence[_Move]) -> _State:
    """Refine the parameters of each operation by coordinate descent."""
    for vary in moves:
        for name in [o.operator for o in state.operations]:
            rest = [o for o in state.operations if o.operator != name]
            current = next(o for o in state.operations if o.operator == name)
            varied = matcher.best([*rest, o] for o in (current, *vary(current)))
            state = min(state, varied, key=lambda s: s.distance)
    return state


def _highs(o: Operation) -> Iterator[Operation]:
    low, high = o.magnitude
    for factor in (0.6, 0.8, 0.9, 1.12, 1.3, 1.6):
        yield _changed(o, low, max(low, min(1.0, high * factor)))


def _lows(o: Operation) -> Iterator[Operation]:
    for fraction in (0.0, 0.3, 0.6, 0.8, 1.0):
        yield _changed(o, o.magnitude[1] * fraction, o.magnitude[1])


def _signs(o: Operation) -> Iterator[Operation]:
    if get_operator(o.operator).signed:
        for sign in _SIGNS:
            yield o.model_copy(update={"sign": sign})


def _probabilities(o: Operation) -> Iterator[Operation]:
    for probability in (0.25, 0.5, 0.75, 0.9, 1.0):
        yield o.model_copy(update={"probability": probability})


#: What is varied during the search, and at its end. Probabilities vary only at the end: earlier, they would compensate
#: for an operation that is still missing, and keep it from being added.
_ROUGHLY = (_highs, _lows, _signs, _highs)
_FINELY = (_probabilities, *_ROUGHLY)


def _changed(o: Operation, low: float, high: float) -> Operation:
    if get_operator(o.operator).is_switch:
        return o
    return o.model_copy(update={"magnitude": (round(low, 3), round(high, 3))})


def _thinned(matcher: _Matcher, state: _State, least: float) -> _State:
    """The state without the operations that lower the discrepancy by less than `least`."""
    for name in [o.operator for o in state.operations]:
        rest = [o for o in state.operations if o.operator != name]
        without = _refined(matcher, matcher.state(rest), _ROUGHLY)
        if without.distance < state.distance + least:
            state = without
    return state


def _varied(matcher: _Matcher, states: Sequence[_State], count: int) -> list[_State]:
    """The best `count` states, with no set of operators twice. Half are chosen by distance alone, the others from
    combinations of families not chosen yet, because five ways to blur are one idea.
    """
    taken: list[_State] = []
    for is_free in (True, False):
        for state in sorted(states, key=lambda s: s.distance):
            is_new = _operators(state) not in map(_operators, taken)
            is_other = matcher.families(state) not in map(matcher.families, taken)
            has_place = len(taken) < (count + 1) // 2 if is_free else is_other
            if len(taken) < count and is_new and has_place:
                taken.append(state)
    return taken


def _operators(state: _State) -> set[str]:
    return {o.operator for o in state.operations}
