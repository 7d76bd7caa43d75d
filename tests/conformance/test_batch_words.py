"""Idiomatic exports to NumPy, Kornia and Keras as their users use them: what they refuse, keep, and send to workers."""

from __future__ import annotations

import importlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from autoaug.exporters import export_policy
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Mixing, Operation, Policy, in_turn
from tests.idiomatic import AS_EXACT, image, loaded
from tests.samples import photographs

ARRAYS = {
    "0 to 255": np.linspace(0, 255, 384, dtype=np.float32).reshape(2, 8, 8, 3),
    "normalized": np.linspace(-2, 2, 384, dtype=np.float32).reshape(2, 8, 8, 3),
    "not finite": np.full((2, 8, 8, 3), np.nan, np.float32),
    "deep": np.zeros((2, 8, 8, 3), np.int32),
    "without a pixel": np.zeros((2, 0, 8, 3), np.uint8),
}


@pytest.mark.parametrize("given", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("target", ["numpy", "kornia", "keras"])
def test_values_that_would_be_misread_are_refused(target: str, given: np.ndarray) -> None:
    augment = loaded(load_policy("flip-crop"), target)["Augment"]()
    values = {"numpy": given, "keras": torch.from_numpy(given), "kornia": torch.from_numpy(given).movedim(-1, 1)}
    with pytest.raises(ValueError, match=r"images must be .*uint8 or floats in \[0, 1\], not "):
        augment(values[target])


def test_what_is_no_tensor_is_refused_by_kornia() -> None:
    augment = loaded(load_policy("flip-crop"), "kornia")["Augment"]()
    with pytest.raises(ValueError, match=r"images must be \[B, C, H, W\] .*, not ndarray"):
        augment(np.zeros((2, 3, 8, 8), np.float32))


@pytest.mark.parametrize("shape", [(2, 3, 1, 9), (2, 1, 2, 2)])
def test_images_of_a_few_pixels_are_all_border_and_stay_under_kornia(shape: tuple[int, ...]) -> None:
    sharper = Policy(layers=in_turn(Operation(operator="Sharpness", magnitude=(0.5, 0.5))))
    images = torch.rand(shape)
    assert torch.equal(loaded(sharper, "kornia")["Augment"]()(images), images)
    assert torch.equal(sharper.transform(seed=0)(images), images)


@pytest.mark.parametrize("mode", ["P", "CMYK", "I;16"])
def test_pictures_that_would_be_misread_are_refused_by_numpy(mode: str) -> None:
    augment = loaded(load_policy("flip-crop"), "numpy")["Augment"]()
    with pytest.raises(ValueError, match=f"images must be L or RGB pictures, .* not {mode}: convert them"):
        augment(Image.new(mode, (8, 8)))


@pytest.mark.parametrize("opencv", [True, False])
@pytest.mark.parametrize("shape", [(24, 20), (24, 20, 1), (24, 20, 3), (3, 24, 20, 1), (2, 20, 20, 3), (0, 9, 9, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_numpy_keeps_shapes_and_types(shape: tuple[int, ...], dtype: Any, opencv: bool) -> None:
    module = loaded(load_policy("uniformaugment"), "numpy")
    module["cv2"] = module["cv2"] if opencv else None
    augment, array = module["Augment"](seed=1), np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    made = [augment(array if dtype is np.uint8 else (array / 255).astype(dtype)) for _ in range(60)]
    assert {(one.shape, one.dtype.type) for one in made} == {(shape, dtype)}
    assert all(one.min(initial=0) >= 0 and one.max(initial=0) <= (255 if dtype is np.uint8 else 1) for one in made)


@pytest.mark.parametrize("shape", [(3, 24, 20), (2, 1, 24, 20), (16, 3, 20, 20), (0, 3, 9, 9)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float16])
def test_kornia_keeps_shapes_and_types(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    augment = loaded(load_policy("uniformaugment"), "kornia")["Augment"]()
    values = torch.rand(shape)
    given = (values * 255).to(dtype) if dtype == torch.uint8 else values.to(dtype)
    for made in (augment(given) for _ in range(5)):
        assert (made.shape, made.dtype) == (given.shape, dtype)


def test_kornia_runs_in_full_precision_under_autocast_and_passes_gradients() -> None:
    augment = loaded(load_policy("trivialaugment-wide"), "kornia")["Augment"]()
    made = []
    for enabled in (False, True):
        torch.manual_seed(0)
        values = photographs(24).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            made.append(augment(values))
        made[-1].sum().backward()
        assert values.grad is not None
    assert torch.equal(*made)


def test_keras_leaves_images_as_they_are_outside_of_training_and_keeps_types() -> None:
    module = loaded(load_policy("trivialaugment-wide"), "keras")
    augment, to_numpy = module["Augment"](), module["ops"].convert_to_numpy
    given = torch.from_numpy(image()[None].repeat(4, 0))
    assert (to_numpy(augment(given, training=False)) == given.numpy()).all()
    made = to_numpy(augment(given, training=True))
    assert (made.shape, made.dtype) == (given.shape, np.uint8)
    assert len({one.tobytes() for one in made}) > 1


def test_keras_makes_the_layer_of_its_config() -> None:
    module = loaded(load_policy("flip-crop"), "keras")
    config = module["keras"].saving.serialize_keras_object(module["Augment"]())
    made = module["keras"].saving.deserialize_keras_object(config, custom_objects={"Augment": module["Augment"]})
    assert type(made) is module["Augment"]


def test_keras_never_traces_a_policy() -> None:
    """There is nothing to build, and tracing takes a second per image and more."""
    module, calls = loaded(load_policy("randaugment"), "keras"), []
    brightness = module["brightness"]
    module["brightness"] = lambda images, **drawn: (calls.append(1), brightness(images, **drawn))[1]
    augment, keras = module["Augment"](), module["keras"]
    promised = augment(keras.Input((24, 24, 3), dtype="uint8"))
    assert not calls
    made = augment(torch.from_numpy(image()[None].repeat(2, 0)))
    assert len(calls) == 2, "randaugment has two layers"
    assert (promised.shape[1:], promised.dtype) == (made.shape[1:], str(made.dtype).removeprefix("torch."))


@pytest.mark.parametrize(("shape", "dtype"), [((24, 24), "uint8"), ((24, 24, 3), "int32")])
def test_keras_refuses_an_input_that_would_be_misread_when_a_model_is_made(shape: tuple[int, ...], dtype: str) -> None:
    module = loaded(load_policy("flip-crop"), "keras")
    with pytest.raises(ValueError, match=r"images must be \[B, H, W, C\], uint8 or floats in \[0, 1\], not "):
        module["Augment"]()(module["keras"].Input(shape, dtype=dtype))


@pytest.mark.parametrize("operator", ["Sharpness", "GaussianBlur"])
def test_keras_leaves_images_without_neighbors_as_they_are(operator: str) -> None:
    module = loaded(Policy(layers=in_turn(Operation(operator=operator, magnitude=0.8))), "keras")
    for sides in ((1, 1), (1, 5)):
        given = np.linspace(0, 1, 6 * sides[1], dtype=np.float32).reshape(2, *sides, 3)
        made = module["ops"].convert_to_numpy(module["Augment"]()(given, training=True))
        np.testing.assert_allclose(made, given, atol=1e-6)


def test_a_keras_model_with_a_policy_is_saved_and_loaded(tmp_path: Path) -> None:
    module = loaded(load_policy("flip-crop"), "keras")
    keras, to_numpy = module["keras"], module["ops"].convert_to_numpy
    keras.Sequential([keras.Input((24, 24, 3)), module["Augment"](), keras.layers.Flatten()]).save(tmp_path / "m.keras")
    model = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Augment": module["Augment"]})
    given = torch.from_numpy(image()[None].repeat(4, 0) / np.float32(255))
    assert (to_numpy(model(given, training=False)) == given.flatten(1).numpy()).all()
    assert len({one.tobytes() for one in to_numpy(model(given, training=True))}) > 1


def test_a_seed_repeats_what_numpy_draws_and_a_pickled_module_goes_on() -> None:
    module = loaded(load_policy("randaugment"), "numpy")
    first, again = module["Augment"](seed=3), module["Augment"](seed=3)
    made = [first(image()).tobytes() for _ in range(10)]
    assert made == [again(image()).tobytes() for _ in range(10)]
    assert len(set(made)) > 5


class Views(Dataset):
    """What a transform makes of one image."""

    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(self.transform(image()).copy())


def test_workers_draw_for_themselves_in_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "numpy_sent.py").write_text(export_policy(load_policy("randaugment"), "numpy"))
    augment = pickle.loads(pickle.dumps(importlib.import_module("numpy_sent").Augment(seed=3)))
    seed = torch.Generator().manual_seed(1)
    epochs = [torch.cat([*DataLoader(Views(augment), 6, num_workers=2, generator=seed)]) for _ in range(2)]
    assert len({view.numpy().tobytes() for epoch in epochs for view in epoch}) > 18


@pytest.mark.parametrize("seeds", [(0, 1), (None, None)])
def test_two_modules_of_numpy_draw_apart_in_one_worker(seeds: tuple[int | None, int | None]) -> None:
    """As the two views of contrastive learning."""
    augment = loaded(load_policy("randaugment"), "numpy")["Augment"]
    first, second = augment(seeds[0]), augment(seeds[1])
    loader = DataLoader(Views(lambda given: np.stack([first(given), second(given)])), 6, num_workers=2)
    assert sum(bool((one != other).any()) for one, other in torch.cat([*loader])) > 6


def test_kornia_and_keras_mix_by_their_own() -> None:
    policy = load_policy("flip-crop")
    images, labels, shares = photographs(8), torch.arange(8), []
    cutmix = policy.model_copy(update={"mixing": Mixing(kind="cutmix", alpha=1.0)})
    mixing = loaded(cutmix, "kornia")["mixing"]
    torch.manual_seed(0)
    for _ in range(60):
        mixed, soft = mixing(images, labels, 8)
        torch.testing.assert_close(soft.sum(1), torch.ones(8))
        own = (mixed == images).float().mean((1, 2, 3))
        assert (soft.diagonal() <= own + 1e-4).all(), "the label's share is that of the pixels"
        shares.append(soft.diagonal().mean())
    assert 0.4 < float(torch.stack(shares).mean()) < 0.75
    mixup = policy.model_copy(update={"mixing": Mixing(kind="mixup", alpha=0.3)})
    assert f"{AS_EXACT} kornia does not mix by mixup" in export_policy(mixup, "kornia")
    module = loaded(mixup, "keras")
    batch = {"images": module["ops"].convert_to_tensor(images.movedim(1, -1)), "labels": torch.eye(8)}
    made = module["mixing"]()(batch, training=True)
    np.testing.assert_allclose(module["ops"].convert_to_numpy(made["labels"]).sum(1), 1, atol=1e-5)
