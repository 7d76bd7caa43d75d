"""Idiomatic exports to torchvision as its users use them: what they refuse, and what goes along with an image."""

from __future__ import annotations

import importlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from autoaug.exporters import export_policy, is_idiomatic
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Mixing, Operation, Policy, in_turn
from tests.idiomatic import AS_EXACT, image, loaded
from tests.samples import operators_of, photographs

REFUSED = {
    "palette": Image.new("P", (8, 8)),
    "print": Image.new("CMYK", (8, 8)),
    "deep": Image.new("I;16", (8, 8)),
    "0 to 255": torch.linspace(0, 255, 192).view(3, 8, 8),
    "normalized": torch.linspace(-2, 2, 192).view(3, 8, 8),
    "not finite": torch.full((3, 8, 8), float("nan")),
    "integers": torch.zeros(3, 8, 8, dtype=torch.int64) + 7,
    "a batch": torch.zeros(2, 3, 8, 8, dtype=torch.uint8),
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_images_that_would_be_misread_are_refused(given: Any) -> None:
    augment = loaded(load_policy("trivialaugment-wide"), "torchvision")["Augment"]()
    for sample in ((given,), (given, torch.tensor(3)), ({"label": torch.tensor(3.0), "image": given},)):
        if isinstance(sample[0], dict) and isinstance(given, torch.Tensor):
            sample[0]["image"] = tv_tensors.Image(given)
        with pytest.raises(ValueError, match=r"an image must be an L or RGB picture, or \[C, H, W\] in uint8"):
            augment(*sample)
    with pytest.raises(ValueError, match="not ndarray"):
        augment(image())


def test_a_module_runs_in_full_precision_under_autocast() -> None:
    augment = loaded(load_policy("trivialaugment-wide"), "torchvision")["Augment"]()
    for values in (torch.from_numpy(image()).permute(2, 0, 1), photographs(1)[0]):
        made = []
        for enabled in (False, True):
            torch.manual_seed(0)
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                made.append(torch.stack([augment(values) for _ in range(40)]))
        assert torch.equal(*made)


MOVING = [
    "Rotate",
    "ShearX",
    "ShearY",
    "TranslateX",
    "TranslateY",
    "Scale",
    "PadCrop",
    "RandomResizedCrop",
    "HorizontalFlip",
    "VerticalFlip",
    "QuarterTurn",
    "Transpose",
]


@pytest.mark.parametrize("name", MOVING)
def test_boxes_masks_and_key_points_move_with_the_image(name: str) -> None:
    policy = Policy(
        layers=in_turn(
            Operation(
                operator=name, magnitude=(1.0, 1.0) if operators_of()[name].is_switch else (0.2, 0.2), sign="positive"
            )
        )
    )
    size = (24, 24)
    target = {
        "boxes": tv_tensors.BoundingBoxes(torch.tensor([[3.0, 4.0, 12.0, 15.0]]), format="XYXY", canvas_size=size),
        "points": tv_tensors.KeyPoints(torch.tensor([[9.0, 10.0]]), canvas_size=size),
    }
    spot = torch.zeros(3, *size, dtype=torch.uint8)
    spot[:, 9:12, 8:11] = 255  # around the point
    augment = loaded(policy, "torchvision")["Augment"]()
    for seed in range(5):
        torch.manual_seed(seed)
        made, moved = augment(tv_tensors.Image(spot), target)
        y, x = (made[0] > 127).nonzero().double().mean(0) + 0.5
        np.testing.assert_allclose(moved["points"][0], [x, y], atol=1.6)


WORDED = [
    name for name in operators_of() if is_idiomatic(Policy(layers=in_turn(Operation(operator=name))), "torchvision")
]


@pytest.mark.parametrize("name", WORDED)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float64])
def test_an_image_stays_an_image_beside_a_label(name: str, dtype: torch.dtype) -> None:
    """The next transform would take the label for the image otherwise."""
    operation = Operation(operator=name, magnitude=(1.0, 1.0) if operators_of()[name].is_switch else (0.3, 0.6))
    augment = loaded(Policy(layers=in_turn(operation, operation)), "torchvision")["Augment"]()
    picture = v2.functional.to_dtype(tv_tensors.Image(torch.from_numpy(image()).permute(2, 0, 1)), dtype, scale=True)
    made = augment({"label": torch.tensor(3), "image": picture})
    assert (type(made["image"]), made["image"].dtype) == (tv_tensors.Image, dtype)
    assert int(made["label"]) == 3


def test_a_plain_image_may_come_after_what_belongs_to_it() -> None:
    augment = loaded(load_policy("flip-crop"), "torchvision")["Augment"]()
    boxes = tv_tensors.BoundingBoxes(torch.tensor([[3.0, 4.0, 12.0, 15.0]]), format="XYXY", canvas_size=(24, 24))
    _, made = augment(boxes, torch.from_numpy(image()).permute(2, 0, 1))
    assert made.shape == (3, 24, 24)


@pytest.mark.parametrize("name", ["randaugment", "autoaugment-svhn", "trivialaugment-wide"])
def test_a_module_says_so_if_it_takes_no_boxes(name: str) -> None:
    boxes = tv_tensors.BoundingBoxes(torch.tensor([[3.0, 4.0, 12.0, 15.0]]), format="XYXY", canvas_size=(24, 24))
    policy, given = load_policy(name), (Image.fromarray(image()), boxes)
    takes = "raise an error for boxes" not in export_policy(policy, "torchvision")
    try:
        loaded(policy, "torchvision")["Augment"]()(*given)
    except TypeError:
        assert not takes
    else:
        assert takes


@pytest.mark.parametrize("channels", [2, 4])
def test_channels_that_the_library_refuses_come_with_a_way_out(channels: int) -> None:
    brighter = Policy(layers=in_turn(Operation(operator="Brightness", magnitude=(0.5, 0.5))))
    with pytest.raises(TypeError, match=rf"found {channels} \(autoaug export --exact takes any channels, boxes and"):
        loaded(brighter, "torchvision")["Augment"]()(torch.rand(channels, 8, 8))
    assert loaded(load_policy("flip-crop"), "torchvision")["Augment"]()(torch.rand(channels, 8, 8)).shape[0] == channels


@pytest.mark.parametrize("alpha", [1.0, 2.0, 0.25])
@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_batches_are_mixed_at_any_strength(kind: str, alpha: float) -> None:
    policy = load_policy("flip-crop").model_copy(update={"mixing": Mixing(kind=kind, alpha=alpha, probability=0.5)})
    mixing, images = loaded(policy, "torchvision")["mixing"](5), photographs(4)
    torch.manual_seed(0)
    made = [mixing(images, torch.arange(4)) for _ in range(20)]
    assert {tuple(labels.shape) for _, labels in made} == {(4,), (4, 5)}
    assert "stay class indices" in export_policy(policy, "torchvision")


def test_labels_and_images_are_mixed_by_the_librarys_own() -> None:
    policy = load_policy("flip-crop").model_copy(update={"mixing": Mixing(kind="mixup-or-cutmix", alpha=0.3)})
    module = loaded(policy, "torchvision")
    mixing, labels, images = module["mixing"](5), torch.arange(4), photographs(4)
    kept = []
    for _ in range(200):
        mixed, soft = mixing(images, labels)
        assert mixed.shape == images.shape
        torch.testing.assert_close(soft.sum(1), torch.ones(4))
        kept.append(float(soft[0, 0]))
    assert 0.4 < np.mean(kept) < 0.75
    assert "ResizeMix" not in module
    resize = policy.model_copy(update={"mixing": Mixing(kind="resizemix")})
    assert f"{AS_EXACT} torchvision does not mix by resizemix" in export_policy(resize, "torchvision")


def test_a_module_travels_to_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "idiomatic_sent.py").write_text(export_policy(load_policy("trivialaugment-wide"), "torchvision"))
    augment = importlib.import_module("idiomatic_sent").Augment()
    received, picture = pickle.loads(pickle.dumps(augment)), Image.fromarray(image())
    made = []
    for one in (augment, received, v2.Compose([received, v2.Identity()])):
        torch.manual_seed(3)
        made.append([one(picture).tobytes() for _ in range(10)])
    assert made[0] == made[1] == made[2]
    assert len(set(made[0])) > 5
