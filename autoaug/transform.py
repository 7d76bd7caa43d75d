"""Plan, then apply: all the randomness of a policy in one record, and the engine that carries it out.

`draw_plan` draws for every sample its own branch, operators, signs and magnitudes; `apply_plan` has no randomness,
so the same plan gives the same images. Samples are grouped by operator, and all warps of a step share one sampling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from autoaug import drawing
from autoaug.errors import OptionError, PolicyError
from autoaug.operators import all_operators, get_operator
from autoaug.policy import Policy, read_policy
from autoaug.warping import sample


@dataclass(frozen=True)
class Plan:
    """What will be done to n samples, in S steps.

    Attributes:
        operators: names that ``choice`` points into.
        choice: ``[S, n]`` int64, which operator, or -1 for none.
        magnitude: ``[S, n]`` float32 in [-1, 1], signed.
        draws: ``[S, n, DRAWS]`` float32 in [0, 1), for places, offsets and seeds.
        partner: ``[n]`` int64, with which sample each is mixed; None where the policy does not mix.
        weight: ``[n]`` float32, the weight of the sample's own image (MixUp), or the share of the image it keeps
            (CutMix); 1 is not mixed.
        place: ``[n, 2]`` float32 in [0, 1), the centre of the CutMix box; None for MixUp.
    """

    operators: tuple[str, ...]
    choice: Tensor
    magnitude: Tensor
    draws: Tensor
    partner: Tensor | None = None
    weight: Tensor | None = None
    place: Tensor | None = None

    def __len__(self) -> int:
        return self.choice.shape[1]

    def describe(self, index: int) -> str:
        """One line of text on what is done to sample `index`."""
        words = []
        for choice, magnitude in zip(self.choice[:, index].tolist(), self.magnitude[:, index].tolist(), strict=True):
            if choice >= 0 and self.operators[choice] != "Identity":
                words.append(_in_words(self.operators[choice], magnitude))
        if self.weight is not None and self.partner is not None and float(self.weight[index]) < 1:
            kind = "MixUp" if self.place is None else "CutMix"
            words.append(f"{kind} with {int(self.partner[index])}, own share {float(self.weight[index]):.2f}")
        return ", ".join(words) or "unchanged"


def _in_words(name: str, magnitude: float) -> str:
    operator = get_operator(name)
    return name if operator.is_switch else f"{name} {magnitude * operator.limit:+.3g} {operator.unit}"


def check_operators(policy: Policy) -> Policy:
    """The policy itself; raises `UnknownName` where it uses an operator that is not registered."""
    for name in policy.operator_names():
        get_operator(name)
    return policy


def load_policy(name_or_path: str | Path) -> Policy:
    """The policy of that name, file, or names joined by ``+``, with operators that exist.

    Raises:
        PolicyError: the file breaks a rule of the format.
        UnknownName: there is no such policy, or it uses an operator that is not registered.
    """
    return check_operators(read_policy(name_or_path))


def draw_plan(policy: Policy, n: int, generator: torch.Generator) -> Plan:
    """Draw what the policy does to `n` samples, from a CPU `generator`: same generator state, same plan."""
    names = tuple(policy.operator_names())
    choice, magnitude, draws = drawing.draw_operations(drawing_table(policy), n, generator)
    plan = Plan(names, choice, magnitude, draws)
    if policy.mixing is None:
        return plan
    kind, probability, alpha = policy.mixing.kind, policy.mixing.probability, policy.mixing.alpha
    partner, weight, place = drawing.draw_mixing(probability, alpha, n, generator)
    return replace(plan, partner=partner, weight=weight, place=place if kind == "cutmix" else None)


def drawing_table(policy: Policy) -> drawing.Table:
    """The policy's layers as the plain numbers that `drawing.draw_operations` takes."""
    index = {name: i for i, name in enumerate(policy.operator_names())}
    return [
        [
            (
                branch.weight,
                [
                    (index[o.operator], o.probability, *o.magnitude, get_operator(o.operator).signed)
                    for o in branch.operations
                ],
            )
            for branch in layer.branches
        ]
        for layer in policy.layers
    ]


def apply_plan(plan: Plan, images: Tensor) -> Tensor:
    """Carry out `plan` on ``images [n, C, H, W]``: float in [0, 1] or uint8; returns the same shape and dtype.

    Raises:
        OptionError: the plan was drawn for another number of images.
    """
    if len(plan) != len(images):
        raise OptionError(f"the plan is for {len(plan)} images, not {len(images)}; draw one of that size")
    if images.dtype == torch.uint8:
        return (apply_plan(plan, images.float() / 255) * 255).round().to(torch.uint8)
    if not (plan.choice >= 0).any():
        return _mix_images(plan, images)
    operators = all_operators()
    table = [operators[name] for name in plan.operators]
    out = images.clone()
    for choice, magnitude, draws in zip(plan.choice, plan.magnitude, plan.draws, strict=True):
        warped: list[tuple[Tensor, Tensor]] = []
        for index in choice.unique().tolist():
            operator = table[index]
            if index < 0 or operator.name == "Identity":
                continue
            rows = (choice == index).nonzero().squeeze(1)
            value = (magnitude[rows] * operator.limit).to(images.device, images.dtype)
            chance = draws[rows].to(images.device)
            rows = rows.to(images.device)
            if operator.kind == "warp":
                warped.append((rows, operator.function(value, chance, tuple(images.shape[-2:]))))
            else:
                out[rows] = operator.function(out[rows], value, chance)
        if warped:
            rows = torch.cat([rows for rows, _ in warped])
            out[rows] = sample(out[rows], torch.cat([maps for _, maps in warped]))
    return _mix_images(plan, out)


def _mix_images(plan: Plan, images: Tensor) -> Tensor:
    if plan.partner is None or plan.weight is None:
        return images
    partners = images[plan.partner.to(images.device)]
    own = drawing.own_share(plan.weight, plan.place, images.shape[-2], images.shape[-1])
    return torch.lerp(partners, images, own.to(images.device, images.dtype))


def mix_labels(plan: Plan, labels: Tensor, height: int, width: int) -> Tensor:
    """Soft labels ``[n, classes]`` mixed as the plan mixes images of that size."""
    if plan.partner is None or plan.weight is None:
        return labels
    own = drawing.own_share(plan.weight, plan.place, height, width).mean((1, 2, 3)).to(labels.device, labels.dtype)
    return torch.lerp(labels[plan.partner.to(labels.device)], labels, own[:, None])


def soft_labels(labels: Tensor, num_classes: int | None = None) -> Tensor:
    """``[n]`` class indices as ``[n, classes]`` float32; labels that are soft already pass through."""
    if labels.ndim == 2:
        return labels if labels.is_floating_point() else labels.float()
    classes = num_classes or int(labels.max()) + 1
    return nn.functional.one_hot(labels.long(), classes).float()


class PolicyTransform(nn.Module):
    """A policy as a module: ``images [B, C, H, W]`` in [0, 1] in, the same shape out.

    With labels (``[B]`` class indices or ``[B, classes]`` soft) it returns ``(images, soft labels [B, classes])``.
    Adversarial samples and K copies need the model and the batch, so the trainer makes them, not this module.

    Args:
        policy: what to draw from.
        seed: of the module's own generator; None takes a fresh one from the global generator.
        num_classes: the width of the soft labels; where it is None and labels are indices, the batch's highest
            label tells.

    Raises:
        UnknownName: the policy uses an operator that is not registered.
    """

    def __init__(self, policy: Policy, seed: int | None = None, num_classes: int | None = None) -> None:
        super().__init__()
        self.policy = check_operators(policy)
        self.num_classes = num_classes
        self.generator = torch.Generator()
        self.generator.manual_seed(int(torch.randint(2**62, ())) if seed is None else seed)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """Draw a plan for this batch and carry it out."""
        if images.ndim != 4:
            raise OptionError(f"images must be [B, C, H, W], not of shape {list(images.shape)}")
        if labels is None and self.policy.mixing is not None:
            raise PolicyError(f"policy {self.policy.name!r} mixes images ({self.policy.mixing.kind}); pass labels too")
        plan = draw_plan(self.policy, len(images), self.generator)
        augmented = apply_plan(plan, images)
        if labels is None:
            return augmented
        return augmented, mix_labels(plan, soft_labels(labels, self.num_classes), *images.shape[-2:])

    def extra_repr(self) -> str:
        """What ``print(module)`` shows."""
        return f"policy={self.policy.name!r}, fingerprint={self.policy.fingerprint()!r}"
