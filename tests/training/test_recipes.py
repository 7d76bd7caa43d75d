"""Recipes: the default is what it was, and each part does what it says, against PyTorch's own or a closed form."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autoaug.errors import AutoaugError, OptionError, UnknownName
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Adversarial, Mixing, Policy, Regularization
from autoaug.training import probe
from autoaug.training.checkpoint import load_training, save_training, weights_file
from autoaug.training.layers import freeze, head_of, network_digest, parts
from autoaug.training.optimizers import average_weights, warmup_cosine
from autoaug.training.presets import Changes, load_changes, resolve_recipe
from autoaug.training.probe import check_probe, kept_views
from autoaug.training.recipe import Recipe
from autoaug.training.state import Training, new_training
from autoaug.training.tasks import Regression
from autoaug.training.train import train, train_to_end
from autoaug.training.trial import Train
from tests.tasks import small_task

PROBE = {"base": "probe", "freeze": ("backbone",), "views": 2, "optimizer": "adamw", "learning_rate": 1e-2}


def last(policy: Policy, setting: object) -> object:
    *_, result = Train(policy).run(setting, 3)
    assert result.status == "complete", result.reason
    return result


def test_the_default_trains_as_before_there_were_recipes() -> None:
    """A plain loop with PyTorch's SGD on the same batches gives the same weights to within rounding."""
    setting = small_task()
    plan = setting.plan(Policy(), 5)
    own = new_training(plan).model.to(memory_format=torch.channels_last).train()
    values = torch.from_numpy(setting.train.inputs.take(np.arange(96))).float() / 255
    labels = torch.from_numpy(setting.train.labels)
    draw = torch.Generator().manual_seed(_order_seed(5))
    rows = torch.cat([torch.randperm(96, generator=draw) for _ in range(4)])
    optimizer = torch.optim.SGD(own.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for step in range(plan.steps):
        batch = rows[step * 32 : (step + 1) * 32]
        done = step / plan.steps
        rising = 0.04 + 0.96 * (1 - np.cos(4 * np.pi * done)) / 2
        optimizer.param_groups[0]["lr"] = 0.1 * (
            rising if done < 0.25 else (1 + np.cos(np.pi * (done - 0.25) / 0.75)) / 2
        )
        optimizer.zero_grad()
        soft = nn.functional.one_hot(labels[batch], 3).float()
        inputs = values[batch].contiguous(memory_format=torch.channels_last)
        cross_entropy(own(inputs), soft, label_smoothing=0.1, reduction="none").mean().backward()
        nn.utils.clip_grad_norm_(own.parameters(), 1.0)
        optimizer.step()
    precise = replace(plan, recipe=plan.recipe.model_copy(update={"precision": "float32"}))
    trained = train_to_end(precise).model.state_dict()
    for name, tensor in own.state_dict().items():
        torch.testing.assert_close(trained[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def _order_seed(seed: int) -> int:
    from autoaug.utils.seeds import derive_seed

    return derive_seed(seed, "order")


@pytest.mark.parametrize(
    "recipe",
    [
        {"optimizer": "adamw", "learning_rate": 1e-3, "schedule": "warmup-cosine", "layer_decay": 0.7, "ema": 0.9},
        {"ema": 0.9},
        PROBE,
    ],
)
def test_a_training_that_goes_on_is_the_training_in_one(recipe: dict[str, object], tmp_path: Path) -> None:
    plan = replace(small_task(**recipe).plan(load_policy("flip-crop"), 3), rungs=(0.5, 1.0))
    whole, stopped, continued = train_to_end(plan), new_training(plan), new_training(plan)
    next(train(stopped, plan))
    save_training(stopped, tmp_path / "half.safetensors")
    assert load_training(continued, tmp_path / "half.safetensors")
    train_to_end(plan, continued)
    for name, tensor in whole.result.state_dict().items():
        assert torch.equal(continued.result.state_dict()[name], tensor), name


def test_the_average_of_weights_is_what_is_scored() -> None:
    """With little inertia it is near the last weights; its closed form holds for the first steps."""
    plan = small_task(ema=0.999).plan(Policy(), 0)
    training = new_training(plan)
    start = deepcopy(training.model)
    train_to_end(plan, training)
    assert training.result is training.averaged
    last_weights, average, first = (
        torch.cat([p.flatten() for p in model.parameters()]) for model in (training.model, training.averaged, start)
    )
    assert (average - last_weights).norm() < (first - last_weights).norm()
    assert not torch.equal(average, last_weights)
    buffers = dict(training.model.named_buffers())
    for name, buffer in training.averaged.named_buffers():
        assert torch.equal(buffer, buffers[name]), name


class Tied(nn.Module):
    """An embedding whose weights are those of the output layer, too, as in many language models."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.output = nn.Embedding(6, 4), nn.Linear(4, 6, bias=False)
        self.output.weight = self.embedding.weight
        self.register_buffer("mask", None, persistent=False)  # made by the first call


def test_weights_that_layers_share_are_averaged_and_kept(tmp_path: Path) -> None:
    """The average is PyTorch's, and files have such weights under each of their names."""
    model = Tied()
    training = Training(model, "text", averaged=deepcopy(model), steps=10**6)
    expected = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    expected.update_parameters(model)  # the first one is a copy
    with torch.no_grad():
        model.output.weight.add_(1.0)
    model.mask = torch.ones(6)
    average_weights(training, small_task(ema=0.9).recipe)
    model.mask = None  # PyTorch's own average needs it so
    expected.update_parameters(model)
    assert training.averaged is not None
    torch.testing.assert_close(training.averaged.state_dict(), expected.module.state_dict())
    again = Training(Tied(), "text", averaged=Tied())
    save_training(training, tmp_path / "tied.safetensors")
    assert load_training(again, tmp_path / "tied.safetensors")
    assert again.averaged is not None
    torch.testing.assert_close(again.averaged.state_dict(), training.averaged.state_dict())
    kept = safetensors.torch.load(weights_file(training, Policy(), 0))
    torch.testing.assert_close(kept, dict(training.averaged.state_dict()))


def test_warm_up_and_cosine_are_those_of_pytorch() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    up = torch.optim.lr_scheduler.LinearLR(optimizer, 0.01, 1.0, total_iters=20)
    down = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 180)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [up, down], [20])
    for step in range(200):
        assert warmup_cosine(step / 200) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-6), step
        optimizer.step()
        schedule.step()


def test_the_rate_falls_from_the_head_to_the_stem() -> None:
    """Each part of a ResNet-18 gets the decay to the power of its distance from the head, as one group per part."""
    from torchvision.models import resnet18

    model = nn.Module()
    model.network = resnet18(num_classes=3)
    named = [{name.split(".")[1] for name, _ in part} for part in parts(model)]
    assert named == [{"conv1", "bn1"}, {"layer1"}, {"layer2"}, {"layer3"}, {"layer4"}, {"fc"}]
    assert sum(len(part) for part in parts(model)) == len(list(model.parameters()))


def test_biases_and_normalizations_are_not_decayed_by_adamw() -> None:
    from autoaug.training.layers import parameter_groups

    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 3))
    recipe = Recipe(epochs=1, batch_size=2, optimizer="adamw", layer_decay=0.5)
    groups = parameter_groups(model, recipe, 0.05)
    found = {(group["share"], group["weight_decay"]): len(group["params"]) for group in groups}
    assert found == {(1.0, 0.05): 1, (1.0, 0.0): 1, (0.5, 0.05): 1, (0.5, 0.0): 3}
    plain = parameter_groups(model, Recipe(epochs=1, batch_size=2), 0.01)
    assert [(len(group["params"]), group["share"], group["weight_decay"]) for group in plain] == [(6, 1.0, 0.01)]


def test_what_is_frozen_stays_with_its_statistics() -> None:
    plan = small_task(freeze=("layers.0", "layers.2")).plan(Policy(), 0)
    training = new_training(plan)
    before = {name: tensor.clone() for name, tensor in training.model.state_dict().items()}
    after = train_to_end(plan, training).model.state_dict()
    still = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith(("network.layers.0.", "network.layers.2."))} <= still
    assert "network.layers.4.body.0.0.weight" not in still


@pytest.mark.parametrize(
    ("names", "words"),
    [(("layrs",), "did you mean 'layers'"), (("layers",), "leaves nothing to train")],
)
def test_what_cannot_be_frozen_is_refused(names: tuple[str, ...], words: str) -> None:
    model = new_training(small_task().plan(Policy(), 0)).model
    with pytest.raises(OptionError, match=words):
        freeze(model, Recipe(epochs=1, batch_size=2, freeze=names))


def test_a_probe_on_features_is_the_training_of_the_head() -> None:
    """Without augmentation all views are the same, so the features change nothing but the time."""
    kept = small_task(**PROBE, precision="float32").plan(Policy(), 2)
    through = replace(kept, recipe=kept.recipe.model_copy(update={"views": None}))
    assert kept_views(new_training(kept), kept) == 2
    assert kept_views(new_training(through), through) == 0
    one, other = train_to_end(kept), train_to_end(through)
    for name, tensor in one.model.state_dict().items():
        torch.testing.assert_close(other.model.state_dict()[name], tensor, rtol=1e-4, atol=1e-5, msg=name)
    assert one.meter.sample_passes == 2 * 96
    assert other.meter.sample_passes == 4 * 96


@pytest.mark.parametrize(
    "policy",
    [
        load_policy("flip-crop").model_copy(update={"copies": 2}),
        Policy(mixing=Mixing(kind="cutmix", probability=1.0)),
        Policy(regularization=Regularization(dropout=0.5)),
    ],
)
def test_a_probe_takes_any_policy(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictions from kept features of clean samples are those of the network."""
    result = last(policy, small_task(**PROBE, test=True))
    monkeypatch.setattr("autoaug.training.trial.predict_from_features", lambda *_: None)
    plain = last(policy, small_task(**PROBE, test=True))
    np.testing.assert_array_equal(result.test_predictions, plain.test_predictions)
    np.testing.assert_array_equal(result.validation_predictions, plain.validation_predictions)


def test_an_attack_needs_the_whole_network() -> None:
    plan = small_task(**PROBE).plan(Policy(adversarial=Adversarial(kind="fgsm")), 0)
    assert kept_views(new_training(plan), plan) == 0
    assert train_to_end(plan).steps == plan.steps


def test_features_are_kept_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = small_task(**PROBE).plan(Policy(), 0)
    head = head_of(new_training(plan).model)
    one_view = 4 * 96 * (head.in_features + 3)
    for bound, views in ((3 * one_view, 2), (2 * one_view - 1, 1), (one_view - 1, 0)):
        monkeypatch.setattr(probe, "MOST_BYTES", bound)
        assert kept_views(new_training(plan), plan) == views


class OverRows(nn.Module):
    """A network whose head gets a vector of each row of an image, as one of speech gets one of each frame."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(1, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(images.mean(3).mT)


def test_the_vectors_of_all_frames_count_as_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = small_task(**PROBE)
    plan, rows = setting.plan(Policy(), 0), setting.train.inputs.shape[1]
    training, held_out = Training(OverRows(3), "image"), setting.validation
    one_view = 4 * 96 * (rows + 3)
    for bound, views in ((2 * one_view, 2), (one_view, 1), (one_view - 1, 0)):
        monkeypatch.setattr(probe, "MOST_BYTES", bound)
        assert kept_views(training, plan) == views
    for bound, is_kept in ((4 * len(held_out) * rows, True), (4 * len(held_out) * rows - 1, False)):
        monkeypatch.setattr(probe, "MOST_BYTES", bound)
        probe._clean.clear()
        scores = probe.predict_from_features(training, setting.task, held_out, None, "cpu")
        assert (scores is not None) == is_kept


def test_a_probe_of_a_network_that_goes_on_after_its_last_layer_is_refused() -> None:
    values = torch.rand(2, 1, 4, 4)
    check_probe(nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), values)
    with pytest.raises(OptionError, match="computes more after its last linear layer"):
        check_probe(nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.LogSoftmax(1)), values)
    with pytest.raises(OptionError, match="ends in a linear layer"):
        check_probe(nn.Flatten(), values)


def test_views_need_a_frozen_backbone() -> None:
    with pytest.raises(ValidationError, match="frozen backbone"):
        Recipe(epochs=1, batch_size=2, views=2)


CONVOLUTIONS = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
TRANSFORMER = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4))


def test_a_network_is_another_with_other_shapes_or_with_a_head_at_0() -> None:
    one, again, wider = (nn.Sequential(nn.Linear(2, width), nn.Linear(width, 2)) for width in (3, 3, 4))
    own = network_digest(one)
    assert network_digest(again) == own, "random weights do not count"
    assert network_digest(wider) != own
    nn.init.zeros_(one[1].weight)
    assert network_digest(one) != own, "it learns otherwise, though its shapes are the same"


@pytest.mark.parametrize(
    ("changes", "network", "has_weights", "expected"),
    [
        ({}, CONVOLUTIONS, False, ("scratch", "sgd", 0.1, "one-cycle")),
        ({}, TRANSFORMER, False, ("scratch", "adamw", 1e-3, "warmup-cosine")),
        ({}, CONVOLUTIONS, True, ("finetune", "adamw", 3e-3, "warmup-cosine")),
        ({}, TRANSFORMER, True, ("finetune", "adamw", 1e-3, "warmup-cosine")),
        ({"optimizer": "sgd"}, TRANSFORMER, False, ("scratch", "sgd", 0.1, "one-cycle")),
        ({"base": "probe", "learning_rate": 0.5}, CONVOLUTIONS, True, ("probe", "adamw", 0.5, "warmup-cosine")),
    ],
)
def test_auto_says_what_it_resolves_to(
    changes: dict[str, object], network: nn.Module, has_weights: bool, expected: tuple[object, ...]
) -> None:
    recipe, why = resolve_recipe(Changes.model_validate(changes), network, has_weights, 1000)
    assert (recipe.base, recipe.optimizer, recipe.learning_rate, recipe.schedule) == expected
    assert ("as given" in why) == ("base" in changes)


def test_numbers_are_learned_as_they_are_unless_smoothing_is_asked_for() -> None:
    task = Regression((0.0,), (1.0,))
    numbers = torch.tensor([[-2.0], [3.0]])
    for changes, best in ((Changes(), numbers), (Changes(label_smoothing=0.1), 0.9 * numbers)):
        recipe, _ = resolve_recipe(changes, CONVOLUTIONS, False, 1000, task.name)
        assert task.loss(best, numbers, recipe.label_smoothing).tolist() == pytest.approx([0.0, 0.0])
    assert "smoothing" not in resolve_recipe(Changes(), CONVOLUTIONS, False, 1000, task.name)[0].words


@pytest.mark.parametrize("field", ["class_weights", "sampling"])
def test_only_classes_and_labels_are_balanced(field: str) -> None:
    changes = Changes.model_validate({field: "balanced"})
    for task in ("classification", "multi-label"):
        recipe, _ = resolve_recipe(changes, CONVOLUTIONS, False, 1000, task)
        assert recipe.model_dump()[field] == "balanced"
    for task in ("regression", "transcription", "translation"):
        words = f"--{field.replace('_', '-')} balanced is for classes and labels, and this is {task}; leave it out"
        with pytest.raises(OptionError, match=words):
            resolve_recipe(changes, CONVOLUTIONS, False, 1000, task)


def test_a_probe_that_is_thawed_keeps_no_features_and_is_trained_as_in_fine_tuning() -> None:
    recipe, _ = resolve_recipe(Changes(base="probe", freeze=()), CONVOLUTIONS, True, 1000)
    assert (recipe.freeze, recipe.views) == ((), None)
    tuned, _ = resolve_recipe(Changes(base="finetune"), CONVOLUTIONS, True, 1000)
    assert recipe.model_copy(update={"base": "finetune"}) == tuned


def test_of_a_frozen_backbone_the_head_is_trained_as_in_a_probe() -> None:
    recipe, _ = resolve_recipe(Changes(freeze=("backbone",)), CONVOLUTIONS, True, 1000)
    probe, _ = resolve_recipe(Changes(base="probe"), CONVOLUTIONS, True, 1000)
    assert (recipe.base, recipe.views) == ("finetune", None)
    assert (recipe.learning_rate, recipe.weight_decay) == (probe.learning_rate, probe.weight_decay)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("base: finetun", r"line 1: base: must be 'auto', 'scratch', 'finetune' or 'probe', not 'finetun'"),
        ("optimzer: sgd", r"line 1: unknown recipe key 'optimzer'; did you mean 'optimizer'\?"),
        ("base: finetune\nweight_decy: 1", r"line 2: unknown recipe key 'weight_decy'; did you mean 'weight_decay'\?"),
        ("learning_rate: -1", "line 1: learning_rate: .*greater than 0"),
        ("base: tune", "line 1: base: .*'finetune'"),
        ("- 1", "a mapping of fields is expected"),
        ("", "it is empty"),
    ],
)
def test_a_recipe_file_that_breaks_a_rule_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(AutoaugError, match=words) as fault:
        load_changes(str(path))
    assert "\n" not in str(fault.value)


def test_a_recipe_file_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "base: finetune\nepochs: 7\nema: 0.99\nfreeze: layer1, layer2\ngradient_bound: none\nprecision: float32\n"
    )
    recipe, _ = resolve_recipe(load_changes(str(path)), CONVOLUTIONS, True, 1000)
    assert (recipe.epochs, recipe.ema, recipe.freeze) == (7, 0.99, ("layer1", "layer2"))
    assert (recipe.gradient_bound, recipe.precision, recipe.layer_decay) == (None, "float32", 0.9)
    with pytest.raises(UnknownName, match="did you mean 'finetune'"):
        load_changes("fintune")
    with pytest.raises(OptionError, match="no such file"):
        load_changes(str(tmp_path / "none.yaml"))
