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


def reduced(clips: Tensor, factor: int) -> Tensor:
    """Clips ``[n, T, channels, H, W]`` with frames smaller by that factor, whose pixels are means."""
    return of_clips(avg_pool2d(clips.flatten(0, 1), factor), clips.shape[1]) if factor > 1 else clips


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
        seen = reduced((clips - self.mean) / self.std, self.reduction)
        change = seen.diff(dim=1) if clips.shape[1] > 1 else torch.zeros_like(seen)
        pairs = torch.cat([seen[:, : change.shape[1]], _ENLARGED * change], 2)
        logits: Tensor = self.network(pairs.flatten(0, 1))
        return of_clips(logits, pairs.shape[1]).mean(1)


def _frame_net(shape: tuple[int, ...], outputs: int, mean: Tensor, std: Tensor) -> FrameNet:
    """The statistics of the frames' places in time are put together, so that the network does not depend on them."""
    return FrameNet(shape[1], outputs, (shape[2], shape[3]), mean.mean(), std.mean().clamp(min=1e-3))


class Factorized(nn.Sequential):
    """A convolution over 3 x 3 pixels, and one over three frames, with batch normalization and a ReLU between them, and
    with as many weights as one over 3 x 3 x 3 (Tran et al., 2018).

    Maps ``[n, given, T, H, W]`` to ``[n, made, T, H / stride, W / stride]``.
    """

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        between = 27 * given * made // (9 * given + 3 * made)
        super().__init__(
            nn.Conv3d(given, between, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
            nn.BatchNorm3d(between),
            nn.ReLU(),
            nn.Conv3d(between, made, (3, 1, 1), padding=(1, 0, 0), bias=False),
        )


class R2Plus1DBlock(nn.Module):
    """Two factorized convolutions beside a shortcut. Maps ``[n, given, T, H, W]`` to ``[n, made, T, H / 2, W / 2]``."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            Factorized(given, made, stride=2),
            nn.BatchNorm3d(made),
            nn.ReLU(),
            Factorized(made, made),
            nn.BatchNorm3d(made),
        )
        self.shortcut = nn.Sequential(nn.Conv3d(given, made, 1, (1, 2, 2), bias=False), nn.BatchNorm3d(made))

    def forward(self, values: Tensor) -> Tensor:
        made: Tensor = (self.convolutions(values) + self.shortcut(values)).relu()
        return made


class R2Plus1D(nn.Module):
    """A narrow R(2+1)D network (Tran et al., 2018): a stem and three residual blocks of convolutions over pixels and,
    after them, over frames, and the mean over all places and times.

    Maps clips ``[n, T, channels, H, W]`` in [0, 1] to logits ``[n, classes]``. Frames are reduced and standardized as
    in `FrameNet`.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, channels: int, classes: int, size: tuple[int, int], mean: Tensor, std: Tensor, width: int = 8
    ) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.reduction = -(-min(size) // _SIDE)
        self.layers = nn.Sequential(
            Factorized(channels, width),
            nn.BatchNorm3d(width),
            nn.ReLU(),
            *(R2Plus1DBlock(width << k, width << (k + 1)) for k in range(3)),
            nn.AdaptiveAvgPool3d(1),
            nn.Flatten(),
            nn.Linear(8 * width, classes),
        )

    def forward(self, clips: Tensor) -> Tensor:
        seen = reduced((clips - self.mean) / self.std, self.reduction)
        logits: Tensor = self.layers(seen.transpose(1, 2))
        return logits


def _r2plus1d(shape: tuple[int, ...], outputs: int, mean: Tensor, std: Tensor) -> R2Plus1D:
    """As `_frame_net`."""
    return R2Plus1D(shape[1], outputs, (shape[2], shape[3]), mean.mean(), std.mean().clamp(min=1e-3))


#: A user's own network gets clips in [0, 1].
_NETWORKS = FromScratch(
    "clips",
    {
        "framenet": Network(
            _frame_net, "a small convolutional network on frames and their differences, and its mean over time"
        ),
        "r2plus1d": Network(_r2plus1d, "a small network of convolutions over pixels and then over frames"),
    },
    channels=1,
)
build, check, is_own, resolve, start = _NETWORKS.functions
