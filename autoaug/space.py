"""A search space: which policies may be drawn. Frozen records from YAML, and how to draw one from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from autoaug.errors import SpaceError, UnknownName
from autoaug.operators import all_operators, get_operator
from autoaug.policy import Adversarial, Branch, Layer, Mixing, Operation, Policy, Unit
from autoaug.yaml_text import parse_yaml, validate

_PACKAGED = Path(__file__).parent / "search_spaces"
_CHECKOUT = Path(__file__).parent.parent / "search_spaces"

#: Base operations that practice has on, at which magnitude.
USUAL_BASE = {"HorizontalFlip": 1.0, "PadCrop": 0.25}

#: How many times as far as they did the magnitudes of a known policy may reach.
REACH = (0.5, 1.5)

Positive = Annotated[float, Field(gt=0.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class Suggest(Protocol):
    """How values are chosen: the part of an Optuna trial that a space uses."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> Any: ...


class Given:
    """Suggests the values it was given, or the first that there are."""

    def __init__(self, values: dict[str, object]) -> None:
        self.values = values

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:  # noqa: ARG002
        value = self.values.get(name, low)
        return float(value) if isinstance(value, int | float) else low

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:  # noqa: ARG002
        return int(self.suggest_float(name, low, high))

    def suggest_categorical(self, name: str, choices: object) -> object:
        assert isinstance(choices, tuple | list)
        return self.values[name] if self.values.get(name) in choices else choices[0]


class SpaceWord(BaseModel):
    """Base of the space's words: frozen, and strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _ranges_are_ordered(cls, value: Any) -> Any:
        is_range = isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value)
        if is_range and value[0] > value[1]:
            raise ValueError(f"range {list(value)} must be [low, high] with low <= high")
        return value


def _registered(name: str) -> str:
    if name not in all_operators():
        raise ValueError(str(UnknownName("operator", name, all_operators())))
    return name


OperatorName = Annotated[str, AfterValidator(_registered)]


class Base(SpaceWord):
    """An operation that every policy may begin with, once: on or off, at a searched magnitude."""

    operator: OperatorName
    probability: Unit = 1.0
    magnitude: tuple[Unit, Unit] = (1.0, 1.0)


class MixingSpace(SpaceWord):
    """Which mixing, with which share of the samples and which Beta parameter."""

    kinds: Annotated[tuple[Literal["none", "mixup", "cutmix"], ...], Field(min_length=1)] = ("none",)
    probability: tuple[Unit, Unit] = (0.2, 1.0)
    alpha: tuple[Positive, Annotated[float, Field(gt=0, le=8)]] = (0.1, 1.0)


class AdversarialSpace(SpaceWord):
    """Which attack, with which radius (image range is [0, 1]), steps and share of the batch."""

    kinds: Annotated[tuple[Literal["none", "fgsm", "pgd"], ...], Field(min_length=1)] = ("none",)
    epsilon: tuple[Positive, Unit] = (0.002, 0.03)
    steps: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=50)]] = (2, 4)
    share: tuple[Unit, Unit] = (0.1, 0.5)


class SearchSpace(SpaceWord):
    """Which policies may be drawn.

    A drawn policy begins with some of the `base` operations, then has a number of layers. Each layer draws, per
    image, one operator of one family, with one probability, at magnitudes from 0 up to a strength times the
    operator's own highest. Few dimensions on purpose: with tens of trials, a search learns a family's strength but
    not each operator's.

    Attributes:
        name: what to call it.
        description: one line.
        base: see `Base`.
        families: family name → operator → its highest magnitude.
        layers: fewest and most layers.
        probability: range of a layer's probability.
        strength: range of a layer's strength.
        mixing: see `MixingSpace`.
        adversarial: see `AdversarialSpace`.
        copies: fewest and most augmented copies K of an image in a batch.
        baselines: policies that the search begins with and that confirmation compares against.
    """

    name: str = "space"
    description: str = ""
    base: tuple[Base, ...] = ()
    families: dict[str, Annotated[dict[OperatorName, Share], Field(min_length=1)]] = {}
    layers: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(le=16)]] = (0, 0)
    probability: tuple[Unit, Unit] = (0.1, 1.0)
    strength: tuple[Unit, Unit] = (0.1, 1.0)
    mixing: MixingSpace = MixingSpace()
    adversarial: AdversarialSpace = AdversarialSpace()
    copies: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=8)]] = (1, 1)
    baselines: Annotated[tuple[str, ...], Field(min_length=1)] = ("none", "flip-crop", "randaugment", "trivialaugment")

    @model_validator(mode="after")
    def _allows_something(self) -> Self:
        if self.layers[1] > 0 and not self.families:
            raise ValueError(
                "layers are allowed but there are no families to fill them; add families or set layers: [0, 0]"
            )
        if len({b.operator for b in self.base}) < len(self.base):
            raise ValueError("an operator stands in base twice; keep one")
        searched = (
            self.base,
            self.families and self.layers[1] > 0,
            self.mixing.kinds != ("none",),
            self.adversarial.kinds != ("none",),
            self.copies[1] > 1,
        )
        if not any(searched):
            raise ValueError(
                "the space allows nothing but the unchanged images; add base operations, families or mixing"
            )
        return self


def space_names() -> list[str]:
    """Names of the spaces that come with autoaug."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def _folder() -> Path:
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def load_space(name_or_path: str | Path) -> SearchSpace:
    """The space of that name or file.

    Raises:
        SpaceError: the file breaks a rule, with the line and the cure, or does not exist.
        UnknownName: there is no such name.
    """
    text, path = str(name_or_path), Path(name_or_path)
    if not path.suffix and text in space_names():
        path = _folder() / f"{text}.yaml"
    elif not path.suffix and "/" not in text:
        raise UnknownName("search space", text, space_names())
    if not path.is_file():
        raise SpaceError(f"there is no search space file {text!r}")
    space = validate(SearchSpace, parse_yaml(path.read_text(), str(path), SpaceError), SpaceError)
    return space.model_copy(update={"name": path.stem}) if "name" not in space.model_fields_set else space


def sample_policy(space: SearchSpace, suggest: Suggest) -> Policy:
    """Draw a policy: every choice is asked of `suggest` by name, conditional ones only where they apply."""
    base = [layer for b in space.base if (layer := _base_layer(b, suggest)) is not None]
    count = suggest.suggest_int("layers", *space.layers) if space.layers[1] else 0
    layers = [_layer(space, i, suggest) for i in range(count)]
    mixing = _pick("mixing", space.mixing.kinds, suggest, lambda kind: _mixing(space.mixing, kind, suggest))
    adversarial = _pick(
        "adversarial", space.adversarial.kinds, suggest, lambda kind: _adversarial(space.adversarial, kind, suggest)
    )
    copies = suggest.suggest_int("copies", *space.copies, log=True) if space.copies[1] > 1 else 1
    return Policy(name="searched", layers=tuple(base + layers), mixing=mixing, adversarial=adversarial, copies=copies)


def _pick(name: str, kinds: Sequence[str], suggest: Suggest, build: Callable[[Any], Any]) -> Any:
    kind = suggest.suggest_categorical(name, kinds) if len(kinds) > 1 else kinds[0]
    return None if kind == "none" else build(kind)


def _base_layer(base: Base, suggest: Suggest) -> Layer | None:
    if suggest.suggest_categorical(base.operator, ("off", "on")) == "off":
        return None
    low, high = base.magnitude
    magnitude = suggest.suggest_float(f"{base.operator}.magnitude", low, high) if low < high else high
    operation = Operation(operator=base.operator, probability=base.probability, magnitude=(magnitude, magnitude))
    return Layer(branches=(Branch(operations=(operation,)),))


def _layer(space: SearchSpace, index: int, suggest: Suggest) -> Layer:
    prefix = f"layer{index + 1}"
    families = list(space.families)
    family = suggest.suggest_categorical(f"{prefix}.family", families) if len(families) > 1 else families[0]
    probability = suggest.suggest_float(f"{prefix}.probability", *space.probability)
    strength = suggest.suggest_float(f"{prefix}.strength", *space.strength)
    return _family_layer(space.families[family], probability, strength)


def _family_layer(family: Mapping[str, float], probability: float, strength: float) -> Layer:
    return Layer(
        branches=tuple(
            Branch(operations=(_operation(name, probability, strength * highest),)) for name, highest in family.items()
        )
    )


def _operation(name: str, probability: float, strength: float) -> Operation:
    magnitude = (1.0, 1.0) if get_operator(name).is_switch else (0.0, strength)
    return Operation(operator=name, probability=probability, magnitude=magnitude)


def _mixing(space: MixingSpace, kind: Literal["mixup", "cutmix"], suggest: Suggest) -> Mixing:
    return Mixing(
        kind=kind,
        probability=suggest.suggest_float("mixing.probability", *space.probability),
        alpha=suggest.suggest_float("mixing.alpha", *space.alpha, log=True),
    )


def _adversarial(space: AdversarialSpace, kind: Literal["fgsm", "pgd"], suggest: Suggest) -> Adversarial:
    return Adversarial(
        kind=kind,
        epsilon=suggest.suggest_float("adversarial.epsilon", *space.epsilon, log=True),
        share=suggest.suggest_float("adversarial.share", *space.share),
        steps=suggest.suggest_int("adversarial.steps", *space.steps) if kind == "pgd" else 1,
    )


def sample_shaped(space: SearchSpace, suggest: Suggest, published: Mapping[str, Policy] | None = None) -> Policy:
    """Draw a policy of few dimensions: which base operations, how many layers of which family at one probability and
    one strength for all, which mixing, and how many copies. Adversarial training, which costs several times as much, is
    left to `sample_policy` where the space lets policies go without.

    Args:
        space: what may be drawn.
        suggest: chooses the values.
        published: known policies by name, whose layers may take the place of the space's; drawn is then how far their
            magnitudes reach.
    """
    known = published or {}
    layers_of = suggest.suggest_categorical("layers of", ("space", *known)) if known else "space"
    layers = _shaped_layers(space, suggest) if layers_of == "space" else _reaching_layers(known[layers_of], suggest)
    drawn = {o.operator for layer in layers for branch in layer.branches for o in branch.operations}
    base = [layer for b in space.base if b.operator not in drawn and (layer := _base_layer(b, suggest)) is not None]
    mixing = _pick("mixing", space.mixing.kinds, suggest, lambda kind: _mixing(space.mixing, kind, suggest))
    kinds = ("none",) if "none" in space.adversarial.kinds else space.adversarial.kinds
    adversarial = _pick("adversarial", kinds, suggest, lambda kind: _adversarial(space.adversarial, kind, suggest))
    copies = suggest.suggest_int("copies", *space.copies, log=True) if space.copies[1] > 1 else 1
    return Policy(name="searched", layers=(*base, *layers), mixing=mixing, adversarial=adversarial, copies=copies)


def _shaped_layers(space: SearchSpace, suggest: Suggest) -> tuple[Layer, ...]:
    count = suggest.suggest_int("layers", *space.layers) if space.layers[1] else 0
    if not count:
        return ()
    families = list(space.families)
    family = suggest.suggest_categorical("family", families) if len(families) > 1 else families[0]
    probability = suggest.suggest_float("probability", *space.probability)
    strength = suggest.suggest_float("strength", *space.strength)
    return (_family_layer(space.families[family], probability, strength),) * count


def _reaching_layers(policy: Policy, suggest: Suggest) -> tuple[Layer, ...]:
    reach = suggest.suggest_float("reach", *REACH)
    return tuple(_varied_layer(layer, {}, defaultdict(lambda: reach)) for layer in policy.layers)


def sample_around(policy: Policy, suggest: Suggest) -> Policy:
    """Draw a neighbour of `policy`: for every operator that its layers choose among, how often it is chosen, and how
    far its magnitudes reach.
    """
    names = dict.fromkeys(o.operator for layer in policy.layers for o in _chosen_among(layer))
    weights = {name: float(suggest.suggest_categorical(f"{name}.weight", ("1", "0", "3"))) for name in names}
    reaches = {name: suggest.suggest_float(f"{name}.reach", *REACH) for name in names}
    return policy.model_copy(
        update={"layers": tuple(_varied_layer(layer, weights, reaches) for layer in policy.layers)}
    )


def _varied_layer(layer: Layer, weights: Mapping[str, float], reaches: Mapping[str, float]) -> Layer:
    """A layer that chooses between branches, with other weights and reaches; as it is where it would have none."""
    if not _chosen_among(layer):
        return layer
    branches = tuple(
        Branch(
            operations=tuple(_reaching(o, reaches[o.operator]) for o in branch.operations),
            weight=branch.weight * weights.get(branch.operations[0].operator, 1.0),
        )
        for branch in layer.branches
    )
    return Layer(branches=branches) if any(branch.weight for branch in branches) else layer


def _chosen_among(layer: Layer) -> list[Operation]:
    """The operations of a layer that chooses between branches."""
    return [o for branch in layer.branches for o in branch.operations] if len(layer.branches) > 1 else []


def _reaching(operation: Operation, reach: float) -> Operation:
    if get_operator(operation.operator).is_switch:
        return operation
    low, high = (min(1.0, bound * reach) for bound in operation.magnitude)
    return operation.model_copy(update={"magnitude": (low, high)})


def usual_shape(space: SearchSpace) -> dict[str, Any]:
    """Values for `sample_shaped` that practice would begin with: the space's own layers, one of the first family, flips
    and crops on where the space has them, no mixing, no copies; whatever it leaves out is in the middle.
    """
    usual: dict[str, Any] = {"layers of": "space", "reach": 1.0}
    for base in space.base:
        usual[base.operator] = "on" if base.operator in USUAL_BASE else "off"
        if base.magnitude[0] < base.magnitude[1]:
            low, high = base.magnitude
            usual[f"{base.operator}.magnitude"] = min(high, max(low, USUAL_BASE.get(base.operator, 0.5)))
    usual["layers"] = max(space.layers[0], min(1, space.layers[1]))
    usual["family"] = next(iter(space.families), None)
    usual["probability"] = space.probability[1]
    usual["strength"] = sum(space.strength) / 2
    usual["mixing"] = "none" if "none" in space.mixing.kinds else space.mixing.kinds[0]
    usual["mixing.probability"] = sum(space.mixing.probability) / 2
    usual["mixing.alpha"] = space.mixing.alpha[1]
    usual["copies"] = space.copies[0]
    return usual
