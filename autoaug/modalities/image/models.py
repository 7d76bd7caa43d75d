"""Proxy networks for images, and the user's own."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from autoaug.errors import OptionError, UnknownName
from autoaug.modalities.blocks import Residual, conv_block
from autoaug.modalities.image.backbones import PRETRAINED, Intake, fitted, load_backbone
from autoaug.modalities.networks import Start
from autoaug.modalities.own_networks import build_own, check_call, load_builder

#: Up to this many pixels on the shorter side, the proxy is a narrow ResNet-9; above that, a ResNet-18.
RESNET9_UP_TO = 64
#: The most bytes of images in floating point that a network evaluates at once, after they were resized.
_BYTES = 2**25
_BUILTIN = ("auto", "resnet9", "resnet18")
_LIBRARIES = ("torchvision", "timm")
_KNOWN = (*_BUILTIN, *(f"{library}:NAME" for library in _LIBRARIES))


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


class Standardized(nn.Module):
    """A network that resizes and standardizes its input first, so that inputs are in [0, 1].

    Args:
        network: maps ``[n, channels, H, W]`` to logits.
        mean: the mean per channel, ``[C]``.
        std: the standard deviation per channel, ``[C]``.
        repeat: how often a single channel is repeated, for networks that take three.
        size: the height and width to which inputs are resized; None keeps those of the input.
        interpolation: how they are resized: nearest, bilinear or bicubic.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        mean: Tensor,
        std: Tensor,
        repeat: int = 1,
        size: tuple[int, int] | None = None,
        interpolation: str = "bilinear",
    ) -> None:
        super().__init__()
        self.network, self.repeat = network, repeat
        self.size, self.interpolation = size, interpolation
        self.register_buffer("mean", mean[:, None, None])
        self.register_buffer("std", std.clamp(min=1e-3)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        at_once = max(1, _BYTES // (4 * math.prod(self.size or images.shape[-2:]) * images.shape[1]))
        if len(images) > at_once and not self.training and not torch.is_grad_enabled():
            return torch.cat([self._logits(part) for part in torch.split(images, at_once)])
        return self._logits(images)

    def _logits(self, images: Tensor) -> Tensor:
        if self.size is not None and images.shape[-2:] != self.size:
            smooth: dict[str, Any] = {} if self.interpolation == "nearest" else {"antialias": True}
            images = interpolate(images, self.size, mode=self.interpolation, **smooth).clamp(0, 1)
        if self.repeat > 1 and len(self.mean) > 1:  # the statistics are of the repeated channels
            images = images.repeat(1, self.repeat, 1, 1)
        standardized = (images - self.mean) / self.std
        repeats = self.repeat > 1 and len(self.mean) == 1
        logits: Tensor = self.network(standardized.repeat(1, self.repeat, 1, 1) if repeats else standardized)
        return logits


def resolve(name: str, shape: tuple[int, ...]) -> tuple[str, str]:
    """See `autoaug.modalities.networks.Models`."""
    if name != "auto":
        return name, "as given"
    height, width = shape[1:]
    if min(height, width) <= RESNET9_UP_TO:
        return "resnet9", f"images of {height} x {width} have at most {RESNET9_UP_TO} pixels on the shorter side"
    return "resnet18", f"images of {height} x {width} have more than {RESNET9_UP_TO} pixels on the shorter side"


def build_network(name: str, shape: tuple[int, ...], classes: int) -> tuple[nn.Module, int]:
    """The network called `name` for images of `shape` (C, H, W), and how often to repeat a single channel for it.

    `name` is ``auto``, ``resnet9``, ``resnet18``, ``torchvision:NAME``, ``timm:NAME``, or ``module:function``, where
    ``function(channels, classes)`` returns the module.

    Raises:
        UnknownName: there is no such network.
        OptionError: the module or function cannot be loaded, or does not return a network.
    """
    channels, height, width = shape
    name, _ = resolve(name, shape)
    if name == "resnet9":
        return ResNet9(channels, classes, (height, width)), 1
    provider, wanted = _library(name)
    if provider == "torchvision":
        return _torchvision(wanted, channels, classes)
    if provider == "timm":
        return _timm(wanted, channels, classes), 1
    return build_own(load_builder(name, _KNOWN), name, channels, classes, shape), 1


def _library(name: str) -> tuple[str, str]:
    """The library that a network is from, and its name there; both empty for other networks."""
    library, _, wanted = ("torchvision:resnet18" if name == "resnet18" else name).partition(":")
    return (library, wanted) if library in _LIBRARIES and wanted else ("", "")


def is_own(name: str) -> bool:
    """Whether the network called `name` comes from a user's function, rather than from autoaug or a library."""
    return name not in _BUILTIN and not any(_library(name))


def check(name: str, weights: str | None = None) -> None:
    """See `autoaug.modalities.networks.Models`."""
    if is_own(name):
        check_call(load_builder(name, _KNOWN), name)
    library, wanted = _library(name)
    if library:
        _check_known(library, wanted)
    if weights is not None and (name != "auto" or weights != PRETRAINED):
        load_backbone(_full(name), weights)


def _full(name: str) -> str:
    return ":".join(_library(name)) if any(_library(name)) else name


def _check_known(library: str, name: str) -> None:
    """Raise `UnknownName` or `OptionError` if the library has no network of that name, or is not installed."""
    if library == "timm":
        if importlib.util.find_spec("timm") is None:
            raise OptionError(f"model timm:{name} needs the package timm: pip install timm")
        import timm

        if not timm.is_model(name.partition(".")[0]):
            raise UnknownName("timm model", name, timm.list_models())
        return
    from torchvision import models

    if name not in models.list_models(module=models):
        raise UnknownName("torchvision model", name, models.list_models(module=models))


def _torchvision(name: str, channels: int, classes: int) -> tuple[nn.Module, int]:
    from torchvision import models

    _check_known("torchvision", name)
    if channels not in (1, 3):
        raise OptionError(
            f"torchvision:{name} takes 3 channels, but the data has {channels}; use a timm model or your own"
        )
    return models.get_model(name, weights=None, num_classes=classes), 3 // channels


def _timm(name: str, channels: int, classes: int) -> nn.Module:
    _check_known("timm", name)
    import timm

    network: nn.Module = timm.create_model(name, pretrained=False, in_chans=channels, num_classes=classes)
    return network


def build(
    name: str,
    shape: tuple[int, ...],
    outputs: int,
    mean: Tensor,
    std: Tensor,
    seed: int,
    start: Start | None = None,
) -> Standardized:
    """Build a standardizing model, newly initialized or with the weights of `start`; the same `seed` gives the same
    weights. A network that takes images of one size only gets them resized.
    """
    intake = Intake.of(start.takes) if start is not None else Intake()
    taken = _taken(intake, shape)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs, too
        network, repeat = build_network(resolve(name, shape)[0], taken, outputs)
    if start is not None and start.weights:
        loaded = load_backbone(_full(resolve(name, shape)[0]), start.weights)
        if loaded.digest != start.digest:
            raise OptionError(f"--weights {start.weights} have changed since the run began; restore them")
        network.load_state_dict(fitted(network, name, outputs, start.weights, loaded.tensors), strict=False)
    if intake.mean is not None and intake.std is not None:
        mean, std = torch.tensor(intake.mean), torch.tensor(intake.std)
    size = _only_size(network) or intake.size
    return Standardized(network, mean, std, max(repeat, taken[0] // shape[0]), size, intake.interpolation)


def _taken(intake: Intake, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the images that the network itself takes: a single channel is repeated for weights that take three,
    and images are resized.
    """
    channels = 3 if intake.channels == 3 and shape[0] == 1 else shape[0]
    return channels, *(intake.size or shape[1:])


def _only_size(network: nn.Module) -> tuple[int, int] | None:
    """The only size of images that a network takes, such as a vision transformer; None if it takes others."""
    config = getattr(network, "pretrained_cfg", None)
    if isinstance(config, dict) and config.get("fixed_input_size"):
        _, height, width = config["input_size"]
        return height, width
    side = getattr(network, "image_size", None)  # of torchvision's transformers
    return (side, side) if isinstance(side, int) else None


def start(name: str, weights: str, shape: tuple[int, ...], outputs: int, keep_size: bool = False) -> tuple[Start, str]:
    """See `autoaug.modalities.networks.Models`."""
    resolved, _ = resolve(name, shape)
    loaded = load_backbone(_full(resolved), weights)
    intake = loaded.intake._replace(size=None) if keep_size else loaded.intake
    network, _ = build_network(resolved, _taken(intake, shape), outputs)
    intake = intake._replace(size=_only_size(network) or intake.size)
    began = Start(weights, loaded.digest, intake.plain())
    kept = fitted(network, resolved, outputs, weights, loaded.tensors)
    replaced = any(key not in kept for key in network.state_dict() if not key.endswith("num_batches_tracked"))
    size = f"{outputs} output{'' if outputs == 1 else 's'}"
    head = f"its head is replaced by one of {size}" if replaced else f"its head of {size} is kept"
    return began, f"{resolved} starts from the weights {weights} ({loaded.digest}): {intake.words}; {head}"
