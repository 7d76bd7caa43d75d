"""Proxy networks for clips, and the user's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from autoaug.errors import OptionError
from autoaug.modalities.image.models import ResNet9
from autoaug.modalities.networks import Start
from autoaug.modalities.own_networks import build_own, check_call, load_builder
from autoaug.modalities.video.clips import of_clips

_BUILTIN = ("auto", "framenet")
#: Frames with more pixels on the shorter side are reduced before the network, which sees many of each clip.
_SIDE = 32
#: Differences between frames are multiplied by this: they are a fraction of what frames vary by.
_ENLARGED = 4.0


class FrameNet(nn.Module):
    """A narrow ResNet-9 that looks at each frame and at its difference from the next one, so that it sees which way
    things move, and the mean of what it says over time (after TSN; Wang et al., 2016).

    Maps clips ``[n, T, channels, H, W]`` in [0, 1] to logits ``[n, classes]``. Frames of more than 32 pixels on the
    shorter side are reduced by a whole number. Values are standardized by `mean` and `std`, one of each for all, and
    differences, which are smaller, are enlarged.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, channels: int, classes: int, size: tuple[int, int], mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.reduction = -(-min(size) // _SIDE)
        smaller = (max(1, size[0] // self.reduction), max(1, size[1] // self.reduction))
        self.network = ResNet9(2 * channels, classes, smaller)

    def forward(self, clips: Tensor) -> Tensor:
        frames = clips.shape[1]
        seen = ((clips - self.mean) / self.std).flatten(0, 1)
        seen = of_clips(avg_pool2d(seen, self.reduction) if self.reduction > 1 else seen, frames)
        change = seen.diff(dim=1) if frames > 1 else torch.zeros_like(seen)
        pairs = torch.cat([seen[:, : change.shape[1]], _ENLARGED * change], 2)
        logits: Tensor = self.network(pairs.flatten(0, 1))
        return of_clips(logits, pairs.shape[1]).mean(1)


def build(
    name: str,
    shape: tuple[int, ...],
    outputs: int,
    mean: Tensor,
    std: Tensor,
    seed: int,
    start: Start | None = None,
) -> nn.Module:
    """Build a network with random weights; the same `seed` gives the same ones. The statistics of the frames' places in
    time are put together, so that a network does not depend on them. A user's own network gets clips in [0, 1].
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs, too
        if not is_own(name):
            return FrameNet(shape[1], outputs, (shape[2], shape[3]), mean.mean(), std.mean().clamp(min=1e-3))
        return build_own(load_builder(name, _BUILTIN), name, shape[1], outputs)


def is_own(name: str) -> bool:
    """See `autoaug.modalities.networks.Models`."""
    return name not in _BUILTIN


def resolve(name: str, shape: tuple[int, ...]) -> tuple[str, str]:
    """See `autoaug.modalities.networks.Models`."""
    if name != "auto":
        return name, "as given"
    return "framenet", "a small convolutional network on frames and their differences, and its mean over time"


def start(name: str, weights: str, shape: tuple[int, ...], outputs: int) -> tuple[Start, str]:
    """See `autoaug.modalities.networks.Models`."""
    raise OptionError(f"--weights {weights}: networks for clips begin from random weights; leave it out")


def check(name: str, weights: str | None = None) -> None:
    """See `autoaug.modalities.networks.Models`."""
    if is_own(name):
        check_call(load_builder(name, _BUILTIN), name)
    if weights is not None:
        start(name, weights, (), 0)
