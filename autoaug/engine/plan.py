"""Plans: all the randomness of a policy for one batch, in a small record that can be replayed, printed and saved."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from autoaug.errors import OptionError, PolicyError, typed_line
from autoaug.functional import sampling as drawing
from autoaug.modalities.base import Mixer
from autoaug.modalities.kinds import mixed_by
from autoaug.modalities.operators import IDENTITY, UNIFORMS, get_operator, modality_of
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import modality_of_policy
from autoaug.policy.models import Layer, Mixing, Operation, Policy
from autoaug.utils.files import read_text

#: The tensors of a plan, and of its mixing, with their dimensions: S steps, n samples, K weights.
_TENSORS = {
    "choice": "Sn",
    "magnitude": "Sn",
    "uniforms": "Sn4",
    "blend": "nK",
    "mode": "n",
    "partner": "n",
    "weight": "n",
    "place": "n2",
}


@dataclass(frozen=True)
class Mix:
    """How n samples are mixed with each other.

    Attributes:
        mode: ``[n]`` int64: 0 for no mixing, otherwise one plus the index of a kind in the modality's `Mixer.kinds`.
        partner: ``[n]`` int64: the index of the sample that each is mixed with.
        weight: ``[n]`` float32: the weight of the sample's own values, or the share of them that it keeps.
        place: ``[n, 2]`` float32 in [0, 1): the position of the partner's part.
    """

    mode: Tensor
    partner: Tensor
    weight: Tensor
    place: Tensor


_OF_MIX = frozenset(f.name for f in fields(Mix))


@dataclass(frozen=True)
class Plan:
    """What will be done to n samples, in S steps.

    Attributes:
        operators: names that `choice` points into.
        choice: ``[S, n]`` int64, which operator, or -1 for none.
        magnitude: ``[S, n]`` floating point in [-1, 1], signed. May carry a gradient.
        uniforms: ``[S, n, UNIFORMS]`` float32 in [0, 1), for places, offsets and seeds.
        blend: ``[n, 1 + K]``, weights (each row sums to 1) of the original and of K chains, for AugMix; the steps are
            then K chains of S / K steps, one after another, each from the original. None where there is one chain.
        mix: how samples are mixed afterwards; None where the policy does not mix.
        modality: of the samples; where it is left out, the operators tell, or it is the first one.
        learned: what operators know of the training samples, by their names; see `Operator.learns`.
    """

    operators: tuple[str, ...]
    choice: Tensor
    magnitude: Tensor
    uniforms: Tensor
    blend: Tensor | None = None
    mix: Mix | None = None
    modality: str = ""
    learned: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.modality:
            object.__setattr__(self, "modality", modality_of(self.operators).name)

    def __len__(self) -> int:
        return self.choice.shape[1]

    def __getitem__(self, rows: slice) -> Plan:
        """The plan of a slice of the samples.

        Raises:
            OptionError: `rows` is not a slice, or a sample is mixed with one outside the slice.
        """
        if not isinstance(rows, slice):
            raise OptionError(f"a plan cannot be indexed by {rows!r}; use a slice, as in plan[{rows!r}:{rows!r} + 1]")
        cut = {k: v[:, rows] if _is_by_step(k) else v[rows] for k, v in self.tensors().items()}
        if "partner" not in cut:
            return self.with_tensors(cut)
        kept = torch.arange(len(self), device="cpu")[rows]
        own = torch.arange(len(kept), device="cpu")
        place = torch.full((len(self),), -1, device="cpu").index_copy(0, kept, own)
        partner = torch.where(cut["mode"] > 0, place[cut["partner"]], own)
        if len(kept) and int(partner.min()) < 0:
            sample = int(kept[int(partner.argmin())])
            raise OptionError(f"sample {sample} is mixed with one outside the slice {rows}; slice before mixing")
        return self.with_tensors(cut | {"partner": partner})

    @property
    def chains(self) -> int:
        """The number of chains."""
        return 1 if self.blend is None else self.blend.shape[1] - 1

    def side_by_side(self) -> Plan:
        """A plan for `chains` times as many samples, whose steps are those of one chain: the first n samples go through
        the first chain, and so on. It neither blends nor mixes.
        """
        if self.blend is None:
            return replace(self, mix=None)
        width, depth, n = self.chains, len(self.choice) // self.chains, len(self)
        by_chain = {
            name: tensor.view(width, depth, *tensor.shape[1:])
            for name, tensor in self.tensors().items()
            if _is_by_step(name)
        }
        return self.with_tensors(
            {k: v.transpose(0, 1).reshape(depth, width * n, *v.shape[3:]) for k, v in by_chain.items()}
        )

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of the plan and its mixing, by name."""
        every = {name: getattr(self.mix if name in _OF_MIX else self, name, None) for name in _TENSORS}
        return {name: tensor for name, tensor in every.items() if tensor is not None}

    @classmethod
    def from_tensors(cls, operators: tuple[str, ...], modality: str, tensors: Mapping[str, Tensor]) -> Plan:
        """The plan made of the `tensors`; raises TypeError if some are missing or unknown."""
        mix = {name: tensor for name, tensor in tensors.items() if name in _OF_MIX}
        own = {name: tensor for name, tensor in tensors.items() if name not in _OF_MIX}
        return cls(operators, mix=Mix(**mix) if mix else None, modality=modality, learned={}, **own)

    def with_tensors(self, tensors: Mapping[str, Tensor]) -> Plan:
        """A plan of the same operators with only these tensors."""
        return replace(Plan.from_tensors(self.operators, self.modality, tensors), learned=self.learned)

    def describe(self, index: int) -> str:
        """One line of text that tells what is done to sample `index`."""
        return ", ".join(self._words(index)) or "unchanged"

    def _words(self, index: int) -> Iterator[str]:
        for chain in range(self.chains):
            depth = len(self.choice) // self.chains
            steps = range(chain * depth, (chain + 1) * depth)
            words = [self._step(step, index) for step in steps if self.choice[step, index] >= 0]
            if self.blend is None:
                yield from words
            else:
                yield f"{float(self.blend[index, 1 + chain]):.2f} of ({', '.join(words) or 'the original'})"
        if self.mix is not None and self.mix.mode[index] > 0:
            kind = mixing_of(self.modality).kinds[int(self.mix.mode[index]) - 1]
            yield f"{kind} with {int(self.mix.partner[index])}, own share {float(self.mix.weight[index]):.2f}"

    def _step(self, step: int, index: int) -> str:
        operator = get_operator(self.operators[int(self.choice[step, index])])
        value = float(self.magnitude[step, index]) * operator.limit
        size = f"{value:+.3g}" if operator.signed else f"{value:.3g}"
        return operator.name if operator.is_switch else f"{operator.name} {size} {operator.unit}"

    def __str__(self) -> str:
        """One line per sample."""
        return "\n".join(f"{i}: {self.describe(i)}" for i in range(len(self)))

    @staticmethod
    def concatenate(plans: Sequence[Plan]) -> Plan:
        """One plan for the samples of all `plans`, which must come from one policy.

        Raises:
            OptionError: there are no plans, or they differ in operators, steps or kinds of mixing.
        """
        if not plans:
            raise OptionError("there are no plans to concatenate")
        first, tensors = plans[0], [plan.tensors() for plan in plans]
        if any(_policy_of(plan) != _policy_of(first) for plan in plans):
            raise OptionError("the plans differ in operators, steps or mixing; concatenate plans of one policy")
        if "partner" in tensors[0]:
            starts = itertools.accumulate(map(len, plans), initial=0)
            tensors = [own | {"partner": own["partner"] + start} for own, start in zip(tensors, starts, strict=False)]
        joined = {name: torch.cat([own[name] for own in tensors], dim=int(_is_by_step(name))) for name in tensors[0]}
        return first.with_tensors(joined)

    def save(self, path: str | Path) -> None:
        """Write the plan as JSON; `Plan.load` restores the same numbers bit for bit."""
        numbers = {
            name: {"dtype": str(tensor.dtype).removeprefix("torch."), "values": tensor.detach().tolist()}
            for name, tensor in self.tensors().items()
        }
        head = {"operators": list(self.operators), "samples": len(self), "modality": self.modality}
        head |= {"learned": dict(self.learned)} if self.learned else {}
        Path(path).write_text(json.dumps(head | numbers), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Load the plan in the file at `path`; raises `OptionError` if it is not a plan."""
        try:
            content = json.loads(read_text(Path(path), OptionError))
            samples, modality = int(content.pop("samples")), get_modality(str(content.pop("modality"))).name
            learned = {str(name): str(text) for name, text in content.pop("learned", {}).items()}
            operators = tuple(str(name) for name in content.pop("operators"))
            tensors = {
                name: torch.tensor(v["values"], dtype=_DTYPES[v["dtype"]], device="cpu") for name, v in content.items()
            }
            if not tensors["choice"].numel():  # no steps: lists do not tell the number of samples
                empty = {"choice": (0, samples), "magnitude": (0, samples), "uniforms": (0, samples, UNIFORMS)}
                tensors |= {name: tensors[name].reshape(shape) for name, shape in empty.items()}
            plan = cls.from_tensors(operators, modality, tensors)
            plan = replace(plan, learned=learned)
            _check_consistent(plan, samples)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, OverflowError) as fault:
            raise OptionError(f"{str(path)!r} is not a saved plan ({typed_line(fault)})") from None
        return plan


def _is_by_step(name: str) -> bool:
    """Whether the first dimension of that tensor is the step, rather than the sample."""
    return _TENSORS[name].startswith("S")


def _policy_of(plan: Plan) -> tuple[object, ...]:
    """What all plans of one policy have in common."""
    return plan.modality, plan.operators, len(plan.choice), plan.tensors().keys()


def mixing_of(modality: str) -> Mixer:
    """The mixer of the modality; raises `PolicyError` if it has none."""
    mixing = get_modality(modality).mixing
    if mixing is None:
        raise PolicyError(f"modality {modality!r} has no mixing; leave mixing out of the policy")
    return mixing


def _check_consistent(plan: Plan, samples: int) -> None:
    """Raise `ValueError` if a tensor of the plan does not have its steps and `samples`, or has indices out of range."""
    steps = len(plan.choice)
    chains = 0 if plan.blend is None else plan.blend.shape[-1] - 1
    lengths = {"S": steps, "n": samples, "K": chains + 1, "4": UNIFORMS, "2": 2}
    for name, tensor in plan.tensors().items():
        shape = tuple(lengths[dimension] for dimension in _TENSORS[name])
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, not {shape}")
    if plan.blend is not None and (chains < 1 or steps % chains):
        raise ValueError(f"{steps} steps cannot be divided among {chains} chains")
    kinds = len(mixing_of(plan.modality).kinds) if plan.mix else 0
    ends = {"choice": (-1, len(plan.operators)), "mode": (0, kinds + 1), "partner": (0, samples)}
    for name, (low, high) in ends.items():
        tensor = plan.tensors().get(name, torch.empty(0))
        if tensor.numel() and not (low <= int(tensor.min()) and int(tensor.max()) < high):
            raise ValueError(f"{name} has values outside {low} to {high - 1}")


_DTYPES = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64}


def draw_plan(policy: Policy, n: int, generator: torch.Generator, modality: str | None = None) -> Plan:
    """Draw a plan for `n` samples with a CPU `generator`. The same generator state gives the same plan.

    The modality is that of the policy's operators; for a policy without operators, it is `modality`, or the first
    registered one that has its kind of mixing.

    Raises:
        UnknownName: the modality or an operator of the policy is not registered.
        OptionError: `n` is negative.
        PolicyError: the policy has a schedule (its layers depend on the progress of the training), operators of several
            modalities, or a mixing that the modality does not have.
    """
    if policy.schedule:
        raise PolicyError(f"policy {policy.name!r} has a schedule; draw from policy.at(fraction of the training done)")
    if n < 0:
        raise OptionError(f"a plan cannot be drawn for {n} samples; the number must be at least 0")
    operators, table, blend, mix = drawn_operators(policy), drawing_table(policy), None, None
    modality = modality_of_policy(policy, modality).name
    if policy.chains is None:
        choice, magnitude, uniforms = drawing.draw_operations(table, n, generator)
    else:
        width, alpha = policy.chains.width, policy.chains.alpha
        choice, magnitude, uniforms, blend = drawing.draw_chains(table, width, alpha, n, generator)
    if policy.mixing is not None:
        mixing = mixing_of(modality)
        mix = Mix(*mixing.draw(*mixing_numbers(policy.mixing, mixing.kinds), n, generator))
    learned = learned_by(policy, operators)
    return Plan(operators, choice, magnitude, uniforms, blend=blend, mix=mix, modality=modality, learned=learned)


def learned_by(policy: Policy, operators: Collection[str]) -> dict[str, str]:
    """What the policy knows that these of its operators have learned; see `Plan`."""
    return {name: text for name, text in policy.learned if name in operators}


def drawn_operators(policy: Policy) -> tuple[str, ...]:
    """The operators that a plan of the policy indexes: all but Identity, which does nothing."""
    return tuple(name for name in policy.operator_names() if name != IDENTITY)


def drawing_table(policy: Policy, layers: tuple[Layer, ...] | None = None) -> drawing.Table:
    """The policy's layers, or some `layers` of its schedule, as plain numbers for `drawing.draw_operations`. Identity
    has index -1.
    """
    index = {name: i for i, name in enumerate(drawn_operators(policy))} | {IDENTITY: -1}
    return [
        [
            (
                sub_policy.weight,
                [(index[o.operator], o.probability, *o.magnitude, negative_share(o)) for o in sub_policy.operations],
            )
            for sub_policy in layer.sub_policies
        ]
        for layer in (policy.layers if layers is None else layers)
    ]


def negative_share(operation: Operation) -> float:
    """The probability of a negative magnitude: 0 for an unsigned operator."""
    return _NEGATIVE[operation.sign] if get_operator(operation.operator).signed else 0.0


_NEGATIVE = {"both": 0.5, "positive": 0.0, "negative": 1.0}


def mixing_numbers(mixing: Mixing, known: Sequence[str]) -> tuple[tuple[int, int], float, float]:
    """The two equally likely modes, the probability, and the parameter of the weights' Beta distribution. Raises
    `PolicyError` if a kind is not among the `known` ones.
    """
    kinds = mixed_by(mixing.kind)
    if not set(kinds) <= set(known):
        raise PolicyError(f"samples of this modality are not mixed by {mixing.kind}, but by {', '.join(known)}")
    return (1 + known.index(kinds[0]), 1 + known.index(kinds[-1])), mixing.probability, mixing.alpha


def check_plan(plan: Plan, samples: int) -> None:
    """Raise `OptionError` if the plan is for another number of samples or has magnitudes out of range, and
    `PolicyError` if it chooses operators that it does not list.
    """
    if len(plan) != samples:
        raise OptionError(f"the plan is for {len(plan)} samples, not {samples}; draw one of that size")
    if plan.choice.numel():
        worst = float(np.abs(plan.magnitude.detach().numpy()).max())
        if not worst <= 1:
            raise OptionError(f"a magnitude of the plan is {worst:g}; magnitudes must lie in [-1, 1]")
        choice = plan.choice.numpy()
        low, high = int(choice.min()), int(choice.max())
        if low < -1 or high >= len(plan.operators):
            raise PolicyError(f"the plan chooses operator {low if low < -1 else high} of {len(plan.operators)}")
