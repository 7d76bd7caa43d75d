"""Mixing of images and the shares of their labels."""

from __future__ import annotations

import pytest
import torch

from autoaug.functional.sampling import uniform
from autoaug.modalities.base import Batch
from autoaug.modalities.image import mixing


def drawn(kind: str, n: int, alpha: float = 1.0) -> tuple[torch.Tensor, ...]:
    mode = 1 + mixing.kinds.index(kind)
    return mixing.draw((mode, mode), 0.8, alpha, n, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(32, 32), (7, 40), (1, 1)])
@pytest.mark.parametrize("kind", ["mixup", "cutmix", "resizemix"])
def test_a_label_weighs_as_much_as_its_pixels(kind: str, size: tuple[int, int]) -> None:
    """White images mixed with black ones are as bright as their own label weighs."""
    mode, partner, weight, place = drawn(kind, 200)
    white = Batch(torch.ones(200, 3, *size))
    made = mixing.mix(white, Batch(torch.zeros_like(white.values)), mode, weight, place)
    shares = mixing.label_weights(white, partner, mode, weight, place)
    torch.testing.assert_close(made.values.mean((1, 2, 3)), shares, atol=1e-5, rtol=0)
    assert (shares[mode == 0] == 1).all()


def test_two_kinds_in_one_batch_do_as_each_alone() -> None:
    images, others = (uniform(64, 3 * 9 * 8, torch.Generator().manual_seed(i)).view(64, 3, 9, 8) for i in (1, 2))
    _, _, weight, place = drawn("cutmix", 64)
    mode = torch.arange(64) % (len(mixing.kinds) + 1)
    together = mixing.mix(Batch(images), Batch(others), mode, weight, place).values
    for kind in range(len(mixing.kinds) + 1):
        rows = mode == kind
        own = (torch.full((int(rows.sum()),), kind), weight[rows], place[rows])
        alone = mixing.mix(Batch(images[rows]), Batch(others[rows]), *own).values
        torch.testing.assert_close(together[rows], alone)


def test_labels_need_no_mask() -> None:
    """Of images so large that a mask of each would fill the memory."""
    mode, partner, weight, place = drawn("cutmix", 64)
    large = torch.zeros(()).expand(64, 3, 2**17, 2**17)
    shares = mixing.label_weights(Batch(large), partner, mode, weight, place)
    assert shares.shape == (64,)
    assert float(shares.min()) < 0.5
