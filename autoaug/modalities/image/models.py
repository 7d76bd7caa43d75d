"""Proxy networks for images, and the user's own."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import torch
from torch import Tensor, nn

from autoaug.errors import OptionError, UnknownName, typed_line
from autoaug.utils.own_code import load_function

#: Up to this many pixels on the shorter side, the proxy is a narrow ResNet-9; above that, a ResNet-18.
RESNET9_UP_TO = 64
_BUILTIN = ("auto", "resnet9", "resnet18")
_LIBRARIES = ("torchvision", "timm")


class ResNet9(nn.Module):
    """A narrow residual network of nine layers for small images (after Page, 2018), with an early max-pool.

    Maps images ``[n, channels, H, W]`` to logits ``[n, classes]``. It pools only while more than 3 pixels are left, so
    it suits both 8 x 8 digits and 64 x 64 photographs.
    """

    def __init__(self, channels: int, classes: int, size: tuple[int, int], width: int = 8) -> None:
        super().__init__()
        self.pools_left = sum(min(size) >> k > 3 for k in range(4))
        self.layers = nn.Sequential(
            conv_block(channels, width),
            self._pool(),
            conv_block(width, 2 * width),
            self._pool(),
            Residual(2 * width),
            conv_block(2 * width, 4 * width),
            self._pool(),
            conv_block(4 * width, 8 * width),
            self._pool(),
            Residual(8 * width),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Linear(8 * width, classes),
        )

    def _pool(self) -> nn.Module:
        self.pools_left -= 1
        return nn.MaxPool2d(2) if self.pools_left >= 0 else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        return logits


class Residual(nn.Module):
    """Two convolutions with a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_block(width, width), conv_block(width, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.body(x)
        return out


def conv_block(inputs: int, outputs: int) -> nn.Sequential:
    """A 3 x 3 convolution, batch normalization and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Standardized(nn.Module):
    """A network that standardizes its input first, so that inputs are in [0, 1].

    Args:
        network: maps ``[n, channels, H, W]`` to logits.
        mean: the mean per channel, ``[C]``.
        std: the standard deviation per channel, ``[C]``.
        repeat: how often a single channel is repeated, for networks that take three.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor, repeat: int = 1) -> None:
        super().__init__()
        self.network, self.repeat = network, repeat
        self.register_buffer("mean", mean[:, None, None])
        self.register_buffer("std", std.clamp(min=1e-3)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        standardized = (images - self.mean) / self.std
        logits: Tensor = self.network(standardized.repeat(1, self.repeat, 1, 1) if self.repeat > 1 else standardized)
        return logits


def build_network(name: str, shape: tuple[int, ...], classes: int) -> tuple[nn.Module, int]:
    """The network called `name` for images of `shape` (C, H, W), and how often to repeat a single channel for it.

    `name` is ``auto``, ``resnet9``, ``resnet18``, ``torchvision:NAME``, ``timm:NAME``, or ``module:function``, where
    ``function(channels, classes)`` returns the module.

    Raises:
        UnknownName: there is no such network.
        OptionError: the module or function cannot be loaded, or does not return a network.
    """
    channels, height, width = shape
    if name == "auto":
        name = "resnet9" if min(height, width) <= RESNET9_UP_TO else "resnet18"
    if name == "resnet9":
        return ResNet9(channels, classes, (height, width)), 1
    if name == "resnet18":
        name = "torchvision:resnet18"
    provider, _, wanted = name.partition(":")
    if provider == "torchvision" and wanted:
        return _torchvision(wanted, channels, classes)
    if provider == "timm" and wanted:
        return _timm(wanted, channels, classes), 1
    return _own(name, channels, classes), 1


def is_own(name: str) -> bool:
    """Whether the network called `name` comes from a user's function, rather than from autoaug or a library."""
    library, _, wanted = name.partition(":")
    return name not in _BUILTIN and not (library in _LIBRARIES and wanted)


def check(name: str) -> None:
    """See `autoaug.modalities.base.Models`; networks of libraries are only checked when they are built."""
    if is_own(name):
        load_builder(name)


def load_builder(name: str) -> Callable[..., object]:
    """Load the user's function that builds the network; raises as `build_network` does."""
    if not name.partition(":")[2]:
        known = [*_BUILTIN, *(f"{library}:NAME" for library in _LIBRARIES), "module:function"]
        raise UnknownName("model", name, known)
    return load_function(name, "--model")


def _torchvision(name: str, channels: int, classes: int) -> tuple[nn.Module, int]:
    from torchvision import models

    if name not in models.list_models(module=models):
        raise UnknownName("torchvision model", name, models.list_models(module=models))
    if channels not in (1, 3):
        raise OptionError(
            f"torchvision:{name} takes 3 channels, but the data has {channels}; use a timm model or your own"
        )
    return models.get_model(name, weights=None, num_classes=classes), 3 // channels


def _timm(name: str, channels: int, classes: int) -> nn.Module:
    if importlib.util.find_spec("timm") is None:
        raise OptionError(f"model timm:{name} needs the package timm: pip install timm")
    import timm

    if name not in timm.list_models():
        raise UnknownName("timm model", name, timm.list_models())
    network: nn.Module = timm.create_model(name, pretrained=False, in_chans=channels, num_classes=classes)
    return network


def _own(name: str, channels: int, classes: int) -> nn.Module:
    build = load_builder(name)
    try:
        network = build(channels, classes)
    except (Exception, SystemExit) as fault:  # a user's function may raise anything, or call sys.exit
        raise OptionError(
            f"--model {name} failed when called with ({channels}, {classes}): {typed_line(fault)}"
        ) from fault
    if not isinstance(network, nn.Module):
        raise OptionError(f"--model {name} must return a torch.nn.Module, not {type(network).__name__}")
    return network


def build(name: str, shape: tuple[int, ...], outputs: int, mean: Tensor, std: Tensor, seed: int) -> Standardized:
    """Build a newly initialized, standardizing model; the same `seed` gives the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs, too
        network, repeat = build_network(name, shape, outputs)
    return Standardized(network, mean, std, repeat)
