"""Search spaces: which policies may be drawn, as frozen records read from YAML."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from autoaug.errors import PolicyError, SpaceError, UnknownName, rule_of
from autoaug.modalities.base import Modality
from autoaug.modalities.kinds import fitting_modality, known_kinds, mixed_by
from autoaug.modalities.operators import all_operators
from autoaug.modalities.registry import all_modalities, get_modality
from autoaug.policy.loading import load_policy
from autoaug.policy.models import KindText, OperatorText, Policy, Unit
from autoaug.utils.files import read_text
from autoaug.utils.yaml import MOST_BYTES, parse_yaml, validate

#: The context of validation of a space that is read and not searched, as for a report: its operators need not be there,
#: and torch is not imported for them.
UNSEARCHED = "unsearched"

Positive = Annotated[float, Field(gt=0.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class FrozenSpace(BaseModel):
    """Base of a space and its parts: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _ranges_are_ordered(cls, value: Any) -> Any:
        is_range = isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value)
        if is_range and value[0] > value[1]:
            raise ValueError(f"range {list(value)} must be [low, high] with low <= high")
        return value


def _registered(name: str, info: ValidationInfo) -> str:
    if info.context != UNSEARCHED and name not in all_operators():
        raise ValueError(str(UnknownName("operator", name, all_operators())))
    return name


OperatorName = Annotated[OperatorText, AfterValidator(_registered)]


def _registered_kind(what: str) -> AfterValidator:
    """That there is a modality that has such a kind; that it is the right one is seen with the operators."""

    def check(kind: str, info: ValidationInfo) -> str:
        if info.context != UNSEARCHED:
            known = {"none"}.union(*(known_kinds(modality)[what] for modality in all_modalities().values()))
            if kind not in known:
                raise ValueError(str(UnknownName(what, kind, known)))
        return kind

    return AfterValidator(check)


MixingKind = Annotated[KindText, _registered_kind("mixing")]
AttackKind = Annotated[KindText, _registered_kind("attack")]
GeneratorKind = Annotated[KindText, _registered_kind("generator")]
_Kinds = Field(min_length=1, max_length=32)
# With these limits, any policy that a search can build (at most 16 layers and 5 phases, joined with 5 others) stays
# within the number of operations that a policy may have.
_MOST_BASE, _MOST_FAMILY, _MOST_NAMES = 100, 100, 200
Name = Annotated[str, Field(max_length=4096)]


class Base(FrozenSpace):
    """An operation that may be applied once at the beginning of a policy: on or off, with a searched magnitude. All
    samples get that magnitude, or, if it `varies`, each one between none and that.
    """

    operator: OperatorName
    probability: Unit = 1.0
    magnitude: tuple[Unit, Unit] = (1.0, 1.0)
    varies: bool = False


Family = Annotated[dict[OperatorName, Share], Field(min_length=1, max_length=_MOST_FAMILY)]


class MixingSpace(FrozenSpace):
    """The kinds of mixing, the probability per sample, and the parameter of the Beta distribution."""

    kinds: Annotated[tuple[MixingKind, ...], _Kinds] = ("none",)
    probability: tuple[Unit, Unit] = (0.2, 1.0)
    alpha: tuple[Annotated[float, Field(ge=0.01)], Annotated[float, Field(le=8)]] = (0.1, 1.0)


class AdversarialSpace(FrozenSpace):
    """The kinds of attack, with their radius (values and magnitudes are in [0, 1]), steps, share of the batch, norms
    and losses. The radius is multiplied by ten for ``magnitudes``, and by sixteen for ``l2``, where it is a length.
    For ``fgm`` and ``worst-of`` it is taken as it is; see `autoaug.policy.models.Adversarial`.
    """

    kinds: Annotated[tuple[AttackKind, ...], _Kinds] = ("none",)
    norms: Annotated[tuple[Literal["linf", "l2"], ...], _Kinds] = ("linf",)
    losses: Annotated[tuple[Literal["plain", "trades"], ...], _Kinds] = ("plain",)
    epsilon: tuple[Positive, Unit] = (0.002, 0.03)
    steps: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=50)]] = (2, 4)
    share: tuple[Unit, Unit] = (0.1, 0.5)

    @property
    def shaped(self) -> tuple[str, ...]:
        """The kinds that shapes may have. FGM costs one more pass per attacked sample, and has few choices."""
        return tuple(kind for kind in self.kinds if kind in ("none", "fgm")) if "none" in self.kinds else self.kinds


class SyntheticSpace(FrozenSpace):
    """The kinds of generator, the synthetic share of each batch, and the confidence that the sample filter requires."""

    kinds: Annotated[tuple[GeneratorKind, ...], _Kinds] = ("none",)
    share: tuple[Positive, Annotated[float, Field(gt=0, le=0.75)]] = (0.1, 0.5)
    confidence: tuple[Unit, Unit] = (0.0, 0.9)


class RegularizationSpace(FrozenSpace):
    """The weight decay, and the dropout before the last layer."""

    weight_decay: tuple[Positive, Annotated[float, Field(gt=0, le=1)]] = (1e-4, 5e-3)
    dropout: tuple[Unit, Annotated[float, Field(ge=0, lt=1)]] = (0.0, 0.5)


class Shape(FrozenSpace):
    """A policy of a space in few words. What it does not name is off.

    Attributes:
        base: the base operations that are on, each with its magnitude (1 for switches).
        layers: the number of layers of one `family`, all with one `probability` and one `strength`.
        layers_of: a baseline whose layers take the place of those, with magnitudes `reach` times as large.
        extra: the family of one more layer.
        mixing: the kind of mixing, with its probability and the parameter of its distribution.
        adversarial: the kind of attack: none or fgm, with the middle radius and share of the space; another kind only
            where the space has no policies without an attack.
        copies: augmented copies of a sample in a batch.
    """

    base: dict[OperatorName, Unit] = {}
    layers: Annotated[int, Field(ge=0, le=16)] = 0
    family: Name | None = None
    probability: Unit = 1.0
    strength: Unit = 0.5
    layers_of: Name | None = None
    reach: Positive = 1.0
    extra: Name = "none"
    mixing: KindText = "none"
    mixing_probability: Unit = 0.5
    alpha: Positive = 1.0
    adversarial: KindText = "none"
    copies: Annotated[int, Field(ge=1, le=8)] = 1


class SearchSpace(FrozenSpace):
    """Which policies may be drawn.

    A policy begins with some of the `base` operations, followed by a number of layers. Each layer draws one operator
    of one family per sample, with one probability, and with magnitudes from 0 to a strength times the operator's
    highest magnitude. The few dimensions are deliberate: with tens of trials, a search can learn the strength of a
    family but not of each operator. All operators belong to one modality. A space file has at most 4 MiB and 250,000
    values after YAML aliases are expanded.

    Attributes:
        name: its name.
        description: one line.
        base: see `Base`.
        families: for each family, its operators with their highest magnitudes.
        layers: fewest and most layers.
        probability: range of a layer's probability.
        strength: range of a layer's strength.
        mixing: see `MixingSpace`.
        adversarial: see `AdversarialSpace`.
        synthetic: see `SyntheticSpace`.
        regularization: see `RegularizationSpace`; None keeps the recipe's.
        copies: fewest and most augmented copies K of a sample in a batch.
        baselines: policies that the search begins with and that confirmation compares against; by default the
            modality's.
        portfolio: shapes of policies that are worth a try on any data, the most useful first; see `Shape`. If there are
            none, the strategies that begin with a portfolio derive a few from the families.
    """

    name: Name = "space"
    description: Name = ""
    base: Annotated[tuple[Base, ...], Field(max_length=_MOST_BASE)] = ()
    families: Annotated[dict[Name, Family], Field(max_length=_MOST_NAMES)] = {}
    layers: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(le=16)]] = (0, 0)
    probability: tuple[Unit, Unit] = (0.1, 1.0)
    strength: tuple[Unit, Unit] = (0.1, 1.0)
    mixing: MixingSpace = MixingSpace()
    adversarial: AdversarialSpace = AdversarialSpace()
    synthetic: SyntheticSpace = SyntheticSpace()
    regularization: RegularizationSpace | None = None
    copies: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=8)]] = (1, 1)
    baselines: Annotated[tuple[Name, ...], Field(min_length=1, max_length=_MOST_NAMES)] = Field(
        default_factory=lambda given: _usual_baselines(given)
    )
    portfolio: Annotated[tuple[Shape, ...], Field(max_length=_MOST_NAMES)] = ()

    def operator_names(self) -> list[str]:
        """The operators that may be drawn, each once."""
        return _operators({"base": self.base, "families": self.families})

    def kinds(self) -> dict[str, list[str]]:
        """The kinds of mixing, attacks and generators that its modality must have."""
        named = {"mixing": self.mixing.kinds, "attack": self.adversarial.kinds, "generator": self.synthetic.kinds}
        return {what: [kind for kind in kinds if kind != "none"] for what, kinds in named.items()}

    @property
    def modality(self) -> Modality:
        """The modality of its operators; without operators, the first registered one that has its kinds."""
        return fitting_modality(self.operator_names(), self.kinds())

    def check_modality(self, name: str) -> None:
        """Raise `SpaceError` where the modality with that name, which the data are of, has not all of the space."""
        try:
            fitting_modality(self.operator_names(), self.kinds(), name)
        except PolicyError as fault:
            fitting = ", ".join(_files(get_modality(name))) or "a file of your own"
            raise SpaceError(f"space {self.name!r} does not fit the data: {fault}; choose another: {fitting}") from None

    def without(self, lacking: Container[str]) -> SearchSpace:
        """The space without the `lacking` operators, and the baselines and shapes of the portfolio that need them.
        Raises `SpaceError` if nothing is left.
        """
        baselines = [name for name in self.baselines if not _has_any(load_policy(name).operator_names(), lacking)]
        if not _has_any(self.operator_names(), lacking) and len(baselines) == len(self.baselines):
            return self
        families = {
            name: {operator: most for operator, most in family.items() if operator not in lacking}
            for name, family in self.families.items()
        }
        families = {name: family for name, family in families.items() if family}
        left_out = self.families.keys() - families.keys()
        kept = {"", *baselines}
        shapes = [
            shape
            for shape in self.portfolio
            if not _has_any(shape.base, lacking)
            and not {shape.family, shape.extra} & left_out
            and (shape.layers_of or "") in kept
        ]
        changed = {
            "base": [base for base in self.base if base.operator not in lacking],
            "families": families,
            "layers": self.layers if families else (0, 0),
            "portfolio": shapes,
            "baselines": baselines or ["none"],
        }
        try:
            return SearchSpace.model_validate({**dict(self), **changed})
        except ValidationError as fault:
            raise SpaceError(
                f"space {self.name!r} has only operators that have nothing to work with: {rule_of(fault.errors()[0])}"
            ) from None

    @property
    def is_empty(self) -> bool:
        """Whether it allows no augmentation at all."""
        has_layers, kinds = self.families and self.layers[1] > 0, any(self.kinds().values())
        return not (self.base or has_layers or kinds or self.regularization or self.copies[1] > 1)

    def without_kinds(self, lacking: Collection[str]) -> SearchSpace:
        """The space without the `lacking` kinds of mixing, attacks and generators, also in its portfolio; it may
        be empty then.
        """

        def kept(kinds: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(kind for kind in kinds if not {*mixed_by(kind)} & {*lacking}) or ("none",)

        parts = {name: getattr(self, name) for name in ("mixing", "adversarial", "synthetic")}
        changed = {name: part.model_copy(update={"kinds": kept(part.kinds)}) for name, part in parts.items()}
        named = ("mixing", "adversarial")
        shapes = tuple(s.model_copy(update={n: kept((getattr(s, n),))[0] for n in named}) for s in self.portfolio)
        return self.model_copy(update={**changed, "portfolio": shapes})

    def _check_known(self) -> None:
        try:
            fitting_modality(self.operator_names(), self.kinds())
        except PolicyError as fault:
            raise ValueError(str(fault)) from None

    def _check_portfolio(self) -> None:
        """That each shape of the portfolio lies in the space, by name."""
        base = [b.operator for b in self.base]
        for number, shape in enumerate(self.portfolio, 1):
            families = {shape.extra} - {"none"} | ({shape.family} if shape.layers else set())
            named = {
                "base operation": (shape.base, base),
                "family": (families, self.families),
                "mixing": ([shape.mixing], ["none", *self.mixing.kinds]),
                "attack": ([shape.adversarial], ["none", *self.adversarial.shaped]),
                "baseline": ([shape.layers_of] if shape.layers_of else [], self.baselines),
            }
            for what, (names, known) in named.items():
                if unknown := [name for name in names if name not in known]:
                    raise ValueError(
                        f"shape {number} of the portfolio has the {what} {unknown[0]!r}, which its shapes cannot "
                        f"have; they can have: {', '.join(dict.fromkeys(known)) or 'none'}"
                    )

    @model_validator(mode="after")
    def _allows_something(self, info: ValidationInfo) -> Self:
        if self.layers[1] > 0 and not self.families:
            raise ValueError(
                "layers are allowed but there are no families to fill them; add families or set layers: [0, 0]"
            )
        if len({b.operator for b in self.base}) < len(self.base):
            raise ValueError("an operator stands in base twice; keep one")
        self._check_portfolio()
        if info.context != UNSEARCHED:
            self._check_known()
        if self.is_empty:
            raise ValueError("the space allows no augmentation at all; add base operations, families or mixing")
        return self


def _operators(given: Mapping[str, Any]) -> list[str]:
    """The operators in the base and the families of a space, each once."""
    base = [base.operator for base in given.get("base", ())]
    return list(dict.fromkeys([*base, *(name for family in given.get("families", {}).values() for name in family)]))


def _has_any(names: Iterable[str], others: Container[str]) -> bool:
    return any(name in others for name in names)


def _usual_baselines(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The baselines of the modality of the `given` fields; if those are invalid, any allowed value."""
    try:
        mixing = [kind for kind in given["mixing"].kinds if kind != "none"] if "mixing" in given else []
        return fitting_modality(_operators(given), {"mixing": mixing}).baselines
    except PolicyError:
        return ("none",)


def _files(modality: Modality) -> dict[str, Path]:
    """The spaces of a modality by name."""
    return {} if modality.spaces is None else {path.stem: path for path in sorted(modality.spaces.glob("*.yaml"))}


def _all_files(first: str | None = None) -> dict[str, Path]:
    """The spaces of all modalities; of those with one name, that of the modality `first`, or else the first of all."""
    last_first = list(all_modalities().values())[::-1]
    backward = sorted(last_first, key=lambda modality: modality.name == first)
    return {name: path for modality in backward for name, path in _files(modality).items()}  # the last one counts


def space_names() -> list[str]:
    """Names of the spaces that come with all modalities, including those of third parties."""
    return sorted(_all_files())


def load_space(name_or_path: str | Path, modality: str | None = None) -> SearchSpace:
    """Load the space with that name, or from that file. If spaces of several modalities have the name, it is that of
    the given `modality`, or the first registered one.

    Raises:
        SpaceError: the file does not exist, or is invalid; the message has the line and the cure.
        UnknownName: no space has that name.
    """
    text, path, known = str(name_or_path), Path(name_or_path), _all_files(modality)
    if text in known:
        path = known[text]
    elif not path.suffix and "/" not in text:
        raise UnknownName("search space", text, space_names())
    if not path.is_file():
        raise SpaceError(f"there is no search space file {text!r}")
    content = read_text(path, SpaceError, at_most=MOST_BYTES)
    space = validate(SearchSpace, parse_yaml(content, str(path), SpaceError), SpaceError)
    return space.model_copy(update={"name": path.stem}) if "name" not in space.model_fields_set else space


def space_of_kind(kind: str, modality: str) -> SearchSpace | None:
    """The standard space of a modality for labels of that kind, if it has one of its own."""
    own = _files(get_modality(modality))
    return load_space(own[kind]) if kind in own else None


def wanted_generators(space: SearchSpace | None, policies: Iterable[Policy]) -> list[str]:
    """The kinds of generator that the policies of a space, or `policies`, may use."""
    wanted = set(space.synthetic.kinds) if space else set()
    wanted |= {policy.synthetic.kind for policy in policies if policy.synthetic}
    return sorted(wanted - {"none"})
