"""Samples of every registered modality, for tests that must pass for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from autoaug.modalities.kinds import known_kinds
from autoaug.modalities.operators import IDENTITY, Operator, all_operators, get_operator
from autoaug.modalities.registry import get_modality
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


def tones(n: int = 24, channels: int = 1, length: int = 600) -> Tensor:
    """A slow wave with weaker tones from 200 Hz to 6 kHz, with values from -0.5 to 0.5."""
    drawn = torch.rand(n, channels, 6, 1, generator=torch.Generator().manual_seed(0))
    hertz = torch.cat([15 + 15 * drawn[:, :, :1], 200 * 30 ** drawn[:, :, 1:3]], 2)
    waves = torch.sin(2 * torch.pi * hertz * torch.arange(length) / 16000 + 6.3 * drawn[:, :, 3:])
    return (waves * torch.tensor([[0.3], [0.1], [0.1]])).sum(2)


def clips(n: int = 24, channels: int = 3, frames: int = 6, size: tuple[int, int] = (10, 13)) -> Tensor:
    """Photographs that move to the side and grow brighter, with 256 levels."""
    wide = photographs(n, channels, (size[0], size[1] + frames))
    moving = [0.7 * wide[..., t : t + size[1]] + 0.3 * t / frames for t in range(frames)]
    return (torch.stack(moving, 1) * 255).round() / 255


#: For each modality what is typical of it, so many samples.
TYPICAL: Mapping[str, Callable[[int], Tensor]] = {"image": photographs, "series": waves, "audio": tones, "video": clips}
#: For each modality shapes at the edge of what it takes.
SHAPES: Mapping[str, list[tuple[int, ...]]] = {
    "image": [(1, 1, 1, 7), (1, 3, 7, 1), (2, 3, 1, 1), (3, 1, 5, 4), (2, 5, 9, 8), (1, 3, 16, 16)],
    "series": [(1, 1, 2), (2, 3, 5), (3, 1, 16)],
    "audio": [(1, 1, 1), (2, 2, 2), (3, 1, 7), (1, 5, 64), (2, 1, 700)],
    "video": [(1, 1, 1, 1, 7), (2, 2, 3, 7, 1), (3, 5, 1, 4, 5), (2, 7, 3, 9, 8)],
}


def typical(operator: str, n: int = 24) -> Tensor:
    """Samples that the operator takes."""
    return TYPICAL[get_operator(operator).modality](n)


def distinct_operators() -> list[str]:
    """The names of all operators on continuous values but those that take over another's function, such as those of
    images on the frames of clips: `tests/modalities/video` shows that their frames are what the other makes, and
    `tests/modalities/text` the contract of operators on tokens.
    """
    continuous = {name: o for name, o in all_operators().items() if get_modality(o.modality).is_continuous}
    first = {operator.function: name for name, operator in reversed(continuous.items())}
    return sorted(first.values())


def operators_of(modality: str = "image") -> dict[str, Operator]:
    """The operators of one modality, by name, without those that need a program or a model of the user's."""
    lacking = get_modality(modality).lacking()
    return {name: o for name, o in all_operators().items() if o.modality == modality and name not in lacking}


def policies_of(modality: str = "image") -> dict[str, Policy]:
    """The published policies of one modality, by name; those without operators are of each that has their mixing."""
    loaded, known = {name: load_policy(name) for name in builtin_names()}, {*operators_of(modality), IDENTITY}
    fitting = {name: policy for name, policy in loaded.items() if known.issuperset(policy.operator_names())}
    mixed = known_kinds(get_modality(modality))["mixing"]
    return {name: policy for name, policy in fitting.items() if not policy.mixing or policy.mixing.kind in mixed}
