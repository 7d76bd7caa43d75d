"""Search for a policy without labels, by how well turned images are told apart (SelfAugment, Reed et al., 2021).

    python examples/without_labels.py

A linear network learns by how many quarter turns an augmented image was turned; how well it tells that of images it
never saw ranks policies much as the labels would, which it never sees.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import autoaug

STEPS = 150


def images(start: int, count: int) -> Tensor:
    """Images ``[count, 1, 16, 16]``, without their labels."""
    pixels = torch.from_numpy(load_digits().images[start : start + count]).float()[:, None] / 16
    return nn.functional.interpolate(pixels, size=16, mode="bilinear")


TRAIN, VALIDATION, TEST = images(0, 300), images(300, 400), images(900, 600)


def turned(batch: Tensor) -> tuple[Tensor, Tensor]:
    """Each image in all four positions, and in which it is."""
    turns = torch.arange(4).repeat_interleave(len(batch))
    return torch.cat([batch.rot90(k, (2, 3)) for k in range(4)]), turns


def accuracy(transform: autoaug.PolicyTransform, seed: int, fidelity: float, unseen: Tensor) -> float:
    """How often the position of an unseen image is told, in [0, 1]."""
    torch.manual_seed(seed)
    own = TRAIN[: max(32, round(fidelity * len(TRAIN)))]
    network = nn.Sequential(nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 4))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(round(STEPS * fidelity)):
        batch, turns = turned(transform(own[torch.randint(len(own), (32,))]))
        loss = nn.functional.cross_entropy(network(batch), turns)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    batch, turns = turned(unseen)
    return float((network(batch).argmax(1) == turns).float().mean())


def objective(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
    """What the search maximizes."""
    return accuracy(transform, seed, fidelity, VALIDATION)


def held_out(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
    """What the verdict stands on."""
    return accuracy(transform, seed, fidelity, TEST)


if __name__ == "__main__":
    result = autoaug.search(
        objective=objective,
        held_out=held_out,
        space="digits",
        budget="8x",
        seeds=3,
        out="runs/unlabeled",
        progress=True,
    )
    for candidate in result.candidates:
        print(f"{candidate.mean:.3f}  {candidate.label}")
    print(result.sentence)
