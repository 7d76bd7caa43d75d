"""A compact class-conditional GAN for small images. Its generator is a small U-Net with conditional batch normalization
(de Vries et al., 2017), which corrects the samples of one Gaussian per class (see `gaussian`): it starts with their
variety and only has to learn to remove their faults. The discriminator is a projection discriminator (Miyato and
Koyama, 2018) that sees two images of a class together (PacGAN; Lin et al., 2018).
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad, relu

from autoaug.modalities.image.generators.gaussian import decode

LATENT = 64
#: The number of images of one class that the discriminator judges together, so that it detects a lack of variety.
PACKED = 2
_NARROWEST, _WIDEST = 16, 128
#: Narrower images are padded: one pixel cannot be halved, and in bfloat16, oneDNN's strided convolutions (PyTorch 2.15)
#: return garbage where their result has a single column.
_NARROWEST_SIDE = 4


def widths(size: tuple[int, int]) -> list[int]:
    """Channels at full size and after each halving, until the shorter side has at most 8 pixels."""
    halvings = max(1, math.ceil(math.log2(min(size) / 8)))
    return [min(_WIDEST, _NARROWEST << i) for i in range(halvings + 1)]


def margin(length: int, step: int = 1) -> int:
    """How many pixels to add to a side, so that `step` divides it and it is not too narrow."""
    return max(-length % step, _NARROWEST_SIDE - length)


def _padded(images: Tensor, margins: tuple[int, int]) -> Tensor:
    """The images with black columns on the right and rows at the bottom."""
    return pad(images, (0, margins[0], 0, margins[1]))


class ConditionalNorm(nn.Module):
    """Batch normalization with a learned gain and shift per class."""

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
    """Maps noise ``[n, LATENT]`` and labels ``[n]`` to images ``[n, C, H, W]`` in [0, 1].

    Args:
        mean: the mean image of each class, ``[classes, C, H, W]``.
        components: the principal components of each class, scaled by their standard deviations, ``[classes, k,
            pixels]``.
    """

    mean: Tensor
    components: Tensor

    def __init__(self, mean: Tensor, components: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("components", components)
        classes, channels, height, width = mean.shape
        wide = widths((height, width))
        step = 2 ** (len(wide) - 1)
        self.margin = margin(width, step), margin(height, step)
        self.least = (height + self.margin[1]) // step, (width + self.margin[0]) // step
        pairs = list(itertools.pairwise([channels, *wide[1:]]))
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairs)
        self.down_norms = nn.ModuleList(ConditionalNorm(w, classes) for w in wide[1:])
        self.noise = nn.Linear(LATENT, wide[-1] * math.prod(self.least))
        pairs = list(itertools.pairwise(wide[::-1]))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1) for a, b in pairs)
        self.up_norms = nn.ModuleList(ConditionalNorm(b, classes) for _, b in pairs)
        self.last = nn.Conv2d(wide[0], channels, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)  # before training, it changes nothing

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        drawn = decode(self.mean, self.components, noise[:, : self.components.shape[1]], labels)
        x = _padded(drawn, self.margin).contiguous(memory_format=torch.channels_last)
        seen: list[Tensor] = []
        for down, norm in zip(self.downs, self.down_norms, strict=True):
            x = down(x)
            if len(seen) == len(self.downs) - 1:
                x = x + self.noise(noise).view(len(noise), -1, *self.least)
            x = relu(norm(x, labels))
            seen.append(x)
        for up, norm, before in itertools.zip_longest(self.ups, self.up_norms, seen[-2::-1]):
            x = up(x) if before is None else up(x) + before
            x = relu(norm(x, labels))
        made: Tensor = drawn + self.last(x)[..., : drawn.shape[-2], : drawn.shape[-1]]
        return made + (made.clamp(0, 1) - made).detach()  # clipped to [0, 1], but with gradients everywhere


class Discriminator(nn.Module):
    """Maps packs of images ``[n, PACKED, C, H, W]`` of one class each, and the classes ``[n]``, to realness scores."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        wide = widths((height, width))
        wide = [wide[0], *(min(_WIDEST, 2 * w) for w in wide[1:])]
        self.margin = margin(width), margin(height)
        self.first = nn.Conv2d(PACKED * channels, wide[0], 3, padding=1)
        pairs = itertools.pairwise(wide)
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairs)
        self.score = nn.Linear(wide[-1], 1)
        self.project = nn.Embedding(classes, wide[-1])

    def forward(self, packs: Tensor, labels: Tensor) -> Tensor:
        x = leaky_relu(self.first(_padded(packs.flatten(1, 2), self.margin)), 0.2)
        for down in self.downs:
            x = leaky_relu(down(x), 0.2)
        features = x.sum((2, 3)) / math.sqrt(x[0, 0].numel())
        scores: Tensor = self.score(features).squeeze(1) + (features * self.project(labels)).sum(1)
        return scores
