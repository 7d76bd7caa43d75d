"""Idiomatic exports to albumentations as its users use them: seeds, workers, masks and types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from autoaug.policy.loading import load_policy
from autoaug.policy.models import Operation, Policy, in_turn
from tests.idiomatic import image, loaded
from tests.samples import operators_of

ARRAYS = {
    "0 to 255": np.linspace(0, 255, 192, dtype=np.float32).reshape(8, 8, 3),
    "normalized": np.linspace(-2, 2, 192, dtype=np.float32).reshape(8, 8, 3),
    "not finite": np.full((8, 8, 3), np.nan, np.float32),
    "deep": np.zeros((8, 8), np.uint16),
    "double": np.zeros((8, 8, 3)),
    "a batch": np.zeros((4, 8, 8, 3), np.uint8),
}


@pytest.mark.parametrize("given", ARRAYS.values(), ids=ARRAYS)
def test_arrays_that_would_be_misread_are_refused(given: np.ndarray) -> None:
    augment = loaded(load_policy("trivialaugment-wide"), "albumentations")["Augment"]()
    with pytest.raises(ValueError, match=r"images must be \[H, W, C\] or \[H, W\], uint8 or float32"):
        augment(image=given)


def test_an_image_that_is_not_named_is_refused() -> None:
    """As albumentations itself takes none."""
    augment = loaded(load_policy("trivialaugment-wide"), "albumentations")["Augment"]()
    assert augment(image=image())["image"].shape == image().shape
    for call in (lambda: augment(image()), lambda: augment(mask=image())):
        with pytest.raises(TypeError, match="keyword-only argument: 'image'"):
            call()


@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("name", ["Brightness", "Contrast", "Saturation", "Grayscale"])
def test_color_of_images_that_are_neither_gray_nor_rgb_is_refused(name: str, channels: int) -> None:
    """As by albumentations, whose contrast would be that of one channel; other operators take any."""
    given = np.zeros((8, 8, channels), np.uint8)
    color = Policy(layers=in_turn(Operation(operator=name, magnitude=(0.5, 0.5))))
    with pytest.raises(TypeError, match="expects 1-channel or 3-channel images"):
        loaded(color, "albumentations")["Augment"]()(image=given)
    for other in ("Solarize", "Posterize", "Sharpness", "Equalize", "AutoContrast", "ShearX", "TranslateY", "Rotate"):
        augment = loaded(Policy(layers=in_turn(Operation(operator=other))), "albumentations")["Augment"]()
        assert augment(image=given)["image"].shape == given.shape


def test_steps_draw_for_themselves_in_albumentations_and_a_seed_repeats_them() -> None:
    """With a seed, albumentations 2.0.8 gives each transform the same numbers."""
    module = loaded(load_policy("flip-crop+trivialaugment-wide"), "albumentations")
    compose, picture = module["A"].Compose, np.zeros((32, 32, 3), np.uint8)
    picture[:, 16:], picture[14:18, 14:18] = 60, 255
    made = []
    for _ in range(2):
        augment = compose([module["Augment"]()], seed=4)
        made.append(np.stack([augment(image=picture)["image"] for _ in range(300)]))
    assert (made[0] == made[1]).all()
    flipped = made[0][:, 16, 4, 0] > made[0][:, 16, 28, 0]
    unchanged = (made[0][:, 12:20, 12:20] == 255).any((1, 2, 3))
    assert 0.3 < flipped.mean() < 0.7
    assert unchanged.mean() > 0.4


@pytest.mark.parametrize("shape", [(24, 20), (24, 20, 1), (24, 20, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_albumentations_keeps_shapes_and_types(shape: tuple[int, ...], dtype: Any) -> None:
    module = loaded(load_policy("uniformaugment"), "albumentations")
    augment = module["A"].Compose([module["Augment"]()], seed=1)
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    given = array if dtype is np.uint8 else (array / 255).astype(dtype)
    made = [augment(image=given)["image"] for _ in range(80)]
    assert {(one.shape, one.dtype.type) for one in made} == {(shape, dtype)}
    assert all(one.min() >= 0 and one.max() <= (255 if dtype is np.uint8 else 1) for one in made)


@pytest.mark.parametrize("name", ["ShearX", "TranslateY", "Rotate", "PadCrop", "Scale", "HorizontalFlip", "Transpose"])
def test_masks_and_key_points_move_in_albumentations(name: str) -> None:
    magnitude = (1.0, 1.0) if operators_of()[name].is_switch else (0.2, 0.2)
    policy = Policy(layers=in_turn(Operation(operator=name, magnitude=magnitude, sign="positive")))
    module, spot = loaded(policy, "albumentations"), np.zeros((24, 24, 3), np.uint8)
    spot[9:12, 8:11] = 255
    points = module["A"].KeypointParams("xy", remove_invisible=False)
    augment = module["A"].Compose([module["Augment"]()], seed=2, keypoint_params=points)
    made = augment(image=spot, mask=spot[..., 0], keypoints=[(9.0, 10.0)])
    y, x = np.argwhere(made["image"][..., 0] > 127).mean(0)
    np.testing.assert_allclose(made["keypoints"][0], [x, y], atol=0.7)
    np.testing.assert_allclose(np.argwhere(made["mask"] > 127).mean(0), [y, x], atol=0.7)


class Views(Dataset):
    """What an albumentations module makes of one image."""

    def __init__(self, augment: Any) -> None:
        self.augment = augment

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> np.ndarray:
        return self.augment(image=image())["image"]


def test_workers_of_a_loader_draw_for_themselves_in_albumentations() -> None:
    module = loaded(load_policy("randaugment"), "albumentations")
    augment = module["A"].Compose([module["Augment"]()], seed=3)
    epochs = []
    for seed in (1, 2, 1):
        loader = DataLoader(Views(augment), 4, num_workers=2, generator=torch.Generator().manual_seed(seed))
        epochs.append(torch.cat(list(loader)))
    assert len({view.numpy().tobytes() for epoch in epochs[:2] for view in epoch}) > 12
    assert torch.equal(epochs[0], epochs[2])


def test_two_policies_of_other_seeds_draw_apart_in_one_worker() -> None:
    """As the two views of contrastive learning."""
    module = loaded(load_policy("randaugment"), "albumentations")
    epochs = []
    for seed in (0, 1):
        augment = module["A"].Compose([module["Augment"]()], seed=seed)
        loader = DataLoader(Views(augment), 4, num_workers=2, generator=torch.Generator().manual_seed(1))
        epochs.append(torch.cat(list(loader)))
    assert sum(bool((one != other).any()) for one, other in zip(*epochs, strict=True)) > len(epochs[0]) / 2
