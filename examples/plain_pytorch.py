"""Search for the policy that a training loop of your own learns best under.

python examples/plain_pytorch.py
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import autoaug

EPOCHS, BATCH = 12, 50


def digits(start: int, count: int) -> tuple[Tensor, Tensor]:
    """Images ``[count, 1, 8, 8]`` in [0, 1], and labels ``[count]``."""
    found, end = load_digits(), start + count
    return torch.from_numpy(found.images[start:end]).float()[:, None] / 16, torch.from_numpy(found.target[start:end])


TRAIN, VALIDATION, TEST = digits(0, 300), digits(300, 400), digits(900, 600)


def accuracy(transform: autoaug.PolicyTransform, seed: int, fidelity: float, unseen: tuple[Tensor, Tensor]) -> float:
    """The accuracy, in [0, 1], after training on a share `fidelity` of the data."""
    torch.manual_seed(seed)
    transform.num_classes = 10
    images, labels = (part[: max(BATCH, round(fidelity * len(part)))] for part in TRAIN)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for epoch in range(EPOCHS):
        transform.done = epoch / EPOCHS
        for rows in torch.randperm(len(images)).split(BATCH):
            augmented, soft_labels = transform(images[rows], labels[rows])
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(augmented), soft_labels).backward()
            optimizer.step()
    with torch.no_grad():
        return float((network(unseen[0]).argmax(1) == unseen[1]).float().mean())


def objective(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
    """What the search maximizes."""
    return accuracy(transform, seed, fidelity, VALIDATION)


def held_out(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
    """What the candidates are judged by."""
    return accuracy(transform, seed, fidelity, TEST)


if __name__ == "__main__":
    result = autoaug.search(objective=objective, held_out=held_out, space="digits", trials=12, seeds=5, progress=True)
    print(result.sentence)
