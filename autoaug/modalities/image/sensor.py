"""Effects of cameras and files: noise, compression, low resolution."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import pad

from autoaug.functional.noise import normal_noise, uniform_noise
from autoaug.functional.straight_through import straight_through
from autoaug.functional.tensors import constant
from autoaug.modalities.image.tone import per_image
from autoaug.modalities.image.warping import field_grid, pixel_positions, sample
from autoaug.modalities.operators import operator

sensor = partial(operator, modality="image", family="sensor")


@sensor("GaussianNoise", unit="standard deviation", limit=0.3)
def gaussian_noise(images: Tensor, sigma: Tensor, uniforms: Tensor) -> Tensor:
    """Add Gaussian noise, independent for every pixel and channel, and clip to [0, 1]."""
    return (images + per_image(sigma) * normal_noise(uniforms, tuple(images.shape[1:])).to(images.dtype)).clamp(0, 1)


@sensor("PoissonNoise", unit="standard deviation of white", limit=0.3)
def poisson_noise(images: Tensor, sigma: Tensor, uniforms: Tensor) -> Tensor:
    """Add shot noise: Gaussian with a variance proportional to the value, like a Poisson count of many photons."""
    noise = normal_noise(uniforms, tuple(images.shape[1:])).to(images.dtype)
    return (images + per_image(sigma) * images.clamp(min=1e-6).sqrt() * noise).clamp(0, 1)


@sensor("SaltAndPepper", unit="share of the pixels", limit=0.3, jumps=True)
def salt_and_pepper(images: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Make random pixels black or white, with equal probability."""
    chance = uniform_noise(uniforms, (1, *images.shape[-2:])).to(images.dtype)
    half = per_image(share) / 2
    return torch.where(chance < half, 0.0, torch.where(chance < 2 * half, 1.0, images))


@sensor("Pixelate", unit="side of a block, fraction of the shorter side", limit=0.25)
def pixelate(images: Tensor, fraction: Tensor, uniforms: Tensor) -> Tensor:
    """Fill blocks with the value at their center."""
    side = (per_image(fraction)[:, 0] * min(images.shape[-2:])).clamp(min=1)
    places = []
    for position, length in zip(pixel_positions(images, *images.shape[-2:]), images.shape[:-3:-1], strict=True):
        start = position + length / 2
        center = ((start / side[:, 0]).floor() + 0.5) * side[:, 0] - length / 2
        center = center.clamp(max=(length - 1) / 2).detach()
        # As a gradient: the distance to the center grows with the block. That a pixel moves along with its block's
        # center is undone where it passes to the next block.
        places.append(straight_through(center, position + side[:, 0] * (center - position) / side[:, 0].detach()))
    x, y = places
    positions = torch.stack([x[:, None, :].expand(-1, y.shape[1], -1), y[:, :, None].expand(-1, -1, x.shape[1])], -1)
    return sample(images, field_grid(images, positions)).clamp(0, 1)


@sensor("JPEG", unit="quality lost, of 100", limit=95.0)
def jpeg(images: Tensor, loss: Tensor, uniforms: Tensor) -> Tensor:
    """Compress like JPEG, without chroma subsampling.

    Follows ITU-T T.81 with its example tables, scaled as in the library of the Independent JPEG Group. Three channels
    are coded as YCbCr; otherwise, each channel is coded as luma.
    """
    n, channels, height, width = images.shape
    to_ycc = constant(((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)), images)
    to_rgb = constant(((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0)), images)
    color = channels == 3
    planes = torch.einsum("ij,njhw->nihw", to_ycc, images) if color else images
    shift = constant((0.5, 0.0, 0.0) if color else (0.5,) * channels, images)[:, None, None]
    planes = pad((planes - shift) * 255, (0, -width % 8, 0, -height % 8), mode="replicate")
    blocks = planes.unfold(2, 8, 8).unfold(3, 8, 8)
    dct = cosine_transform(images)
    spectrum = dct @ blocks @ dct.T
    table = quantization(loss.detach(), channels).to(images.dtype)[:, :, None, None]
    spectrum = straight_through((spectrum / table).round() * table, spectrum)
    blocks = dct.T @ spectrum @ dct
    planes = blocks.transpose(3, 4).reshape(n, channels, *planes.shape[-2:])[..., :height, :width] / 255 + shift
    coded = torch.einsum("ij,njhw->nihw", to_rgb, planes) if color else planes
    coded = torch.where(per_image(loss) > 0, coded, images).clamp(0, 1)
    # For the gradient, the loss is taken as proportional to the magnitude.
    gain = per_image(loss / loss.detach().clamp(min=1e-3) - 1)
    return coded + gain * (coded - images).detach() if loss.requires_grad else coded


def cosine_transform(like: Tensor) -> Tensor:
    """The orthonormal matrix ``[8, 8]`` of the discrete cosine transform."""
    order = torch.arange(8, dtype=like.dtype, device=like.device)
    matrix = torch.cos(math.pi / 8 * order[:, None] * (order + 0.5)) / 2
    return torch.cat([matrix[:1] / math.sqrt(2), matrix[1:]])


def quantization(loss: Tensor, channels: int) -> Tensor:
    """The quantization step of each frequency, ``[n, channels, 8, 8]``, at quality ``100 - loss [n]``."""
    luma = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
        18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
    chroma = "17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66" + " 99" * 38
    kinds = [luma, chroma, chroma] if channels == 3 else [luma] * channels
    tables = constant(tuple(tuple(float(v) for v in kind.split()) for kind in kinds), loss.float()).view(-1, 8, 8)
    quality = 100 - loss.round()
    scale = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    return ((tables * scale[:, None, None, None] + 50) / 100).floor().clamp(1, 255)
