"""Search for a policy that serves segmentation: masks move with their images, by the same plan.

    python examples/segmentation.py

The task: find the strokes in the lower half of handwritten digits. The few labeled images stand upright and are well
lit; those to be segmented are turned by up to 45 degrees, and half as bright. The search is not told.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torchvision import tv_tensors

import autoaug

SIZE = 16
STEPS, BATCH = 100, 16
#: Of background and strokes, which are few: without it, some networks find none.
WEIGHT = torch.tensor([1.0, 4.0])


def digits(start: int, count: int, is_labeled: bool) -> tuple[Tensor, Tensor]:
    """Images ``[count, 1, SIZE, SIZE]`` and masks ``[count, SIZE, SIZE]`` of 0 and 1."""
    pixels = torch.from_numpy(load_digits().images[start : start + count]).float()[:, None] / 16
    images = nn.functional.pad(nn.functional.interpolate(pixels, size=12, mode="bilinear"), (2, 2, 2, 2))
    masks = (images > 0.4).to(torch.uint8)
    masks[..., : SIZE // 2, :] = 0
    if not is_labeled:
        turn = {"operations": [{"operator": "Rotate", "magnitude": [0, 0.25]}]}
        shift = autoaug.Policy.model_validate({"name": "turned", "layers": [{"sub_policies": [turn]}]})
        moved, targets = shift.transform(seed=start)(images, [tv_tensors.Mask(mask) for mask in masks])
        images, masks = moved / 2, torch.stack([target.as_subclass(Tensor) for target in targets])
    return images, masks[:, 0].long()


TRAIN, VALIDATION, TEST = digits(0, 100, True), digits(300, 200, False), digits(600, 400, False)


def trained(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> nn.Module:
    """A small network, trained on a share of the labeled images."""
    torch.manual_seed(seed)
    images, masks = (part[: max(16, round(fidelity * len(TRAIN[0])))] for part in TRAIN)
    network = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=2, dilation=2), nn.ReLU()),
        *(nn.Conv2d(8, 8, 3, padding=4, dilation=4), nn.ReLU(), nn.Conv2d(8, 2, 1)),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-2)
    for _ in range(round(STEPS * fidelity)):
        rows = torch.randint(len(images), (BATCH,))
        augmented, targets = transform(images[rows], [tv_tensors.Mask(masks[row][None]) for row in rows])
        labels = torch.stack([target.as_subclass(Tensor)[0] for target in targets])
        loss = nn.functional.cross_entropy(network(augmented), labels, weight=WEIGHT)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


@torch.no_grad()
def intersection_over_union(network: nn.Module, images: Tensor, masks: Tensor) -> float:
    """Of the pixels that are found and those that are to be found, the share that is both; in [0, 1]."""
    found = network(images).argmax(1)
    return float((found & masks).sum() / (found | masks).sum().clamp(min=1))


def objective(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
    """What the search maximizes."""
    return intersection_over_union(trained(transform, seed, fidelity), *VALIDATION)


def held_out(transform: autoaug.PolicyTransform, seed: int, fidelity: float) -> float:
    """What the verdict stands on."""
    return intersection_over_union(trained(transform, seed, fidelity), *TEST)


if __name__ == "__main__":
    result = autoaug.search(
        objective=objective,
        held_out=held_out,
        budget="6x",
        finalists=2,
        seeds=3,
        out="runs/segmentation",
        progress=True,
    )
    for candidate in result.candidates:
        print(f"{candidate.mean:.3f}  {candidate.label}")
    print(result.sentence)
