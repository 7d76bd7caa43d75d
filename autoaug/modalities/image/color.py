"""Linear operators on colors: each returns one matrix per image, which the engine applies to its pixels.

The enhancers follow PIL and torchvision: a blend with black, with the mean gray, or with the gray image. Gray is ITU-R
601 luma for 3 channels, and otherwise the mean of the channels; images with one channel are already gray.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from autoaug.functional.noise import uniform_noise
from autoaug.functional.straight_through import round_through
from autoaug.functional.tensors import constant
from autoaug.modalities.operators import operator

color = partial(operator, modality="image", family="color")
colors = partial(color, kind="colors")


@color("Identity", unit="none")
def identity(images: Tensor, value: Tensor, uniforms: Tensor) -> Tensor:
    """Leave the image as it is."""
    return images


def channel_maps(scale: Tensor, shift: Tensor) -> Tensor:
    """Maps ``[n, C, C + 1]`` that multiply each channel by ``scale [n, C]`` and add ``shift [n, C]``."""
    return torch.cat([torch.diag_embed(scale), shift[..., None]], -1)


def gray_weights(images: Tensor) -> Tensor:
    """The weight ``[C]`` of each channel in the gray value."""
    channels = images.shape[1]
    return constant((0.299, 0.587, 0.114) if channels == 3 else (1 / channels,) * channels, images)


def unchanged(images: Tensor) -> Tensor:
    """The map ``[C, C + 1]`` that changes nothing."""
    return torch.eye(images.shape[1], images.shape[1] + 1, dtype=images.dtype, device=images.device)


def towards_gray(images: Tensor, share: Tensor) -> Tensor:
    """Maps that blend with the gray image, with its weight ``share [n]``."""
    identity = unchanged(images)
    gray = torch.nn.functional.pad(gray_weights(images), (0, 1)).expand_as(identity)
    return torch.lerp(identity, gray, share.view(-1, 1, 1))


@colors("Brightness", unit="relative change", limit=1.0, signed=True)
def brightness(images: Tensor, change: Tensor, uniforms: Tensor) -> Tensor:
    """Multiply by a factor between 0 (black) and 2."""
    return unchanged(images) * (1 + change).view(-1, 1, 1)


@colors("Contrast", unit="relative change", limit=1.0, signed=True)
def contrast(images: Tensor, change: Tensor, uniforms: Tensor) -> Tensor:
    """Multiply the distance from the image's mean gray by a factor between 0 (flat) and 2."""
    mean = images.mean((-2, -1)) @ gray_weights(images)
    maps = unchanged(images) * (1 + change).view(-1, 1, 1)
    return torch.cat([maps[..., :-1], maps[..., -1:] - (change * mean).view(-1, 1, 1)], -1)


@colors("Saturation", unit="relative change", limit=1.0, signed=True)
def saturation(images: Tensor, change: Tensor, uniforms: Tensor) -> Tensor:
    """Multiply the distance from gray by a factor between 0 (gray) and 2; one channel stays as it is."""
    return towards_gray(images, -change)


@colors("Grayscale", unit="share of gray")
def grayscale(images: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Blend with the gray image; one channel stays as it is."""
    return towards_gray(images, share)


@colors("Invert", unit="switch")
def invert(images: Tensor, on: Tensor, uniforms: Tensor) -> Tensor:
    """Make the negative."""
    negative = round_through(on)[:, None].expand(-1, images.shape[1])
    return channel_maps(1 - 2 * negative, negative)


@colors("AutoContrast", unit="share of the stretched image")
def autocontrast(images: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Blend with the image whose channels are stretched to the full range; flat channels stay as they are."""
    low, high = images.amin((-2, -1)), images.amax((-2, -1))
    flat = high - low < 1e-6
    gain = torch.where(flat, 0, 1 / torch.where(flat, 1, high - low) - 1)
    lift = torch.where(flat, 0, low / torch.where(flat, 1, high - low))
    return channel_maps(1 + share[:, None] * gain, -share[:, None] * lift)


@colors("ChannelShuffle", unit="share of the shuffled image")
def channel_shuffle(images: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Blend with the image whose channels are in a random order; one channel stays as it is."""
    identity = unchanged(images)
    shuffled = identity[uniform_noise(uniforms, (images.shape[1],)).argsort(1)]
    return torch.lerp(identity, shuffled, share.view(-1, 1, 1))


@colors("ChannelDrop", unit="share taken away")
def channel_drop(images: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Dim one random channel down to black; one channel stays as it is."""
    channels = images.shape[1]
    chosen = (uniforms[:, :1] * channels).long().clamp(max=channels - 1)
    dropped = chosen == torch.arange(channels, device=chosen.device)
    scale = 1 - share[:, None] * dropped * (channels > 1)
    return channel_maps(scale, torch.zeros_like(scale))


@colors("ColorTemperature", unit="octaves of red over blue", limit=1.0, signed=True)
def color_temperature(images: Tensor, octaves: Tensor, uniforms: Tensor) -> Tensor:
    """Warm (more red, less blue) or cool the light; other than 3 channels stay as they are."""
    weights = constant((0.5, 0.0, -0.5) if images.shape[1] == 3 else (0.0,) * images.shape[1], images)
    scale = torch.exp2(octaves[:, None] * weights)
    return channel_maps(scale, torch.zeros_like(scale))
