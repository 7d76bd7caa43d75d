"""Draw policies from a search space. Every choice has a name, so that samplers can learn which values pay off."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from autoaug.modalities.operators import get_operator
from autoaug.policy.models import Adversarial, Layer, Mixing, Operation, Policy, Regularization, SubPolicy, Synthetic
from autoaug.search.space import Base, MixingSpace, RegularizationSpace, SearchSpace, SyntheticSpace

#: The values of a shape (see `sample_shaped`) by the name of the choice, as a study keeps them: which names there are
#: depends on the space. A shape is changed by making another one.
ShapeValues = Mapping[str, Any]

#: The range of the factor by which the magnitudes of a known policy may be scaled.
REACH = (0.5, 1.5)

#: Factors on the space's radius for attacks whose radius has another meaning: a change of magnitudes, or an L2 length
#: (for samples of 32 x 32 pixels, 8/255 in L-infinity corresponds to 0.5 in L2; RobustBench, Croce et al., 2021).
WIDER = {"magnitudes": 10, "l2": 16}


class Suggest(Protocol):
    """Chooses values: the part of Optuna's trial interface that a space uses."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> Any: ...


class Given:
    """Suggests the given values; for a missing one, the lowest value or the first choice."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:  # noqa: ARG002
        value = self.values.get(name, low)
        return float(value) if isinstance(value, int | float) else low

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:  # noqa: ARG002
        return int(self.suggest_float(name, low, high))

    def suggest_categorical(self, name: str, choices: object) -> object:
        assert isinstance(choices, tuple | list)
        return self.values[name] if self.values.get(name) in choices else choices[0]


class Drawn:
    """Suggests values that are uniformly random, and notes them by name; those in `values` are given."""

    def __init__(self, generator: np.random.Generator, values: dict[str, Any]) -> None:
        self.values = dict(values)
        self._generator = generator

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        if name not in self.values:
            share = self._generator.random()
            value = low * (high / low) ** share if log else low + (high - low) * share
            self.values[name] = min(high, max(low, value))
        return float(self.values[name])

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        if name not in self.values:
            share = self._generator.random()
            value = low * ((high + 1) / low) ** share if log else low + (high + 1 - low) * share
            self.values[name] = min(high, int(value))
        return int(self.values[name])

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> Any:
        if name not in self.values:
            self.values[name] = choices[int(self._generator.random() * len(choices))]
        return self.values[name]


def sample_policy(space: SearchSpace, suggest: Suggest) -> Policy:
    """Draw a policy. `suggest` makes every choice by name; conditional choices are made only where they apply."""
    base = [layer for b in space.base if (layer := _base_layer(b, suggest)) is not None]
    count = suggest.suggest_int("layers", *space.layers) if space.layers[1] else 0
    layers = [_layer(space, i, suggest) for i in range(count)]
    mixing = _pick("mixing", space.mixing.kinds, suggest, lambda kind: _mixing(space.mixing, kind, suggest))
    adversarial = _pick(
        "adversarial", space.adversarial.kinds, suggest, lambda kind: _adversarial(space, kind, mixing, suggest)
    )
    return Policy(
        name="searched",
        layers=tuple(base + layers),
        mixing=mixing,
        adversarial=adversarial,
        **_around_the_layers(space, suggest),
    )


def _around_the_layers(space: SearchSpace, suggest: Suggest) -> dict[str, Any]:
    """The fields of a policy that do not transform a sample: copies, synthetic samples, regularization."""
    return {
        "copies": suggest.suggest_int("copies", *space.copies, log=True) if space.copies[1] > 1 else 1,
        "synthetic": _pick(
            "synthetic", space.synthetic.kinds, suggest, lambda kind: _synthetic(space.synthetic, kind, suggest)
        ),
        "regularization": _regularization(space.regularization, suggest) if space.regularization else None,
    }


def _synthetic(space: SyntheticSpace, kind: str, suggest: Suggest) -> Synthetic:
    return Synthetic(
        kind=kind,
        share=suggest.suggest_float("synthetic.share", *space.share),
        confidence=suggest.suggest_float("synthetic.confidence", *space.confidence),
    )


def _regularization(space: RegularizationSpace, suggest: Suggest) -> Regularization:
    return Regularization(
        weight_decay=suggest.suggest_float("weight_decay", *space.weight_decay, log=True),
        dropout=suggest.suggest_float("dropout", *space.dropout),
    )


def _pick(name: str, kinds: Sequence[str], suggest: Suggest, build: Callable[[Any], Any]) -> Any:
    kind = suggest.suggest_categorical(name, kinds) if len(kinds) > 1 else kinds[0]
    return None if kind == "none" else build(kind)


def _base_layer(base: Base, suggest: Suggest) -> Layer | None:
    if suggest.suggest_categorical(base.operator, ("off", "on")) == "off":
        return None
    low, high = base.magnitude
    magnitude = suggest.suggest_float(f"{base.operator}.magnitude", low, high) if low < high else high
    lowest = 0.0 if base.varies else magnitude
    operation = Operation(operator=base.operator, probability=base.probability, magnitude=(lowest, magnitude))
    return Layer(sub_policies=(SubPolicy(operations=(operation,)),))


def _layer(space: SearchSpace, index: int, suggest: Suggest) -> Layer:
    prefix = f"layer{index + 1}"
    families = list(space.families)
    family = suggest.suggest_categorical(f"{prefix}.family", families) if len(families) > 1 else families[0]
    probability = suggest.suggest_float(f"{prefix}.probability", *space.probability)
    strength = suggest.suggest_float(f"{prefix}.strength", *space.strength)
    return _family_layer(space.families[family], probability, strength)


def _family_layer(family: Mapping[str, float], probability: float, strength: float) -> Layer:
    return Layer(
        sub_policies=tuple(
            SubPolicy(operations=(_operation(name, probability, strength * highest),))
            for name, highest in family.items()
        )
    )


def _operation(name: str, probability: float, strength: float) -> Operation:
    magnitude = (1.0, 1.0) if get_operator(name).is_switch else (0.0, strength)
    return Operation(operator=name, probability=probability, magnitude=magnitude)


def _mixing(space: MixingSpace, kind: str, suggest: Suggest) -> Mixing:
    return Mixing(
        kind=kind,
        probability=suggest.suggest_float("mixing.probability", *space.probability),
        alpha=suggest.suggest_float("mixing.alpha", *space.alpha, log=True),
    )


def _adversarial(whole: SearchSpace, kind: str, mixing: Mixing | None, suggest: Suggest) -> Adversarial | None:
    space = whole.adversarial
    if kind == "magnitudes" and mixing is not None:  # the two cannot be combined
        return None
    epsilon = suggest.suggest_float("adversarial.epsilon", *space.epsilon, log=True)
    share = suggest.suggest_float("adversarial.share", *space.share)
    if kind in ("magnitudes", "fgm"):  # neither has a choice of steps, norm or loss
        return Adversarial(kind=kind, epsilon=min(1.0, WIDER.get(kind, 1) * epsilon), share=share)
    norms = ("linf",) if kind == "worst-of" else space.norms
    norm = _pick("adversarial.norm", norms, suggest, lambda norm: norm)
    return Adversarial(
        kind=kind,
        epsilon=epsilon * WIDER.get(norm, 1),
        share=share,
        steps=suggest.suggest_int("adversarial.steps", *space.steps) if kind in ("pgd", "worst-of") else 1,
        norm=norm,
        loss=_pick("adversarial.loss", space.losses, suggest, lambda loss: loss),
    )


def sample_shaped(space: SearchSpace, suggest: Suggest, published: Mapping[str, Policy] | None = None) -> Policy:
    """Draw a policy in few dimensions: which base operations, how many layers of which family with one probability and
    one strength for all, which mixing, how many copies, and one more layer of which family. Most adversarial training
    costs several times as much; if the space allows policies without it, all but FGM is left to `sample_policy`.

    Args:
        space: what may be drawn.
        suggest: chooses the values.
        published: known policies by name, whose layers may replace those of the space. Then a factor on their
            magnitudes is drawn instead.
    """
    known = published or {}
    layers_of = suggest.suggest_categorical("layers of", ("space", *known)) if known else "space"
    layers = _shaped_layers(space, suggest) if layers_of == "space" else _reaching_layers(known[layers_of], suggest)
    fixed = {layer.sub_policies[0].operations[0].operator for layer in layers if len(layer.sub_policies) == 1}
    base = [layer for b in space.base if b.operator not in fixed and (layer := _base_layer(b, suggest)) is not None]
    mixing = _pick("mixing", space.mixing.kinds, suggest, lambda kind: _mixing(space.mixing, kind, suggest))
    kinds = space.adversarial.shaped
    adversarial = _pick("adversarial", kinds, suggest, lambda kind: _adversarial(space, kind, mixing, suggest))
    rest = _around_the_layers(space, suggest)
    extra = _extra_layer(space, suggest)
    return Policy(name="searched", layers=(*base, *layers, *extra), mixing=mixing, adversarial=adversarial, **rest)


def _shaped_layers(space: SearchSpace, suggest: Suggest) -> tuple[Layer, ...]:
    count = suggest.suggest_int("layers", *space.layers) if space.layers[1] else 0
    if not count:
        return ()
    families = list(space.families)
    family = suggest.suggest_categorical("family", families) if len(families) > 1 else families[0]
    probability = suggest.suggest_float("probability", *space.probability)
    strength = suggest.suggest_float("strength", *space.strength)
    return (_family_layer(space.families[family], probability, strength),) * count


def _extra_layer(space: SearchSpace, suggest: Suggest) -> tuple[Layer, ...]:
    """One more layer of a family, or none."""
    if len(space.families) < 2 or not space.layers[1]:
        return ()
    family = suggest.suggest_categorical("extra", ("none", *space.families))
    if family == "none":
        return ()
    return (_family_layer(space.families[family], 1.0, suggest.suggest_float("extra.strength", *space.strength)),)


def _reaching_layers(policy: Policy, suggest: Suggest) -> tuple[Layer, ...]:
    reach = suggest.suggest_float("reach", *REACH)
    return tuple(_varied_layer(layer, {}, defaultdict(lambda: reach)) for layer in policy.layers)


def sample_around(policy: Policy, suggest: Suggest) -> Policy:
    """Draw a neighbor of `policy`: for every operator that its layers choose among, a new weight and a factor on its
    magnitudes.
    """
    names = dict.fromkeys(o.operator for layer in policy.layers for o in _chosen_among(layer))
    weights = {name: float(suggest.suggest_categorical(f"{name}.weight", ("1", "0", "3"))) for name in names}
    reaches = {name: suggest.suggest_float(f"{name}.reach", *REACH) for name in names}
    return policy.model_copy(
        update={"layers": tuple(_varied_layer(layer, weights, reaches) for layer in policy.layers)}
    )


def _varied_layer(layer: Layer, weights: Mapping[str, float], reaches: Mapping[str, float]) -> Layer:
    """A layer that chooses between sub-policies, with new weights and magnitudes; unchanged if all weights become 0."""
    if not _chosen_among(layer):
        return layer
    sub_policies = tuple(
        SubPolicy(
            operations=tuple(_reaching(o, reaches[o.operator]) for o in sub_policy.operations),
            weight=sub_policy.weight * weights.get(sub_policy.operations[0].operator, 1.0),
        )
        for sub_policy in layer.sub_policies
    )
    return Layer(sub_policies=sub_policies) if any(sub_policy.weight for sub_policy in sub_policies) else layer


def _chosen_among(layer: Layer) -> list[Operation]:
    """The operations of a layer that chooses between sub-policies; empty for other layers."""
    return (
        [o for sub_policy in layer.sub_policies for o in sub_policy.operations] if len(layer.sub_policies) > 1 else []
    )


def _reaching(operation: Operation, reach: float) -> Operation:
    if get_operator(operation.operator).is_switch:
        return operation
    low, high = (min(1.0, bound * reach) for bound in operation.magnitude)
    return operation.model_copy(update={"magnitude": (low, high)})


def usual_shape(space: SearchSpace) -> ShapeValues:
    """Common starting values for `sample_shaped`: one layer of the space's first family with the highest probability
    and the middle strength, the usual base operations of its modality, no mixing or attack, and the fewest copies.
    """
    usual: dict[str, Any] = {"layers of": "space", "reach": 1.0}
    usual_base = space.modality.usual_base
    for base in space.base:
        usual[base.operator] = "on" if base.operator in usual_base else "off"
        if base.magnitude[0] < base.magnitude[1]:
            low, high = base.magnitude
            middle = 1.0 if base.varies else 0.5
            usual[f"{base.operator}.magnitude"] = min(high, max(low, usual_base.get(base.operator, middle)))
    usual["layers"] = max(space.layers[0], min(1, space.layers[1]))
    usual["family"] = next(iter(space.families), None)
    usual["probability"] = space.probability[1]
    usual["strength"] = sum(space.strength) / 2
    usual["mixing"] = "none" if "none" in space.mixing.kinds else space.mixing.kinds[0]
    usual["mixing.probability"] = sum(space.mixing.probability) / 2
    usual["mixing.alpha"] = space.mixing.alpha[1]
    usual["copies"] = space.copies[0]
    usual |= {"extra": "none", "extra.strength": usual["strength"]}
    kinds = space.adversarial.shaped
    if kinds != ("none",):
        epsilon, share = space.adversarial.epsilon, space.adversarial.share
        usual["adversarial"] = "none" if "none" in kinds else kinds[0]
        usual |= {"adversarial.epsilon": math.sqrt(epsilon[0] * epsilon[1]), "adversarial.share": sum(share) / 2}
    return usual
