"""The common corruptions of images."""

from __future__ import annotations

import pytest
import torch

from autoaug.modalities.image.corruptions import CORRUPTIONS, FEW
from autoaug.training.robustness import SEVERITIES


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruptions_grow_with_their_severity_and_repeat(name: str) -> None:
    images = torch.nn.functional.interpolate(torch.rand(8, 3, 6, 6), 32, mode="bicubic").clamp(0, 1)
    corrupted_images = [CORRUPTIONS[name](images, severity) for severity in SEVERITIES]
    changes = [float((corrupted - images).abs().mean()) for corrupted in corrupted_images]
    assert changes == sorted(changes)
    assert changes[0] > 0
    assert torch.equal(corrupted_images[2], CORRUPTIONS[name](images, 3))


def test_the_few_are_among_them() -> None:
    assert set(FEW) < set(CORRUPTIONS)
