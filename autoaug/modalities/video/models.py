"""Proxy networks for clips, and the user's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from autoaug.modalities.from_scratch import FromScratch, Network
from autoaug.modalities.image.models import ResNet9
from autoaug.modalities.video.clips import of_clips

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


def _frame_net(shape: tuple[int, ...], outputs: int, mean: Tensor, std: Tensor) -> FrameNet:
    """The statistics of the frames' places in time are put together, so that the network does not depend on them."""
    return FrameNet(shape[1], outputs, (shape[2], shape[3]), mean.mean(), std.mean().clamp(min=1e-3))


#: A user's own network gets clips in [0, 1].
_NETWORKS = FromScratch(
    "clips",
    {
        "framenet": Network(
            _frame_net, "a small convolutional network on frames and their differences, and its mean over time"
        )
    },
    channels=1,
)
build, check, is_own, resolve, start = (
    _NETWORKS.build,
    _NETWORKS.check,
    _NETWORKS.is_own,
    _NETWORKS.resolve,
    _NETWORKS.start,
)
