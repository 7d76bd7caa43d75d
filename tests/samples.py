"""Samples of every registered modality, for tests that must pass for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from autoaug.modalities.operators import IDENTITY, Operator, all_operators, get_operator
from autoaug.policy.loading import builtin_names, load_policy
from autoaug.policy.models import Policy


def photographs(n: int = 24, channels: int = 3, size: tuple[int, int] = (20, 26)) -> Tensor:
    """Smooth random images with 256 levels, as photographs have."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(n, channels, 6, 6, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size, mode="bicubic").clamp(0, 1)
    return (smooth * 255).round() / 255


def waves(n: int = 24, channels: int = 2, length: int = 40) -> Tensor:
    """Slow waves on a slope, with values from -2 to 2."""
    drawn = torch.rand(n, channels, 2, 1, generator=torch.Generator().manual_seed(0))
    time = torch.linspace(-1, 1, length)
    return (0.5 + drawn[:, :, 0]) * time + 0.5 * torch.sin(2 * time + 6 * drawn[:, :, 1])


#: For each modality what is typical of it, so many samples.
TYPICAL: Mapping[str, Callable[[int], Tensor]] = {"image": photographs, "series": waves}
#: For each modality shapes at the edge of what it takes.
SHAPES: Mapping[str, list[tuple[int, ...]]] = {
    "image": [(1, 1, 1, 7), (1, 3, 7, 1), (2, 3, 1, 1), (3, 1, 5, 4), (2, 5, 9, 8), (1, 3, 16, 16)],
    "series": [(1, 1, 2), (2, 3, 5), (3, 1, 16)],
}


def typical(operator: str, n: int = 24) -> Tensor:
    """Samples that the operator takes."""
    return TYPICAL[get_operator(operator).modality](n)


def operators_of(modality: str = "image") -> dict[str, Operator]:
    """The operators of one modality, by name."""
    return {name: operator for name, operator in all_operators().items() if operator.modality == modality}


def policies_of(modality: str = "image") -> dict[str, Policy]:
    """The published policies of one modality, by name; those without operators are of each."""
    loaded, known = {name: load_policy(name) for name in builtin_names()}, {*operators_of(modality), IDENTITY}
    return {name: policy for name, policy in loaded.items() if known.issuperset(policy.operator_names())}
