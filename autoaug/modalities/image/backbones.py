"""Weights that networks begin from: published ones, or from a file; and how a backbone takes its images."""

from __future__ import annotations

import json
import socket
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from torch import Tensor, nn

from autoaug.errors import OptionError, first_line
from autoaug.utils.weights import read_weights, weights_digest

#: Stands for the published weights of a network.
PRETRAINED = "pretrained"
#: Under this key, the metadata of a safetensors file say how its network takes images, as JSON; see `Intake`.
METADATA = "input"
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
_SHOWN = 2
#: Seconds after which the hub counts as unreachable.
_SECONDS = 5
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


class Intake(NamedTuple):
    """How a network takes images in [0, 1].

    Attributes:
        channels: the number of channels that it takes; None for those of the data.
        size: height and width to which images are resized; None keeps those of the data.
        interpolation: nearest, bilinear or bicubic.
        mean, std: of each channel; None for those of the data.
    """

    channels: int | None = None
    size: tuple[int, int] | None = None
    interpolation: str = "bilinear"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Intake:
        """The intake in plain JSON values; raises ValueError if they are none."""
        unknown = set(values) - set(cls._fields)
        size, interpolation = values.get("size"), values.get("interpolation", "bilinear")
        size = (size, size) if isinstance(size, int) else size
        numbers = [*(values.get("mean") or ()), *(values.get("std") or ())]
        if unknown or interpolation not in _INTERPOLATIONS or not all(isinstance(n, int | float) for n in numbers):
            raise ValueError(f"how its network takes images is not known: {dict(values)}")
        if size is not None and (len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size)):
            raise ValueError(f"its size {size} is not a height and a width")
        mean, std = (tuple(values[name]) if values.get(name) else None for name in ("mean", "std"))
        return cls(values.get("channels"), tuple(size) if size else None, interpolation, mean, std)

    def plain(self) -> dict[str, Any]:
        """The known values, as plain JSON values."""
        values = {name: value for name, value in self._asdict().items() if value is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @property
    def words(self) -> str:
        """The intake as text."""
        size = f"resized to {self.size[0]} x {self.size[1]} ({self.interpolation})" if self.size else "at their size"
        own = "the backbone's own" if self.mean else "the data's"
        return f"images are taken {size} and standardized by {own} mean and deviation"


class Weights(NamedTuple):
    """The tensors of a network, without its standardization, their digest, and how the network takes images."""

    tensors: Mapping[str, Tensor]
    digest: str
    intake: Intake


def load_backbone(name: str, weights: str) -> Weights:
    """The published weights of the network `name` (``torchvision:NAME`` or ``timm:NAME``), or those in a file. They are
    read once per process.

    Raises:
        OptionError: there are no such weights, or they cannot be read.
    """
    if weights == PRETRAINED:
        return _load(name, weights, 0)
    path = Path(weights)
    return _load(name, weights, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=2)
def _load(name: str, weights: str, changed: int) -> Weights:
    own = published_intake(name)
    if weights == PRETRAINED:
        tensors = _published(name)
        return Weights(tensors, weights_digest(tensors), own)
    tensors, metadata = read_weights(Path(weights))
    digest = weights_digest(tensors)
    if METADATA in metadata:
        try:
            own = Intake.of(json.loads(metadata[METADATA]))
        except (ValueError, TypeError, AttributeError) as fault:
            raise OptionError(f"--weights {weights}: {first_line(fault)}; correct its metadata") from None
    prefix = "network."
    if {"mean", "std"} <= set(tensors) and all(key.startswith(prefix) for key in set(tensors) - {"mean", "std"}):
        # The weights of a network as autoaug exports it, which standardizes by itself.
        mean, std = (tuple(tensors[key].flatten().tolist()) for key in ("mean", "std"))
        own = (own if METADATA in metadata else Intake())._replace(mean=mean, std=std)
        tensors = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    channels = next((tensor.shape[1] for tensor in tensors.values() if tensor.ndim == 4), None)
    return Weights(tensors, digest, own._replace(channels=channels))


def published_intake(name: str) -> Intake:
    """How the published weights of a network of a library take images; for other networks, as the data are."""
    library, _, wanted = name.partition(":")
    if library == "timm" and wanted:
        import timm

        config = timm.models.get_pretrained_cfg(wanted)
        if config is None or not config.mean:
            return Intake()
        channels, *size = config.input_size
        how = config.interpolation if config.interpolation in _INTERPOLATIONS else "bicubic"
        return Intake(channels, tuple(size), how, tuple(config.mean), tuple(config.std))
    if library == "torchvision" and wanted:
        from torchvision import models

        with suppress(ValueError, AttributeError, StopIteration):
            form = models.get_model_weights(wanted).DEFAULT.transforms()
            size, how = (form.crop_size[0],) * 2, form.interpolation.value
            return Intake(3, size, how if how in _INTERPOLATIONS else "bilinear", tuple(form.mean), tuple(form.std))
    return Intake()


def _published(name: str) -> dict[str, Tensor]:
    """The published weights of a network, from the user's cache or from the network."""
    library, _, wanted = name.partition(":")
    if library not in {"timm", "torchvision"} or not wanted:
        raise OptionError(
            f"--weights {PRETRAINED}: the model {name} has no published weights; choose --model timm:NAME or "
            "torchvision:NAME, or give a file of weights"
        )
    try:
        network = _timm(wanted) if library == "timm" else _torchvision(wanted)
    except (OSError, RuntimeError, ValueError) as fault:
        raise OptionError(
            f"--weights {PRETRAINED}: the weights of {name} are not in the cache and cannot be fetched "
            f"({first_line(fault)}); run once with a network connection, or give a file of weights"
        ) from None
    return {key: tensor.detach() for key, tensor in network.state_dict().items()}


def _torchvision(name: str) -> nn.Module:
    from torchvision import models

    network: nn.Module = models.get_model(name, weights="DEFAULT")
    return network


def _timm(name: str) -> nn.Module:
    """A timm network with its weights. Without a network connection, the hub's client would retry for a minute, so that
    its cache is looked up first.
    """
    import timm
    from huggingface_hub import constants, try_to_load_from_cache

    config = timm.models.get_pretrained_cfg(name)
    hub = getattr(config, "hf_hub_id", None)
    found = [try_to_load_from_cache(hub, file) for file in _HUB_FILES] if hub else []
    cached = [path for path in found if isinstance(path, str)]
    if hub and not cached:
        socket.create_connection((urlsplit(constants.ENDPOINT).hostname, 443), _SECONDS).close()
    overlay = {"pretrained_cfg_overlay": {"file": cached[0]}} if cached else {}
    network: nn.Module = timm.create_model(name, pretrained=True, **overlay)
    return network


def fitted(network: nn.Module, name: str, outputs: int, weights: str, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The given tensors that fit the `network` with that number of `outputs`: all, or all except its head, or heads,
    such as the two of a distilled transformer.

    Raises:
        OptionError: they belong to another network; the message names keys that differ.
    """
    wanted, head = network.state_dict(), head_name(network, outputs)

    def is_of_head(key: str) -> bool:
        if head and key.startswith(f"{head}."):
            return True
        if key not in wanted or key not in given:
            return False
        own, others = wanted[key].shape, given[key].shape
        return bool(own != others and own[:1] == (outputs,) and own[1:] == others[1:])

    def own(keys: Collection[str]) -> list[str]:
        return [key for key in keys if not (is_of_head(key) or key.endswith("num_batches_tracked"))]

    missing = [key for key in own(wanted) if key not in given]
    unknown = [key for key in own(given) if key not in wanted]
    shared = [key for key in own(wanted) if key in given]
    other = [key for key in shared if wanted[key].shape != given[key].shape]
    if missing or unknown or other:
        found = [_some(f"lack {len(missing)} of its tensors", missing)] if missing else []
        found += [_some(f"have {len(unknown)} that it lacks", unknown)] if unknown else []
        if other:
            key = other[0]
            shapes = f"{key} {list(given[key].shape)}, not {list(wanted[key].shape)}"
            found.append(f"have {len(other)} of another shape, such as {shapes}")
        what, cure = f"are of another architecture than {name}", ""
        if not (missing or other):
            what, cure = f"are more than {name} takes", "leave these out of the file if they are another head, or "
        raise OptionError(
            f"--weights {weights} {what}: they {'; '.join(found)}; {cure}name the network that they were trained with "
            "as --model"
        )
    heads = [key for key in wanted if is_of_head(key)]
    same = all(key in given and given[key].shape == wanted[key].shape for key in heads)
    return {key: given[key] for key in (*shared, *(heads if same else ()))}


def head_name(network: nn.Module, outputs: int) -> str:
    """The name of the last layer: the last one with a weight for each of the `outputs`; empty if there is none."""
    names = [
        name
        for name, module in network.named_modules()
        if isinstance(weight := getattr(module, "weight", None), Tensor) and weight.shape[:1] == (outputs,)
    ]
    return names[-1] if names else ""


def _some(words: str, keys: list[str]) -> str:
    return f"{words}, such as {', '.join(sorted(keys)[:_SHOWN])}"
