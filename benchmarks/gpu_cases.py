"""What the parts of `benchmarks.gpu` share: a clock, images, plans, and a case after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from autoaug.engine.plan import Plan, draw_plan
from autoaug.modalities.operators import all_operators, get_operator
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Mixing, Policy

#: The named policies whose results, waits and copies are looked at.
POLICIES = ("none", "flip-crop", "trivialaugment-wide", "randaugment", "augmix", "cutmix", "mixup")

#: Figures of a part by name.
Parts = dict[str, Any]


class Clock:
    """How much of the time is left."""

    def __init__(self, seconds: float) -> None:
        self.end = time.perf_counter() + seconds

    def left(self) -> float:
        """In seconds."""
        return self.end - time.perf_counter()


def pictures(n: int, channels: int, side: int, device: str) -> Tensor:
    """Smooth images with noise, in [0, 1] at 256 levels."""
    generator = torch.Generator().manual_seed(side + channels)
    coarse = torch.rand(n, channels, 6, 6, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")
    noise = 0.1 * torch.rand(n, channels, side, side, generator=generator)
    return ((0.9 * smooth + noise).clamp(0, 1) * 255).round().div(255).to(device)


def policy_of(name: str) -> Policy:
    """The published policy with that name, or a flip and crop with such a mixing."""
    if name in ("cutmix", "mixup"):
        return load_policy("flip-crop").model_copy(update={"mixing": Mixing(kind=name)})
    return load_policy(name)


def image_operators() -> list[str]:
    """The names of all operators on images."""
    return sorted(name for name, operator in all_operators().items() if operator.modality == "image")


def plans_of(n: int) -> dict[str, Plan]:
    """A plan for n images for each operator, at magnitudes from weak to strong, and for each named policy."""
    plans, draw = {}, torch.Generator().manual_seed(0)
    for name in image_operators():
        sign = torch.where(torch.arange(n) % 2 == 0, 1.0, -1.0 if get_operator(name).signed else 1.0)
        magnitude = (sign * torch.linspace(0.1, 1, n))[None]
        plans[name] = Plan((name,), torch.zeros(1, n).long(), magnitude, torch.rand(1, n, 4, generator=draw))
    return plans | {name: draw_plan(policy_of(name), n, draw, "image") for name in POLICIES}


def for_each(names: Iterable[str], clock: Clock, measure: Callable[[str], Any]) -> Parts:
    """What is measured for each name; an error takes the place of what cannot be measured."""
    made: Parts = {}
    for name in names:
        if clock.left() < 0:
            made["left out"] = "the time was over"
            break
        try:
            made[name] = measure(name)
        except Exception as fault:
            made[name] = {"error": line(fault)}
    return made


def line(fault: Exception) -> str:
    """The error in one line."""
    return f"{type(fault).__name__}: {' '.join(str(fault).split())[:300]}"
