"""A compact class-conditional GAN for small images: a generator with conditional batch normalisation (de Vries et al.,
2017) and a projection discriminator (Miyato and Koyama, 2018) that sees two samples of a class at once (PacGAN; Lin et
al., 2018).
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

LATENT = 64
#: Samples of one class that the discriminator judges together: what lacks variety gives itself away.
PACKED = 2
_WIDEST, _NARROWEST = 128, 16


def levels(size: tuple[int, int]) -> int:
    """How often the generator doubles: it begins with at most 8 pixels on the shorter side."""
    return max(1, math.ceil(math.log2(min(size) / 8)))


def widths(count: int) -> list[int]:
    """Channels from the smallest image to the largest, where most of the time goes."""
    return [*(max(_NARROWEST, _WIDEST >> i) for i in range(count)), _NARROWEST]


class ConditionalNorm(nn.Module):
    """Batch normalisation whose gain and shift are learnt for each class."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Embedding(classes, 2 * channels)
        nn.init.zeros_(self.scale.weight)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        gain, shift = self.scale(labels)[:, :, None, None].chunk(2, 1)
        out: Tensor = self.norm(x) * (1 + gain) + shift
        return out


class Generator(nn.Module):
    """Noise ``[n, LATENT]`` and labels ``[n]`` to images ``[n, C, H, W]`` in [0, 1]."""

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.size = height, width
        count = levels((height, width))
        self.start = math.ceil(height / 2**count), math.ceil(width / 2**count)
        wide = widths(count)
        self.first = nn.Linear(LATENT, wide[0] * self.start[0] * self.start[1])
        self.norms = nn.ModuleList(ConditionalNorm(w, classes) for w in wide)
        pairs = itertools.pairwise(wide)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1) for a, b in pairs)
        self.last = nn.Conv2d(wide[-1], channels, 3, padding=1)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        x = self.first(noise).view(len(noise), -1, *self.start)
        for norm, up in zip(self.norms, self.ups, strict=False):
            x = up(relu(norm(x, labels)))
        x = torch.sigmoid(self.last(relu(self.norms[-1](x, labels))))
        return x[..., : self.size[0], : self.size[1]]


class Discriminator(nn.Module):
    """Packs of images ``[n, PACKED, C, H, W]`` of one class each, and the classes ``[n]``, to how real they look."""

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        wide = widths(levels((height, width)))[::-1]
        self.first = nn.Conv2d(PACKED * channels, wide[0], 3, padding=1)
        pairs = itertools.pairwise(wide)
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairs)
        self.score = nn.Linear(wide[-1], 1)
        self.project = nn.Embedding(classes, wide[-1])

    def forward(self, packs: Tensor, labels: Tensor) -> Tensor:
        x = leaky_relu(self.first(packs.flatten(1, 2)), 0.2)
        for down in self.downs:
            x = leaky_relu(down(x), 0.2)
        features = x.sum((2, 3)) / math.sqrt(x[0, 0].numel())
        scores: Tensor = self.score(features).squeeze(1) + (features * self.project(labels)).sum(1)
        return scores
