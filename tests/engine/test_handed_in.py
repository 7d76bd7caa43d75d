"""Inputs of transforms and exported modules are converted as intended, or refused in one line."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from autoaug.engine.plan import draw_plan
from autoaug.engine.relaxation import RelaxedPolicy
from autoaug.errors import AutoaugError
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Layer, Mixing, Operation, Policy, SubPolicy, in_turn
from tests.conformance.test_exporters import loaded, photographs
from tests.samples import operators_of

MAKERS = ["autoaug", "torchvision", "kornia"]
REFUSED = (AutoaugError, ValueError)
#: Every operator, two after one another.
EVERY = Policy(
    layers=(Layer(sub_policies=tuple(SubPolicy(operations=(Operation(operator=n),)) for n in operators_of())),) * 2
)
MIXED = load_policy("flip-crop").model_copy(update={"mixing": Mixing(kind="mixup-or-cutmix")})


def transform(maker: str, policy: Policy, classes: int | None = None, **options: Any) -> Any:
    """The policy as our module, or as one that is exported."""
    if maker == "autoaug":
        return policy.transform(num_classes=classes, **options)
    return loaded(policy, maker)(**options, **({"classes": classes} if policy.mixing else {}))


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(REFUSED) as caught:
        call()
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (torch.tensor([[0], [1], [2], [0]]), r"soft labels are 1 wide.*\[n, 3\]: squeeze"),
        (torch.rand(4, 1), "soft labels are 1 wide"),
        (torch.eye(4), "soft labels are 4 wide"),
        (torch.tensor([0.0, 1.6, 2.0, 0.0]), "torch.float32; pass class indices"),
        (np.array([0.0, 1.6, 2.0, 0.0]), "torch.float64; pass class indices"),
        (torch.tensor([True, False, True, False]), "torch.bool; pass class indices"),
        (torch.tensor([0, 1, 2, 3]), "a label is 3; class indices must be from 0 to 2"),
        (torch.tensor([0, 1, 2, -1]), "a label is -1"),
        (torch.tensor([0, 1]), "2 labels for 4 samples"),
        ([0, 1, 2, 0, 1], "5 labels for 4 samples"),
        (torch.tensor(1), r"not of shape \[\]"),
        (torch.zeros(4, 3, 3), r"not of shape \[4, 3, 3\]"),
        (torch.tensor([[3, 5, 1]] * 4), "values from 1 to 5"),
        (torch.full((4, 3), torch.nan), "they must be finite"),
        (["a", "b", "c", "d"], "labels must be numbers"),
        ({"labels": 1}, "labels must be numbers"),
        ([[0], [1, 2], [0], [1]], "labels must be numbers"),
        ([torch.ones(3), torch.ones(2), torch.ones(3), torch.ones(3)], "labels must be numbers"),
        (np.array([["a", "b"]] * 4), "labels must be numbers"),
        (torch.eye(4).to_sparse(), "labels must be dense"),
        (torch.eye(4, device="meta"), "labels must be dense"),
    ],
)
def test_labels_that_cannot_be_are_refused_in_one_line(maker: str, labels: Any, words: str) -> None:
    module = transform(maker, MIXED, classes=3, seed=0)
    assert re.search(words, refusal(lambda: module(photographs(4), labels)))


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, 2, 0],
        (0, 1, 2, 0),
        np.array([0, 1, 2, 0], np.int8),
        np.array([0, 2, 1, 0], np.uint64)[::-1],
        np.array([0, 2, 1, 0], ">i8")[::-1],
        np.eye(3)[[0, 1, 2, 0]].astype(">f4"),
        [np.int64(0), np.int64(1), np.int64(2), np.int64(0)],
        [torch.tensor(0), torch.tensor(1), torch.tensor(2), torch.tensor(0)],
        torch.tensor([0, 1, 2, 0], dtype=torch.uint8),
        torch.eye(3)[[0, 1, 2, 0]],
        torch.eye(3)[[0, 1, 2, 0]].long(),
        torch.eye(3)[[0, 1, 2, 0]].tolist(),
        list(torch.eye(3)[[0, 1, 2, 0]]),
        tuple(np.eye(3)[[0, 1, 2, 0]]),
    ],
)
def test_labels_of_any_form_are_the_same_labels(maker: str, labels: Any) -> None:
    images = photographs(4)
    expected = transform(maker, MIXED, classes=3, seed=1)(images, torch.tensor([0, 1, 2, 0]))
    made = transform(maker, MIXED, classes=3, seed=1)(images, labels)
    torch.testing.assert_close(made, expected, rtol=0, atol=0)
    assert torch.allclose(made[1].sum(1), torch.ones(4))


def test_lists_of_labels_come_back_soft_without_mixing_too() -> None:
    _, soft = load_policy("none").transform(num_classes=3)(photographs(3), [0, 2, 1])
    assert torch.equal(soft, torch.eye(3)[[0, 2, 1]])


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("labels", [torch.tensor([0, 1, 2, 0]), [0, 1, 2, 0], np.array([0, 1, 2, 0])])
def test_class_indices_are_mixed_only_with_the_number_of_classes(maker: str, labels: Any) -> None:
    """As in torchvision's MixUp: the highest label of a batch would give each batch another width."""
    from torchvision.transforms.v2 import MixUp

    with pytest.raises(ValueError, match="num_classes must be passed"):
        MixUp()(photographs(4), torch.as_tensor(labels))
    said = refusal(lambda: transform(maker, MIXED)(photographs(4), labels))
    assert "needs the number of classes" in said
    _, soft = transform(maker, MIXED)(photographs(4), torch.eye(5)[labels])
    assert soft.shape == (4, 5)


def test_without_mixing_labels_come_back_as_they_came() -> None:
    augment = load_policy("flip-crop").transform(seed=0)
    for labels in (torch.tensor([0, 3, 1, 1]), torch.rand(4, 2) * 9, np.array([0, 3, 1, 1]), [2.5, 0, 1, 7]):
        assert augment(photographs(4), labels)[1] is labels
    assert "5 labels for 4 samples" in refusal(lambda: augment(photographs(4), [0, 1, 2, 0, 1]))
    assert "not of shape [4, 3, 3]" in refusal(lambda: augment(photographs(4), torch.zeros(4, 3, 3)))


@pytest.mark.parametrize("classes", [-1, True, 2.5, "3", np.array([3]), torch.tensor([3, 4])])
def test_numbers_of_classes_that_cannot_be_are_refused(classes: Any) -> None:
    for maker in MAKERS:
        assert f"the number of classes is {classes!r}" in refusal(lambda maker=maker: transform(maker, MIXED, classes))  # type: ignore[misc]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_white_after_a_resize_is_white_alike_everywhere(dtype: torch.dtype) -> None:
    images = photographs(6).to(dtype)
    beyond = images.clone()
    beyond[:, :, 3:6, 4:9], images[:, :, 3:6, 4:9] = 1 + 9e-4, 1
    beyond[:, :, 8:10], images[:, :, 8:10] = -9e-4, 0
    for maker in MAKERS:
        made, expected = (transform(maker, EVERY, seed=2)(x) for x in (beyond, images))
        assert torch.equal(made, expected), maker


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("bits", [1, 4, 7])
def test_levels_in_half_precision_fall_no_step(dtype: torch.dtype, bits: int) -> None:
    """k / 255 is often rounded down."""
    levels = torch.arange(256).view(1, 1, 16, 16)
    policy = Policy(layers=in_turn(Operation(operator="Posterize", magnitude=(bits / 7, bits / 7))))
    for maker in MAKERS:
        made = transform(maker, policy)((levels / 255).to(dtype))
        assert torch.equal(made, (levels // 2**bits * 2**bits / 255).to(dtype)), maker


@pytest.mark.parametrize("maker", [*MAKERS, "numpy"])
@pytest.mark.parametrize("value", [1.002, -0.002, 255.0, torch.nan, torch.inf])
def test_values_further_out_are_refused_alike_everywhere(maker: str, value: float) -> None:
    images = photographs(2)
    images[1, 0, 5, 5] = value
    given = images.permute(0, 2, 3, 1).numpy() if maker == "numpy" else images
    assert "they must be finite and in [0, 1]" in refusal(lambda: transform(maker, load_policy("randaugment"))(given))


def test_gradients_pass_where_white_is_clamped() -> None:
    images = torch.full((2, 3, 4, 4), 1.0000002, requires_grad=True)
    (gradient,) = torch.autograd.grad(load_policy("none").transform()(images).sum(), images)
    assert torch.equal(gradient, torch.ones_like(images))


@pytest.mark.parametrize("channels", [1, 3])
def test_arrays_and_pictures_give_what_tensors_give(channels: int) -> None:
    images = (photographs(3, channels) * 255).byte()
    arrays = images.permute(0, 2, 3, 1).numpy()

    def made(given: Any) -> Any:
        return load_policy("randaugment").transform(seed=4)(given)

    assert np.array_equal(made(arrays), made(images).permute(0, 2, 3, 1).numpy())
    one = made(images[0]).permute(1, 2, 0).numpy()
    assert np.array_equal(made(arrays[0]), one)
    assert np.array_equal(made(arrays[0, :, ::-1][:, ::-1]), one), "also with strides of either sign"
    assert np.array_equal(made(arrays[0].astype(">f4") / 255), made(images[0].float() / 255).permute(1, 2, 0).numpy())
    picture = Image.fromarray(arrays[0] if channels == 3 else arrays[0, ..., 0])
    assert made(picture).mode == picture.mode
    assert np.array_equal(np.asarray(made(picture)).reshape(one.shape), one)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (Image.new("RGBA", (8, 8)), "not RGBA; convert it"),
        (Image.fromarray(np.zeros((8, 8), np.uint16)), "not I;16; scale its values to 0 … 255 first"),
        (Image.new("P", (8, 8)), "not P"),
        (np.zeros((3, 32, 32), np.uint8), "channels last"),
        (np.zeros((4, 4, 3), np.int64), "not torch.int64"),
        (np.array([["a"]]), "not <U1"),
        (np.zeros(3), r"not of shape [3]"),
        ([torch.rand(3, 4, 4)], "not a list; stack them"),
        ("cat.png", "not a str"),
        (torch.rand(2, 3, 4, 4, device="meta"), "meta"),
        (torch.rand(2, 3, 4, 4).to_sparse(), "dense"),
        (torch.rand(2, 0, 4, 4), "one channel and one pixel"),
        (torch.rand(2, 3, 4, 4).to(torch.float8_e4m3fn), "float8"),
        (torch.rand(2, 3, 4, 4) > 0.5, "torch.bool"),
    ],
)
def test_images_that_are_none_are_refused_in_one_line(images: Any, words: str) -> None:
    assert words in refusal(lambda: load_policy("randaugment").transform()(images))


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("shape", [(0, 3, 5, 5), (2, 3, 1, 1), (2, 1, 1, 7), (2, 3, 2, 2), (2, 5, 9, 8), (2, 2, 3, 3)])
def test_every_operator_takes_every_shape(maker: str, shape: tuple[int, ...]) -> None:
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    for seed in range(4):
        made = transform(maker, EVERY, seed=seed)(images)
        assert made.shape == shape
        assert bool(((made >= 0) & (made <= 1)).all())


@contextmanager
def default_dtype() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device() -> Iterator[None]:
    """A tensor that were made on the default device would have no values."""
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(
    "setting", [default_dtype, default_device, lambda: torch.autocast("cpu", torch.bfloat16), torch.inference_mode]
)
def test_settings_of_pytorch_change_nothing(maker: str, setting: Callable[[], AbstractContextManager[Any]]) -> None:
    images, labels = photographs(24), torch.arange(24) % 3
    for policy in (EVERY, load_policy("augmix"), MIXED):
        expected = transform(maker, policy, classes=3, seed=3)(images, labels)
        with setting():
            made = transform(maker, policy, classes=3, seed=3)(images, labels)
        assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(made, expected, strict=True)), policy.name


@pytest.mark.parametrize("setting", [default_dtype, default_device])
def test_plans_do_not_depend_on_settings(setting: Callable[[], AbstractContextManager[Any]]) -> None:
    def plans() -> list[torch.Tensor]:
        relaxed = RelaxedPolicy(load_policy("randaugment"), seed=2).draw(9).plan
        drawn = draw_plan(MIXED, 9, torch.Generator("cpu").manual_seed(1))
        return [t.detach() for plan in (relaxed, drawn, drawn[:]) for t in plan.tensors().values()]

    expected = plans()
    with setting():
        made = plans()
    assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(made, expected, strict=True))


@pytest.mark.parametrize("seed", [np.int64(5), np.uint8(5), torch.tensor(5)])
def test_seeds_of_numpy_are_seeds(seed: Any) -> None:
    images = photographs(8)
    for maker in MAKERS:
        made, expected = (transform(maker, load_policy("randaugment"), seed=s)(images) for s in (seed, 5))
        assert torch.equal(made, expected)


@pytest.mark.parametrize("seed", [-1, 2**64, True, 1.0, "3", [1], float("nan"), np.zeros((2, 2))])
def test_seeds_that_are_none_are_refused(seed: Any) -> None:
    makers = [*MAKERS, "numpy"]
    calls = [lambda maker=maker: transform(maker, load_policy("none"), seed=seed) for maker in makers]  # type: ignore[misc]
    for call in (*calls, lambda: RelaxedPolicy(load_policy("none"), seed=seed)):
        assert f"the seed is {' '.join(repr(seed).split())}; it must be a whole number" in refusal(call)


def test_copies_and_pickles_go_on_where_the_module_is() -> None:
    images = photographs(8)
    module = load_policy("randaugment").transform(seed=1)
    module(images)
    duplicates = [copy.deepcopy(module), pickle.loads(pickle.dumps(module))]
    expected = module(images)
    assert all(torch.equal(duplicate(images), expected) for duplicate in duplicates)
    relaxed = RelaxedPolicy(load_policy("randaugment"), seed=1)
    duplicate = copy.deepcopy(relaxed)
    assert torch.equal(duplicate(images), relaxed(images))
    assert not any(isinstance(value, torch.Tensor) for value in module.__getstate__().values()), "it would be shared"


def test_lightning_augments_once_in_each_fit_and_leaves_the_module_as_it_was() -> None:
    lightning = pytest.importorskip("lightning")
    from torch.utils.data import DataLoader, TensorDataset

    from autoaug.training.lightning import AugmentBatches

    class Net(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)
            self.seen: list[torch.Tensor] = []

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            self.seen.append(batch[0])
            return self.layer(batch[0].mean((1, 2, 3))[:, None]).mean()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.0)

    def fit(data: Any) -> None:
        lightning.Trainer(
            max_epochs=1,
            callbacks=[AugmentBatches(negative.transform())],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            accelerator="cpu",
        ).fit(net, DataLoader(data, 4))

    negative = Policy(layers=in_turn(Operation(operator="Invert", magnitude=1.0)))
    images, net = photographs(4), Net()
    data = TensorDataset(images, torch.zeros(4).long())
    for _ in range(2):
        fit(data)
        torch.testing.assert_close(net.seen.pop(), 1 - images)
    with pytest.raises(AutoaugError, match="must be \\(samples, labels\\)"):
        fit(TensorDataset(images))
    assert "on_after_batch_transfer" not in net.__dict__
