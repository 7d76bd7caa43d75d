"""Search for the policy that an existing LightningModule learns best under; needs the package lightning.

python examples/with_lightning.py
"""

from __future__ import annotations

import logging

import lightning
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import autoaug
from autoaug.training.lightning import lightning_objective


class Classifier(lightning.LightningModule):
    """A module as anybody has one; it knows nothing of augmentation."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """The loss of a batch; labels may be soft."""
        images, labels = batch
        return nn.functional.cross_entropy(self.network(images), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Log the accuracy."""
        images, labels = batch
        self.log("accuracy", (self.network(images).argmax(1) == labels).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=3e-3)


def digits(start: int, count: int) -> TensorDataset:
    """Images ``[1, 8, 8]`` in [0, 1], with their labels."""
    found, end = load_digits(), start + count
    return TensorDataset(
        torch.from_numpy(found.images[start:end]).float()[:, None] / 16, torch.from_numpy(found.target[start:end])
    )


TRAIN = digits(0, 300)
objective = lightning_objective(Classifier, TRAIN, digits(300, 400), metric="accuracy", epochs=12)
held_out = lightning_objective(Classifier, TRAIN, digits(900, 600), metric="accuracy", epochs=12)

if __name__ == "__main__":
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # not its five lines for each training
    result = autoaug.search(objective=objective, held_out=held_out, space="digits", trials=8, seeds=3, progress=True)
    print(result.sentence)
