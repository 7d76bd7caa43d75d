"""The features that tell shifts between samples, on images of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoaug.modalities.image.features import features


@pytest.mark.parametrize("size", [(1, 16), (16, 1), (1, 1), (2, 3), (9, 7)])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_features_of_images_of_a_few_pixels(channels: int, size: tuple[int, int]) -> None:
    """A single row or column has no differences across, and was an error."""
    images = torch.rand(5, channels, *size, generator=torch.Generator().manual_seed(0))
    blocks = features(images)
    assert all(len(block) == 5 and block.isfinite().all() for block in blocks)
    values = images.flatten(2).numpy()
    ends = np.concatenate([values.min(2), values.max(2), values.mean(2)], 1)
    np.testing.assert_allclose(blocks[4][:, : 3 * channels], ends, atol=1e-6)
    right, down = blocks[2].view(5, 2, -1).unbind(1)
    assert (right == 0).all() == (size[1] == 1)
    assert (down == 0).all() == (size[0] == 1)
