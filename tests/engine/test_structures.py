"""Tuples and mappings with a sample, as torchvision's transforms take them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Operation, Policy, in_turn
from tests.samples import operators_of

FLIP = Policy(layers=in_turn(Operation(operator="HorizontalFlip")))
PICTURE = torch.randint(0, 256, (3, 8, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def boxes() -> tv_tensors.BoundingBoxes:
    return tv_tensors.BoundingBoxes(torch.tensor([[1, 2, 4, 6]]), format="XYXY", canvas_size=(8, 10))


class Pair(NamedTuple):
    picture: Any
    target: Any


def same(one: Any, other: Any) -> None:
    """Both have the same structure, types and values."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        same(tuple(one.values()), tuple(other.values()))
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for own, others in zip(one, other, strict=True):
            same(own, others)
    else:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize(
    "given",
    [
        {"picture": tv_tensors.Image(PICTURE), "boxes": boxes(), "label": 3},
        {"mask": tv_tensors.Mask(PICTURE[0]), "picture": tv_tensors.Image(PICTURE), "name": "a"},
        (Image.fromarray(PICTURE.permute(1, 2, 0).numpy()), {"boxes": boxes(), "labels": torch.tensor([1])}),
        Pair(PICTURE, boxes()),
        (PICTURE,),
    ],
)
def test_structures_come_out_as_those_of_torchvision(given: Any) -> None:
    transform = PolicyTransform(FLIP, seed=0)
    same(transform(given), v2.RandomHorizontalFlip(p=1)(given))


def test_targets_may_be_arguments_of_their_own() -> None:
    given = tv_tensors.Image(PICTURE), boxes(), tv_tensors.Mask(PICTURE[0]), 3
    same(PolicyTransform(FLIP, seed=0)(*given), v2.RandomHorizontalFlip(p=1)(*given))


def test_arrays_of_other_libraries_can_be_in_a_mapping() -> None:
    array = PICTURE.permute(1, 2, 0).numpy()
    made = PolicyTransform(FLIP, seed=0)({"image": array, "label": 2})
    np.testing.assert_array_equal(made["image"], array[:, ::-1])
    assert made["label"] == 2


def test_a_batch_may_have_its_labels_beside_it() -> None:
    batch, labels = torch.rand(4, 3, 8, 10), torch.arange(4)
    transform, again = (PolicyTransform(load_policy("mixup"), seed=0, num_classes=5) for _ in range(2))
    mixed = transform({"pixels": batch, "label": labels})
    expected = again(batch, labels)
    torch.testing.assert_close(mixed["pixels"], expected[0])
    torch.testing.assert_close(mixed["label"], expected[1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"image": np.zeros((8, 10, 3), np.uint8), "mask": np.zeros((8, 10), np.uint8)}, "'image', 'mask'.*tv_tensors"),
        ({"label": 3}, "these can be one: none"),
        ({"pixels": torch.rand(2, 3, 8, 10), "label": [0, 1], "name": ["a", "b"]}, "one part beside it"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(given: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        PolicyTransform(FLIP, seed=0)(given)


@pytest.mark.parametrize("name", operators_of())
def test_channels_may_lie_last_in_memory(name: str) -> None:
    """Where all samples do the same, none is copied, and operators see memory as it lies."""
    policy, images = Policy(layers=in_turn(Operation(operator=name, magnitude=(0.5, 0.5)))), torch.rand(4, 3, 16, 16)
    last = images.to(memory_format=torch.channels_last)
    torch.testing.assert_close(*(PolicyTransform(policy, seed=0)(one) for one in (images, last)))
