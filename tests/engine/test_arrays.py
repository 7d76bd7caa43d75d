"""Samples that are augmented as arrays: the same plans, whichever backend carries them out."""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torchvision import tv_tensors

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError
from autoaug.functional.sampling import as_layers, draw_operations, draw_sample, steps_of
from autoaug.modalities import operators
from autoaug.modalities.image import MODALITY
from autoaug.modalities.image import modality as image_modality
from autoaug.modalities.operators import get_operator
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Mixing, Operation, Phase, Policy, in_turn
from tests.samples import photographs

#: Left to torch by the engine on arrays.
LEFT = Policy(layers=in_turn(Operation(operator="JPEG", probability=0.5), Operation(operator="Rotate")))


def bytes_of(n: int = 24, size: tuple[int, int] = (20, 26)) -> torch.Tensor:
    return (photographs(n, size=size) * 255).round().byte()


def close(first: Any, second: Any, most: float = 0.99) -> bool:
    return bool((np.abs(np.asarray(first).astype(int) - np.asarray(second).astype(int)) <= 1).mean() >= most)


@pytest.mark.parametrize(
    "name", ["trivialaugment-wide", "flip-crop", "autoaugment-cifar10", "uniformaugment", "augmix"]
)
@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_the_backend_changes_neither_the_plan_nor_the_stream(name: str, backend: str) -> None:
    """Single samples and batches in turn: each is what the other backend makes of it, up to rounding."""
    images, policy = bytes_of(), load_policy(name)
    one, other = policy.transform(seed=3, backend=backend), policy.transform(seed=3, backend="torch")
    for given in (images[0], images[1], images, images[2], images[:5]):
        made, expected = one(given), other(given)
        assert made.dtype == torch.uint8
        assert close(made, expected, 0.97)  # a level of difference may fall on the other side of a threshold
        assert (made.float() - expected.float()).abs().mean() < 1.5
    assert torch.equal(one.generator.get_state(), other.generator.get_state())


def test_one_sample_is_drawn_as_a_batch_of_one() -> None:
    policy = load_policy("flip-crop+autoaugment-cifar10")
    transform = policy.transform(seed=4)
    plan = draw_plan(policy, 1, torch.Generator().manual_seed(4))
    drawn = transform._draws.take(0.0, transform.own)
    rows = zip(*(tensor[:, 0].tolist() for tensor in (plan.choice, plan.magnitude, plan.uniforms)), strict=True)
    expected = [(plan.operators[index], *numbers) for index, *numbers in rows if index >= 0]
    assert [(name, uniforms) for name, _, uniforms in drawn] == [(name, uniforms) for name, _, uniforms in expected]
    values = [magnitude * get_operator(name).limit for name, magnitude, _ in expected]
    np.testing.assert_allclose([operation.value for operation in drawn], values, rtol=1e-6)


def test_samples_drawn_one_by_one_follow_the_distribution_of_batches() -> None:
    table = [
        [
            (1.0, [(0, 0.5, 0.2, 0.6, 0.5)]),
            (0.0, [(9, 1.0, 0, 1, 0)]),
            (3.0, [(1, 1.0, 0.0, 1.0, 0.0), (2, 0.3, 1, 1, 1.0)]),
        ],
        [(2.0, [(3, 0.8, 0.1, 0.9, 0.25)])],
    ]
    n, generator = 6000, torch.Generator().manual_seed(0)
    layers = as_layers(table)
    chances = torch.rand(n, steps_of(layers), 8, generator=generator).tolist()
    alone = [draw_sample(layers, own) for own in chances]
    choice, magnitude, _ = draw_operations(table, n, generator)
    own_choice, own_magnitude = (np.array([[step[i] for step in steps] for steps in alone]).T for i in (0, 1))
    assert own_choice.shape == choice.shape
    for step in range(len(choice)):
        counts = [
            [int((chosen == k).sum()) for k in range(-1, 4)] for chosen in (own_choice[step], choice[step].numpy())
        ]
        present = [i for i in range(5) if sum(row[i] for row in counts)]
        assert stats.chi2_contingency([[row[i] for i in present] for row in counts]).pvalue > 1e-3
        for operator in np.unique(own_choice[step]):
            ours = own_magnitude[step][own_choice[step] == operator]
            theirs = magnitude[step][choice[step] == operator].numpy()
            assert stats.ks_2samp(ours, theirs).pvalue > 1e-3
    own = np.array([step[2] for steps in alone for step in steps]).reshape(-1, 4)
    assert all(stats.kstest(column, "uniform").pvalue > 1e-3 for column in own.T)
    assert np.abs(np.corrcoef(np.column_stack([own, own_magnitude.T.ravel()]).T) - np.eye(5)).max() < 0.05


def test_single_samples_draw_ahead_and_the_generator_does_not_show_it() -> None:
    """However many are drawn, what is saved and what is drawn next are as if each had been drawn for itself."""
    policy, image = load_policy("randaugment"), bytes_of(1)[0]
    one, other = policy.transform(seed=3), policy.transform(seed=3, backend="torch")
    for count in (1, 2, 70, 31, 32, 33):
        for _ in range(count):
            one(image)
            other.draw(1)
        assert torch.equal(one.get_extra_state(), other.get_extra_state())
    one(image)
    one.load_state_dict(other.state_dict())
    assert torch.equal(one.draw(3).uniforms, other.draw(3).uniforms)


@pytest.mark.parametrize("given", ["one", "batch"])
def test_operators_that_the_engine_lacks_are_left_to_torch(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images, left = bytes_of(), []

    def noted(plan: Plan, *given: Any, **options: Any) -> Any:
        left.append(len(plan))
        return apply_plan(plan, *given, **options)

    monkeypatch.setattr("autoaug.engine.arrays.apply_plan", noted)
    one, other = LEFT.transform(seed=1), LEFT.transform(seed=1, backend="torch")
    if given == "batch":
        made, expected = one(images), other(images)
    else:
        made, expected = (torch.stack([transform(image) for image in images]) for transform in (one, other))
    assert close(made, expected, 1.0)
    assert 4 < sum(left) < 20, "those with JPEG alone"
    assert len(left) == (1 if given == "batch" else sum(left))


def test_threads_change_nothing() -> None:
    images, policy, before = bytes_of(96), load_policy("randaugment"), torch.get_num_threads()
    try:
        made = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            made.append(policy.transform(seed=2)(images))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*made)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_goes_on_with_single_samples(duplicate: Any) -> None:
    image, module = bytes_of(1)[0], load_policy("randaugment").transform(seed=5)
    module(image)
    other = duplicate(module)
    assert all(torch.equal(other(image), module(image)) for _ in range(4))


def test_without_opencv_torch_goes_on_with_the_same_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    image, policy = bytes_of(1)[0], load_policy("randaugment")
    expected = policy.transform(seed=5, backend="torch")(image)
    monkeypatch.setitem(sys.modules, "cv2", None)
    for name in [name for name in sys.modules if name.startswith("autoaug.modalities.image.arrays")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("autoaug.modalities.image.arrays", raising=False)
    image_modality._array_engine.cache_clear()
    try:
        assert MODALITY.arrays is None
        assert torch.equal(policy.transform(seed=5)(image), expected)
    finally:
        image_modality._array_engine.cache_clear()


def test_labels_and_boxes_go_along() -> None:
    images = bytes_of(6)
    policy = Policy(layers=in_turn(Operation(operator="HorizontalFlip", magnitude=1.0)))
    made, soft = policy.transform(seed=0, num_classes=3)(images, torch.tensor([0, 1, 2, 0, 1, 2]))
    assert torch.equal(made, images.flip(-1))
    assert torch.equal(soft, torch.eye(3).repeat(2, 1))
    box = tv_tensors.BoundingBoxes(torch.tensor([[2.0, 3.0, 9.0, 8.0]]), format="XYXY", canvas_size=(20, 26))
    _, moved = policy.transform(seed=0)(images[0], {"boxes": box, "label": 3})
    assert torch.equal(moved["boxes"].as_subclass(torch.Tensor), torch.tensor([[17.0, 3.0, 24.0, 8.0]]))
    assert moved["label"] == 3


def test_mixing_and_floats_are_for_torch() -> None:
    images, labels = bytes_of(), torch.eye(3)[torch.arange(24) % 3]
    mixing = load_policy("flip-crop").model_copy(update={"mixing": Mixing(kind="mixup")})
    for policy, given in ((mixing, (images, labels)), (load_policy("randaugment"), (images[0] / 255,))):
        made, expected = (policy.transform(seed=1, backend=backend)(*given) for backend in ("auto", "torch"))
        assert all(torch.equal(a, b) for a, b in zip([*made], [*expected], strict=True))


def test_a_schedule_is_followed_by_single_samples() -> None:
    flips = [in_turn(Operation(operator=name, magnitude=1.0)) for name in ("HorizontalFlip", "VerticalFlip")]
    phases = tuple(Phase(until=until, layers=layers) for until, layers in zip((0.5, 1.0), flips, strict=True))
    image, transform = bytes_of(1)[0], Policy(schedule=phases).transform(seed=0)
    for done, flipped in ((0.2, image.flip(-1)), (0.7, image.flip(-2)), (0.1, image.flip(-1))):
        transform.done = done
        assert torch.equal(transform(image), flipped)


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(OptionError, match="no backend 'opencv'; there are: auto, torch"):
        PolicyTransform(load_policy("none"), backend="opencv")


def test_what_an_operator_has_learned_reaches_a_single_array(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no twin on arrays, so that torch augments the sample."""
    operators.all_operators()
    monkeypatch.setattr(operators, "_registry", dict(operators._registry))

    @operators.operator("Painted", modality="image", family="own", unit="switch")
    @operators.learning(lambda _: "0.2")
    def painted(values: torch.Tensor, switches: torch.Tensor, uniforms: torch.Tensor, learned: str) -> torch.Tensor:
        return torch.full_like(values, float(learned))

    known = Policy(layers=in_turn(Operation(operator="Painted"))).with_learned({"Painted": "0.6"})
    sample = bytes_of(1)[0].permute(1, 2, 0).numpy()
    assert np.unique(PolicyTransform(known, seed=0)(sample)).tolist() == [153]
