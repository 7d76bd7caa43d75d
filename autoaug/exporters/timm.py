"""Export to options of timm's training script."""

from __future__ import annotations

from autoaug.errors import PolicyError
from autoaug.exporters.base import Target, header, runtime_of
from autoaug.exporters.idiomatic import drawn_values
from autoaug.modalities.base import Modality
from autoaug.modalities.operators import IDENTITY
from autoaug.modalities.runtime import Runtime
from autoaug.policy.loading import randaugment
from autoaug.policy.models import Layer, Operation, Policy

_FLIPS = {"HorizontalFlip": "--hflip", "VerticalFlip": "--vflip"}
_MIXINGS = {"mixup": ("--mixup",), "cutmix": ("--cutmix",), "mixup-or-cutmix": ("--mixup", "--cutmix")}


class Timm(Target):
    """Flips, MixUp and CutMix are equivalent in timm (its ``elem`` mode draws one weight per sample, as autoaug does;
    the partner is the sample at the mirrored position in the batch). RandAugment is not: timm's has other operators,
    ranges and interpolation.
    """

    name = "timm"
    summary = "as options of timm's train.py"
    suffix = "txt"

    def supports(self, operator: str) -> bool:
        return operator in {*_FLIPS, IDENTITY}

    def text(self, policy: Policy, modality: Modality, approximate: bool = False, note: str = "") -> str:
        use = runtime_of(self, modality, Runtime).use
        for part in ("chains", "schedule"):
            if getattr(policy, part):
                raise PolicyError(
                    f"timm cannot express {part} of policy {policy.name!r}; export to torchvision or kornia"
                )
        options, rest, left_out = ["--scale 1 1 --ratio 1 1 --color-jitter 0"], [], []
        flips = dict.fromkeys(_FLIPS.values(), 0.0)
        for layer in filter(_has_effect, policy.layers):
            if (flip := _single(layer)) and flip.operator in _FLIPS:
                before, (own, _) = flips[_FLIPS[flip.operator]], drawn_values(flip)
                flips[_FLIPS[flip.operator]] = before + own - 2 * before * own  # two flips are none
            else:
                rest.append(layer)
        options += [f"{option} {value:g}" for option, value in flips.items()]
        if rest:
            options.append(_randaugment(policy, rest, approximate))
            left_out.append(
                "APPROXIMATION: timm's RandAugment differs from autoaug's in operators, ranges and interpolation."
            )
        if policy.mixing:
            options += _mixing(policy)
        return f"{header(policy, self, use, [note, *left_out])}\n{' '.join(options)}\n"


def _has_effect(layer: Layer) -> bool:
    """Whether it has an operation that is ever applied."""
    drawn = [drawn_values(o) for sub_policy in layer.sub_policies if sub_policy.weight for o in sub_policy.operations]
    return any(probability and ranges for probability, ranges in drawn)


def _single(layer: Layer) -> Operation | None:
    """The operation of a layer that has only one; otherwise None."""
    operations = layer.sub_policies[0].operations
    return operations[0] if len(layer.sub_policies) == 1 and len(operations) == 1 else None


def _randaugment(policy: Policy, layers: list[Layer], approximate: bool) -> str:
    """The option for the layers of a RandAugment of any strength; raises `PolicyError` for other layers."""
    n = len(layers)
    for m in range(31) if n <= 16 else ():
        if tuple(layers) == randaugment(n, m).layers:
            if approximate:
                return f"--aa rand-m{m}-n{n}-mstd0-inc1"
            raise PolicyError(
                f"timm cannot express RandAugment of policy {policy.name!r} exactly; allow timm's with --approximate"
            )
    operators = {o.operator for layer in layers for sub_policy in layer.sub_policies for o in sub_policy.operations}
    raise PolicyError(
        f"timm cannot express {', '.join(sorted(operators))} of policy {policy.name!r}; export to torchvision or kornia"
    )


def _mixing(policy: Policy) -> list[str]:
    mixing = policy.mixing
    assert mixing is not None
    if mixing.kind not in _MIXINGS:
        raise PolicyError(
            f"timm cannot express {mixing.kind} of policy {policy.name!r}; export to torchvision or kornia"
        )
    alphas = [f"{option} {mixing.alpha:g}" for option in _MIXINGS[mixing.kind]]
    return [*alphas, f"--mixup-prob {mixing.probability:g}", "--mixup-switch-prob 0.5", "--mixup-mode elem"]
