"""A plan: all the randomness of a policy for one batch, in one small record that replays, prints and travels."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from torch import Tensor

from autoaug.errors import OptionError, PolicyError, typed_line
from autoaug.functional import sampling as drawing
from autoaug.functional.mixing import MIXINGS
from autoaug.modalities.operators import RENAMED_OPERATORS, get_operator
from autoaug.policy.models import Layer, Mixing, Operation, Policy
from autoaug.utils.files import read_text
from autoaug.utils.renamed import with_names

#: The tensors whose first dimension is the step, not the sample.
_BY_STEP = frozenset({"choice", "magnitude", "uniforms", "gate"})


@dataclass(frozen=True)
class Plan:
    """What will be done to n samples, in S steps.

    Attributes:
        operators: names that `choice` points into.
        choice: ``[S, n]`` int64, which operator, or -1 for none.
        magnitude: ``[S, n]`` floating point in [-1, 1], signed. May carry a gradient.
        draws: ``[S, n, DRAWS]`` float32 in [0, 1), for places, offsets and seeds.
        gate: ``[S, n]`` in [0, 1], how much of each step's result is taken; None takes all. For gradients to the
            choice of sub-policies: see `autoaug.engine.relaxation`.
        blend: ``[n, 1 + K]``, weights (each row sums to 1) of the original and of K chains, for AugMix; the steps are
            then K chains of S / K steps, one after another, each from the original. None where there is one chain.
        mode: ``[n]`` int64, how each sample is mixed: 0 not at all, else as numbered in `mixing.MIXINGS`; None where
            the policy does not mix. The following are None with it.
        partner: ``[n]`` int64, with which sample each is mixed.
        weight: ``[n]`` float32, the weight of the sample's own sample, or the share of the sample that it keeps.
        place: ``[n, 2]`` float32 in [0, 1), the center of the box, as fractions of height and width.
    """

    operators: tuple[str, ...]
    choice: Tensor
    magnitude: Tensor
    uniforms: Tensor
    gate: Tensor | None = None
    blend: Tensor | None = None
    mode: Tensor | None = None
    partner: Tensor | None = None
    weight: Tensor | None = None
    place: Tensor | None = None

    def __len__(self) -> int:
        return self.choice.shape[1]

    def __getitem__(self, rows: slice) -> Plan:
        """The plan of a slice of the samples.

        Raises:
            OptionError: `rows` is no slice, or a sample is mixed with one outside the slice.
        """
        if not isinstance(rows, slice):
            raise OptionError(f"a plan is sliced, as in plan[{rows!r}:{rows!r} + 1], not indexed by {rows!r}")
        cut = {k: v[:, rows] if k in _BY_STEP else v[rows] for k, v in self.tensors().items()}
        part = Plan(self.operators, **cut)
        if part.partner is None or part.mode is None:
            return part
        kept = torch.arange(len(self), device="cpu")[rows]
        own = torch.arange(len(kept), device="cpu")
        place = torch.full((len(self),), -1, device="cpu").index_copy(0, kept, own)
        partner = torch.where(part.mode > 0, place[part.partner], own)
        if len(kept) and int(partner.min()) < 0:
            sample = int(kept[int(partner.argmin())])
            raise OptionError(f"sample {sample} is mixed with one outside the slice {rows}; slice before mixing")
        return replace(part, partner=partner)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that the plan has, by name."""
        found = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "operators"}
        return {name: tensor for name, tensor in found.items() if tensor is not None}

    def describe(self, index: int) -> str:
        """One line of text on what is done to sample `index`."""
        return ", ".join(self._words(index)) or "unchanged"

    def _words(self, index: int) -> Iterator[str]:
        chains = 1 if self.blend is None else self.blend.shape[1] - 1
        for chain in range(chains):
            steps = range(chain * len(self.choice) // chains, (chain + 1) * len(self.choice) // chains)
            words = [self._step(step, index) for step in steps if self.choice[step, index] >= 0]
            if self.blend is None:
                yield from words
            else:
                yield f"{float(self.blend[index, 1 + chain]):.2f} of ({', '.join(words) or 'the original'})"
        if self.mode is not None and self.partner is not None and self.weight is not None and self.mode[index] > 0:
            kind, share = MIXINGS[int(self.mode[index]) - 1], float(self.weight[index])
            yield f"{kind} with {int(self.partner[index])}, own share {share:.2f}"

    def _step(self, step: int, index: int) -> str:
        operator = get_operator(self.operators[int(self.choice[step, index])])
        value = float(self.magnitude[step, index]) * operator.limit
        return operator.name if operator.is_switch else f"{operator.name} {value:+.3g} {operator.unit}"

    def __str__(self) -> str:
        """A line a sample."""
        return "\n".join(f"{i}: {self.describe(i)}" for i in range(len(self)))

    @staticmethod
    def concatenate(plans: Sequence[Plan]) -> Plan:
        """One plan for the samples of all `plans`, which must be of one policy.

        Raises:
            OptionError: there are no plans, or they differ in operators, steps or kinds of mixing.
        """
        if not plans:
            raise OptionError("there are no plans to concatenate")
        first = plans[0]
        for plan in plans[1:]:
            if (plan.operators, len(plan.choice), plan.tensors().keys()) != (
                first.operators,
                len(first.choice),
                first.tensors().keys(),
            ):
                raise OptionError("the plans differ in operators, steps or mixing; concatenate plans of one policy")
        starts = [0, *itertools.accumulate(len(plan) for plan in plans)]
        joined = {
            name: torch.cat([plan.tensors()[name] for plan in plans], dim=int(name in _BY_STEP))
            for name in first.tensors()
        }
        if first.partner is not None:
            partners = [p.partner + s for p, s in zip(plans, starts, strict=False) if p.partner is not None]
            joined["partner"] = torch.cat(partners)
        return Plan(first.operators, **joined)

    def save(self, path: str | Path) -> None:
        """Write the plan as JSON, which `Plan.load` reads back to the same numbers, bit for bit."""
        numbers = {
            name: {"dtype": str(tensor.dtype).removeprefix("torch."), "values": tensor.detach().tolist()}
            for name, tensor in self.tensors().items()
        }
        text = json.dumps({"operators": list(self.operators), "samples": len(self)} | numbers)
        Path(path).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """The plan in the file at `path`; raises `OptionError` where it is none."""
        try:
            content = json.loads(read_text(Path(path), OptionError))
            samples, names = int(content.pop("samples")), map(str, content.pop("operators"))
            operators = tuple(RENAMED_OPERATORS.get(name, name) for name in names)
            tensors = {
                name: torch.tensor(v["values"], dtype=_DTYPES[v["dtype"]], device="cpu")
                for name, v in with_names(content, {"draws": "uniforms"}).items()  # what older versions called them
            }
            if not tensors["choice"].numel():  # no steps: lists do not tell the number of samples
                empty = {"choice": (0, samples), "magnitude": (0, samples), "uniforms": (0, samples, 4)}
                tensors |= {name: tensors[name].reshape(shape) for name, shape in empty.items()}
            plan = cls(operators, **tensors)
            _check_consistent(plan, samples)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, OverflowError) as fault:
            raise OptionError(f"{str(path)!r} is not a saved plan ({typed_line(fault)})") from None
        return plan


def _check_consistent(plan: Plan, samples: int) -> None:
    """Raise `ValueError` where the plan's tensors are not all of its steps and `samples`, or point to nothing."""
    steps = len(plan.choice)
    chains = 0 if plan.blend is None else plan.blend.shape[-1] - 1
    shapes = {
        **dict.fromkeys(("choice", "magnitude", "gate"), (steps, samples)),
        **dict.fromkeys(("mode", "partner", "weight"), (samples,)),
        "uniforms": (steps, samples, 4),
        "blend": (samples, chains + 1),
        "place": (samples, 2),
    }
    for name, tensor in plan.tensors().items():
        if tuple(tensor.shape) != shapes[name]:
            raise ValueError(f"{name} is of shape {tuple(tensor.shape)}, not {shapes[name]}")
    if plan.blend is not None and (chains < 1 or steps % chains):
        raise ValueError(f"{steps} steps are not those of {chains} chains")
    if len({tensor is None for tensor in (plan.mode, plan.partner, plan.weight, plan.place)}) > 1:
        raise ValueError("mode, partner, weight and place stand together, or none of them")
    ends = {"choice": (-1, len(plan.operators)), "mode": (0, len(MIXINGS) + 1), "partner": (0, samples)}
    for name, (low, high) in ends.items():
        tensor = plan.tensors().get(name, torch.empty(0))
        if tensor.numel() and not (low <= int(tensor.min()) and int(tensor.max()) < high):
            raise ValueError(f"{name} has values outside {low} to {high - 1}")


_DTYPES = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64}


def draw_plan(policy: Policy, n: int, generator: torch.Generator) -> Plan:
    """Draw what the policy does to `n` samples, from a CPU `generator`: same generator state, same plan.

    Raises:
        UnknownName: the policy uses an operator that is not registered.
        OptionError: `n` is negative.
        PolicyError: the policy has a schedule; what applies depends on how much of the training is done.
    """
    if policy.schedule:
        raise PolicyError(f"policy {policy.name!r} has a schedule; draw from policy.at(share of the training done)")
    if n < 0:
        raise OptionError(f"a plan cannot be for {n} samples; draw it for 0 or more")
    table, chains = drawing_table(policy), policy.chains
    if chains is None:
        plan = Plan(drawn_operators(policy), *drawing.draw_operations(table, n, generator))
    else:
        choice, magnitude, uniforms, blend = drawing.draw_chains(table, chains.width, chains.alpha, n, generator)
        plan = Plan(drawn_operators(policy), choice, magnitude, uniforms, blend=blend)
    if policy.mixing is None:
        return plan
    mode, partner, weight, place = drawing.draw_mixing(*mixing_numbers(policy.mixing), n, generator)
    return replace(plan, mode=mode, partner=partner, weight=weight, place=place)


def drawn_operators(policy: Policy) -> tuple[str, ...]:
    """The operators that a plan of the policy numbers: all but Identity, which does nothing."""
    return tuple(name for name in policy.operator_names() if name != "Identity")


def drawing_table(policy: Policy, layers: tuple[Layer, ...] | None = None) -> drawing.Table:
    """The policy's layers, or some `layers` of its schedule, as the plain numbers that `drawing.draw_operations` takes;
    Identity is no operator there.
    """
    index = {name: i for i, name in enumerate(drawn_operators(policy))} | {"Identity": -1}
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
    """The probability that the magnitude is drawn with a negative sign: 0 where the operator has but one."""
    return _NEGATIVE[operation.sign] if get_operator(operation.operator).signed else 0.0


_NEGATIVE = {"both": 0.5, "positive": 0.0, "negative": 1.0}


def mixing_numbers(mixing: Mixing) -> tuple[tuple[int, int], float, float]:
    """The two modes that are drawn evenly, the probability and the parameter of the weights' Beta distribution."""
    kinds = ("mixup", "cutmix") if mixing.kind == "mixup-or-cutmix" else (mixing.kind, mixing.kind)
    return (1 + MIXINGS.index(kinds[0]), 1 + MIXINGS.index(kinds[1])), mixing.probability, mixing.alpha


def check_plan(plan: Plan, samples: int) -> None:
    """Raise `OptionError` where the plan is for another number of samples or has impossible magnitudes, and
    `PolicyError` where it names operators that it does not have.
    """
    if len(plan) != samples:
        raise OptionError(f"the plan is for {len(plan)} samples, not {samples}; draw one of that size")
    if plan.magnitude.numel() and not float(plan.magnitude.detach().abs().max()) <= 1:
        worst = float(plan.magnitude.detach().abs().max())
        raise OptionError(f"a magnitude of the plan is {worst:g}; magnitudes must lie in [-1, 1]")
    if plan.choice.numel():
        low, high = (int(end) for end in plan.choice.aminmax())
        if low < -1 or high >= len(plan.operators):
            raise PolicyError(f"the plan chooses operator {low if low < -1 else high} of {len(plan.operators)}")
