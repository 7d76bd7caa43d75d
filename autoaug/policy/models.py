"""Policies as frozen records, with their YAML form and a fingerprint.

One structure represents every published policy: AutoAugment is one layer of 25 two-operation sub-policies, RandAugment
(n = 2) two layers of one-operation sub-policies, TrivialAugment one such layer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from autoaug.errors import PolicyError, rule_of
from autoaug.modalities.kinds import BLENDED
from autoaug.policy.frozen import FrozenModel
from autoaug.policy.provenance import Provenance, joined
from autoaug.utils.formats import checked_format

if TYPE_CHECKING:
    from autoaug.engine.transform import PolicyTransform

FORMAT: Literal[2] = 2
#: Fingerprints are computed from these names of fields and operators: they stand in reports, and seeds derive from
#: them, so that they must not change where a name does.
_NAMES_IN_FINGERPRINTS = {
    "sub_policies": "branches",
    "regularization": "regularisation",
    "ColorTemperature": "ColourTemperature",
}

Unit = Annotated[float, Field(ge=0.0, le=1.0)]

# Bounds far above any published policy and anything a search can draw: a larger one is a mistake, or an attack.
MOST_LAYERS, MOST_PHASES = 512, 256
_MOST_SUB_POLICIES, _MOST_OPERATIONS, _MOST_IN_ALL = 1000, 64, 10_000
#: A policy may be named after its file's path.
_LONGEST_NAME = 4096
OperatorText = Annotated[str, Field(max_length=100)]
#: A kind of mixing or of generator: which there are is the modality's to say, see `autoaug.modalities.kinds`.
KindText = Annotated[str, Field(min_length=1, max_length=100)]


class Operation(FrozenModel):
    """An operator, the probability of applying it, and the range from which its magnitude is drawn uniformly.

    ``sign`` sets the signs that a signed operator draws: ``both`` with equal probability, or only one. Other operators
    ignore it.
    """

    operator: OperatorText
    probability: Unit = 1.0
    magnitude: tuple[Unit, Unit] = (0.0, 1.0)
    sign: Literal["both", "positive", "negative"] = "both"

    @field_validator("magnitude", mode="before")
    @classmethod
    def _one_number_is_a_fixed_magnitude(cls, value: Any) -> Any:
        return (value, value) if isinstance(value, int | float | str) else value

    @model_validator(mode="after")
    def _range_is_ordered(self) -> Self:
        if self.magnitude[0] > self.magnitude[1]:
            raise ValueError(f"magnitude {list(self.magnitude)} must be [low, high] with low <= high")
        return self


class SubPolicy(FrozenModel):
    """A sequence of operations, applied in order, and its weight in the draw of its layer."""

    operations: Annotated[tuple[Operation, ...], Field(max_length=_MOST_OPERATIONS)]
    weight: Annotated[float, Field(ge=0.0, le=1e9)] = 1.0


class Layer(FrozenModel):
    """A weighted choice between sub-policies, drawn for every sample."""

    sub_policies: Annotated[tuple[SubPolicy, ...], Field(min_length=1, max_length=_MOST_SUB_POLICIES)]

    @model_validator(mode="after")
    def _weights_can_be_drawn_from(self) -> Self:
        if sum(sub_policy.weight for sub_policy in self.sub_policies) <= 0:
            raise ValueError("the weights of a layer's sub-policies must not all be 0")
        return self


Layers = Annotated[tuple[Layer, ...], Field(max_length=MOST_LAYERS)]


def in_turn(*operations: Operation) -> tuple[Layer, ...]:
    """Layers that apply the operations one after the other."""
    return tuple(Layer(sub_policies=(SubPolicy(operations=(operation,)),)) for operation in operations)


class Mixing(FrozenModel):
    """A fraction of the samples is mixed with a partner, each in its own proportion. Which kinds there are
    is the modality's to say; the usual ones:

    ``mixup``: a weighted sum of samples and labels (Zhang et al., 2018). ``cutmix``: the partner fills a box, labels
    are weighted by area (Yun et al., 2019). ``mixup-or-cutmix``: one of the two, with equal probability. ``resizemix``:
    the whole partner, scaled to 0.1 to 0.8 of the size, labels by area (Qin et al., 2020). ``samplepairing``: the mean
    of both samples with the label of the first (Inoue, 2018). For texts, ``mixup`` sums the vectors that the network's
    embedding makes of the words (Guo et al., 2019).

    For MixUp and CutMix, the weight is drawn from Beta(alpha, alpha) per sample.
    """

    kind: KindText
    probability: Unit = 1.0
    alpha: Annotated[float, Field(ge=0.01, le=8.0)] = 1.0


class Chains(FrozenModel):
    """AugMix (Hendrycks et al., 2020): each sample passes through `width` independent chains, each made of the first d
    layers with d drawn uniformly. The results are averaged with weights from Dirichlet(alpha), and the average is
    blended with the original with a weight from Beta(alpha, alpha).
    """

    width: Annotated[int, Field(ge=1, le=16)] = 3
    alpha: Annotated[float, Field(ge=0.01, le=8.0)] = 1.0


class Adversarial(FrozenModel):
    """Adversarial training. FGSM (Goodfellow et al., 2015) and PGD (Madry et al., 2018) perturb the values of samples;
    ``magnitudes`` perturbs the magnitudes drawn for the operators instead. ``worst-of`` takes the worst of several
    random changes that keep the label, for samples of any modality (Engstrom et al., 2019). A modality may have attacks
    of its own, such as FGM on the vectors of words (Miyato et al., 2017).

    Attributes:
        kind: see above.
        norm: the norm of the perturbation.
        epsilon: its radius. For values in [0, 1]: the largest change (``linf``) or the length of the change (``l2``).
            For magnitudes: the largest change, at most 1. For ``fgm``: the length of the change, as a share of that of
            the sample's vectors. For ``worst-of``: the share of the words that are changed, or else what the magnitudes
            of the changes are a multiple of, chosen so that the usual radii of the other attacks suit.
        steps: the number of gradient ascent steps, or of random changes.
        share: the fraction of each batch that is attacked.
        loss: ``plain`` trains on the attacked samples instead of the clean ones; ``trades`` (Zhang et al., 2019) trains
            on the clean ones, plus `beta` times the change of the model's output under attack.
        beta: see `loss`.
    """

    kind: KindText
    norm: Literal["linf", "l2"] = "linf"
    epsilon: Annotated[float, Field(gt=0.0)] = 4 / 255
    steps: Annotated[int, Field(ge=1, le=50)] = 1
    share: Unit = 0.5
    loss: Literal["plain", "trades"] = "plain"
    beta: Annotated[float, Field(gt=0.0, le=20.0)] = 6.0

    @model_validator(mode="before")
    @classmethod
    def _fgm_moves_by_a_length(cls, value: Any) -> Any:
        return {"norm": "l2", **value} if isinstance(value, dict) and value.get("kind") == "fgm" else value

    @model_validator(mode="after")
    def _fgsm_is_one_step(self) -> Self:
        if self.kind == "fgm" and self.norm != "l2":
            raise ValueError("fgm moves by a length, not by norm: linf; leave norm out")
        if self.kind in ("fgsm", "fgm") and self.steps != 1:
            raise ValueError(f"{self.kind} takes one step, not steps: {self.steps}; use kind: pgd for several")
        if self.norm == "linf" and self.epsilon > 1:
            raise ValueError(f"epsilon {self.epsilon:g} is above 1, the whole range of a value or a magnitude")
        if self.kind == "worst-of" and self.norm != "linf":
            raise ValueError(f"worst-of changes samples by operators, not by norm: {self.norm}; leave norm out")
        if self.kind == "magnitudes" and (self.norm != "linf" or self.loss != "plain"):
            raise ValueError("adversarial magnitudes support neither norm: l2 nor loss: trades; leave both out")
        return self


class Synthetic(FrozenModel):
    """Generated samples replace a share of each batch, before any other augmentation.

    ``confidence`` is the lowest probability that the sample filter's classifier may give a sample's own class, in
    addition to the filter's own bound.
    """

    kind: KindText
    share: Annotated[float, Field(gt=0.0, le=0.75)] = 0.25
    confidence: Unit = 0.0


class Regularization(FrozenModel):
    """Weight decay, which replaces the recipe's, and dropout (Srivastava et al., 2014) of the features before the last
    linear layer.
    """

    weight_decay: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


class Phase(FrozenModel):
    """A part of a schedule: the layers that apply until this fraction of the training is done."""

    until: Annotated[float, Field(gt=0.0, le=1.0)]
    layers: Layers = ()


class Policy(FrozenModel):
    """Layers applied in order (or in chains, for AugMix), then mixing.

    A policy with a `schedule` has its layers in successive phases (Population Based Augmentation: Ho et al., 2019);
    `at` gives what applies at a time. Adversarial samples and K copies are made by the training loop.

    A policy has at most 10,000 operations in all layers and phases together (a sub-policy without operations counts as
    one). Its file has at most 4 MiB and 250,000 values after YAML aliases are expanded. `learned` is what operators
    know of the training samples, see `autoaug.modalities.operators.Operator.learns`.
    """

    format: Literal[2] = FORMAT
    name: Annotated[str, Field(max_length=_LONGEST_NAME)] = "policy"
    layers: Layers = ()
    schedule: Annotated[tuple[Phase, ...], Field(max_length=MOST_PHASES)] = ()
    chains: Chains | None = None
    mixing: Mixing | None = None
    adversarial: Adversarial | None = None
    synthetic: Synthetic | None = None
    regularization: Regularization | None = None
    copies: Annotated[int, Field(ge=1, le=64)] = 1
    provenance: Provenance | None = None
    learned: tuple[tuple[OperatorText, str], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _format_is_known(cls, value: Any) -> Any:
        return checked_format(value, FORMAT, "use the policy of a new search")

    @model_validator(mode="after")
    def _chains_have_layers(self) -> Self:
        if self.chains and not self.layers:
            raise ValueError("chains pass through layers, but there are none; add layers or leave chains out")
        return self

    @model_validator(mode="after")
    def _magnitudes_are_attacked_alone(self) -> Self:
        if self.adversarial and self.adversarial.kind == "magnitudes" and (self.mixing or self.chains):
            raise ValueError("adversarial magnitudes cannot be combined with mixing or chains; leave one of them out")
        return self

    @model_validator(mode="after")
    def _schedule_is_ordered(self) -> Self:
        bounds = [phase.until for phase in self.schedule]
        if bounds and (bounds != sorted(set(bounds)) or bounds[-1] != 1):
            raise ValueError(f"the phases of a schedule end at {bounds}; they must increase, and the last must be 1")
        if bounds and (self.layers or self.chains):
            raise ValueError("a policy with a schedule must have its layers in the schedule's phases, and no chains")
        return self

    @model_validator(mode="after")
    def _operations_are_not_too_many(self) -> Self:
        count = sum(
            max(1, len(sub_policy.operations)) for layer in self.all_layers() for sub_policy in layer.sub_policies
        )
        if count > _MOST_IN_ALL:
            raise ValueError(f"it has {count} operations in all layers and phases; at most {_MOST_IN_ALL} are allowed")
        return self

    def at(self, done: float) -> Policy:
        """The policy that applies after a fraction `done` of the training, in [0, 1]; without a schedule, the policy
        itself.
        """
        if not self.schedule:
            return self
        phase = next((phase for phase in self.schedule if done < phase.until), self.schedule[-1])
        return self.model_copy(update={"layers": phase.layers, "schedule": ()})

    def bounds(self) -> list[float]:
        """The fractions of the training at which phases end; the last is 1."""
        return [phase.until for phase in self.schedule] or [1.0]

    def all_layers(self) -> tuple[Layer, ...]:
        """The layers of all phases, in the order of the file."""
        return self.layers + tuple(layer for phase in self.schedule for layer in phase.layers)

    def operations(self) -> Iterator[Operation]:
        """Every operation, in the order of the file."""
        for layer in self.all_layers():
            for sub_policy in layer.sub_policies:
                yield from sub_policy.operations

    def operator_names(self) -> list[str]:
        """The operators used, in order of first use."""
        return list(dict.fromkeys(operation.operator for operation in self.operations()))

    @property
    def changes_samples(self) -> bool:
        """Whether the policy has operators or mixes, so that a transform or exported code has something to do."""
        return bool(self.operator_names()) or self.mixing is not None

    def with_learned(self, learned: Mapping[str, str]) -> Policy:
        """The policy with what its operators have `learned`, by their names."""
        own = tuple((name, learned[name]) for name in self.operator_names() if learned.get(name))
        return self.model_copy(update={"learned": own})

    def fingerprint(self) -> str:
        """12 hex digits that depend on what the policy does, not on its name, provenance or what it has learned."""
        # Without defaults: a policy keeps its fingerprint when the format gets a new field.
        does = _as_fingerprinted(self.model_dump(exclude={"name", "provenance", "learned"}, exclude_defaults=True))
        canonical = json.dumps(does, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def to_yaml(self) -> str:
        """The policy as a YAML document that `load_policy` reads back to an equal policy."""
        return yaml.safe_dump(self.model_dump(mode="json", exclude_defaults=True) | {"format": FORMAT}, sort_keys=False)

    def save(self, path: str | Path) -> None:
        """Write the policy as YAML to `path`."""
        Path(path).write_text(self.to_yaml(), encoding="utf-8")

    def transform(
        self,
        seed: int | None = None,
        num_classes: int | None = None,
        backend: str = "auto",
        modality: str | None = None,
    ) -> PolicyTransform:
        """The policy as an ``nn.Module``; see `autoaug.engine.transform.PolicyTransform` for shapes and ranges, and for
        when the modality is needed: for no augmentation, for example.
        """
        from autoaug.engine.transform import PolicyTransform

        return PolicyTransform(self, seed=seed, num_classes=num_classes, backend=backend, modality=modality)

    def kinds(self) -> dict[str, list[str]]:
        """The kinds of mixing, attacks, generators and blending that its modality must have."""
        named = {"mixing": self.mixing, "attack": self.adversarial, "generator": self.synthetic}
        kinds = {what: [part.kind] for what, part in named.items() if part}
        return kinds | {"blending": [BLENDED]} if self.chains else kinds

    def __add__(self, other: Policy) -> Policy:
        """One policy with the layers of this one followed by those of the other."""
        for field in ("mixing", "adversarial", "synthetic", "regularization"):
            if getattr(self, field) and getattr(other, field):
                raise PolicyError(f"{self.name!r} and {other.name!r} both have {field}; a policy has at most one")
        if self.schedule or other.schedule:
            raise PolicyError(f"a policy with a schedule cannot be joined ({self.name!r} and {other.name!r})")
        for policy, following in ((self, other), (other, self)):
            if policy.chains and following.layers:
                raise PolicyError(f"{policy.name!r} has chains, which blend all layers; it cannot be joined to others")
        try:
            return Policy(
                name=f"{self.name}+{other.name}",
                layers=self.layers + other.layers,
                chains=self.chains or other.chains,
                mixing=self.mixing or other.mixing,
                adversarial=self.adversarial or other.adversarial,
                synthetic=self.synthetic or other.synthetic,
                regularization=self.regularization or other.regularization,
                copies=max(self.copies, other.copies),
                provenance=joined(self.provenance, other.provenance),
                learned=tuple(dict(other.learned + self.learned).items()),
            )
        except ValidationError as faults:
            rule = rule_of(faults.errors()[0])
            raise PolicyError(f"{self.name!r} and {other.name!r} cannot be joined: {rule}") from None


def _as_fingerprinted(value: Any) -> Any:
    """Plain values with their `_NAMES_IN_FINGERPRINTS`."""
    if isinstance(value, dict):
        named = {_NAMES_IN_FINGERPRINTS.get(key, key): _as_fingerprinted(inner) for key, inner in value.items()}
        if "operator" in named:
            named["operator"] = _NAMES_IN_FINGERPRINTS.get(named["operator"], named["operator"])
        return named
    return [_as_fingerprinted(inner) for inner in value] if isinstance(value, list | tuple) else value
