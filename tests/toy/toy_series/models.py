"""A small convolutional network."""

from __future__ import annotations

from torch import Tensor, nn

from autoaug.modalities.from_scratch import FromScratch, Network


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


_NETWORKS = FromScratch(
    "series",
    {"small": Network(lambda shape, outputs, mean, std: _Network(shape[0], outputs, mean, std), "two convolutions")},
)
build, check, is_own, resolve, start = _NETWORKS.functions
