"""A small convolutional network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autoaug.errors import OptionError, UnknownName
from autoaug.modalities.networks import Start


class _Network(nn.Module):
    mean: Tensor
    std: Tensor

    def __init__(self, channels: int, classes: int, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean[:, None])
        self.register_buffer("std", std.clamp(min=1e-3)[:, None])
        self.layers = nn.Sequential(
            nn.Conv1d(channels, 16, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(16, 16, 5, padding=2),
            nn.ReLU(),
            nn.AdaptiveMaxPool1d(2),
            nn.Flatten(),
            nn.Linear(32, classes),
        )

    def forward(self, values: Tensor) -> Tensor:
        logits: Tensor = self.layers((values - self.mean) / self.std)
        return logits


def build(
    name: str,
    shape: tuple[int, ...],
    outputs: int,
    mean: Tensor,
    std: Tensor,
    seed: int,
    start: Start | None = None,
) -> nn.Module:
    check(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _Network(shape[0], outputs, mean, std)


def is_own(name: str) -> bool:
    return False


def resolve(name: str, shape: tuple[int, ...]) -> tuple[str, str]:
    return name, "as given"


def start(name: str, weights: str, shape: tuple[int, ...], outputs: int) -> tuple[Start, str]:
    raise OptionError(f"--weights {weights}: networks for series begin from random weights; leave it out")


def check(name: str, weights: str | None = None) -> None:
    if name != "auto":
        raise UnknownName("model", name, ["auto"])
    if weights is not None:
        start(name, weights, (), 0)
