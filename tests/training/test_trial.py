"""A trial is a pure function of (policy, task, seed); its outcomes are distinguished."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from torch import nn

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import Samples
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Adversarial, Policy, Regularization
from autoaug.training.adversarial import attack
from autoaug.training.embedding import NetworkInput
from autoaug.training.inference import infer
from autoaug.training.recipe import default_recipe
from autoaug.training.result import TrialResult
from autoaug.training.setting import TrainingSetting
from autoaug.training.state import new_training
from autoaug.training.tasks import Classification
from autoaug.training.train import train
from autoaug.training.trial import Train, carry_out
from tests.tasks import samples, small_task


def whole(policy: Policy, setting: TrainingSetting, seed: int = 0) -> TrialResult:
    return list(Train(policy).run(setting, seed))[-1]


def exploding(channels: int, classes: int) -> nn.Module:
    """A network whose output is infinite after the first steps."""

    class Exploding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(channels, classes))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean((2, 3)) @ (self.weight * float("inf"))

    return Exploding()


def dropping(channels: int, classes: int) -> nn.Module:
    """A network that draws from every global generator while it trains, and one when it is evaluated."""

    class Dropping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop, self.linear = nn.Dropout(0.5), nn.Linear(144 * channels, classes)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                x = x * random.random() + float(np.random.rand())
            outputs: torch.Tensor = self.linear(self.drop(x.flatten(1)))
            return outputs if self.training else outputs + 0.01 * torch.rand_like(outputs)

    return Dropping()


def failing(channels: int, classes: int) -> nn.Module:
    """A network that cannot take its input."""
    return nn.Linear(3, classes)


@pytest.mark.fault("determinism", "the same trial")
def test_it_learns_and_repeats() -> None:
    task = small_task(epochs=12, test=True)
    first, second = whole(load_policy("flip-crop"), task), whole(load_policy("flip-crop"), task)
    assert first.status == "complete"
    assert first.score > 0.6, "three classes: chance is a third"
    assert first.curve == second.curve
    np.testing.assert_array_equal(first.validation_predictions, second.validation_predictions)


def test_rungs_come_on_the_way_and_the_whole_result_last() -> None:
    results = list(Train(load_policy("none")).run(small_task(), 0))
    assert [r.status for r in results] == ["running", "complete"]
    assert results[-1].curve[-1].step == 4
    assert results[-1].curve[0] == results[0].curve[0]


def test_half_of_a_single_epoch_is_another_rung_than_the_whole() -> None:
    """Or pruning would compare a trial at half length with others at full length."""
    assert [rung.step for rung in whole(load_policy("none"), small_task(epochs=1)).curve] == [0, 1]


def test_a_search_trial_has_no_test_split_to_see() -> None:
    trial, confirmed = (whole(load_policy("none"), small_task(test=test)) for test in (False, True))
    assert trial.validation_predictions is trial.test_predictions is None
    assert confirmed.test_predictions is not None
    assert trial.score == confirmed.score


def test_what_is_evaluated_reaches_the_model_bit_identical(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the policy, what is evaluated is what is stored."""
    task = small_task(test=True)
    seen: list[torch.Tensor] = []

    def spying(model: nn.Module, values: torch.Tensor, device: str) -> torch.Tensor:
        seen.append(values.clone())
        return infer(model, values, device)

    monkeypatch.setattr("autoaug.training.inference.infer", spying)
    whole(load_policy("randaugment").model_copy(update={"copies": 2}), task)
    stored = [task.validation, task.validation, task.test]
    expected = torch.cat([torch.from_numpy(s.inputs.take(np.arange(len(s)))) for s in stored if s]).float() / 255
    assert torch.equal(torch.cat(seen), expected)


@pytest.mark.parametrize("equal", ["samples", "epochs"])
def test_copies_at_equal_samples_and_at_equal_epochs(equal: str) -> None:
    task = small_task(equal=equal)
    once = whole(load_policy("flip-crop"), task)
    for copies in (2, 3, 8):
        several = whole(load_policy("flip-crop").model_copy(update={"copies": copies}), task)
        expected = once.samples_seen * (copies if equal == "epochs" else 1)
        assert several.status == "complete"
        assert abs(several.samples_seen - expected) < 2 * task.recipe.batch_size, "up to the last, cut-off step"


@pytest.mark.parametrize("count", [100, 200, 350, 500])
def test_a_trial_on_a_quarter_of_the_data_takes_as_many_steps_for_a_quarter_of_the_compute(count: int) -> None:
    setting = replace(small_task(), train=samples(count, 0), recipe=default_recipe(count))
    whole, cheap = setting.plan(Policy(), 0), setting.plan(Policy(), 0, 0.25)
    assert cheap.steps == pytest.approx(whole.steps, rel=0.1)
    assert cheap.steps * cheap.batch_size == pytest.approx(whole.steps * whole.batch_size / 4, rel=0.1)


def test_adversarial_passes_are_counted_as_compute() -> None:
    adversarial = Adversarial(kind="pgd", epsilon=0.03, steps=3, share=0.5)
    result = whole(Policy(adversarial=adversarial), small_task())
    assert result.status == "complete"
    assert result.sample_passes == result.samples_seen + 3 * result.samples_seen // 2


@pytest.mark.parametrize(
    "adversarial",
    [
        Adversarial(kind="pgd", epsilon=0.03, steps=3, share=0.5),
        Adversarial(kind="fgsm", epsilon=0.03, share=0.25, loss="trades"),
    ],
)
def test_attacks_at_equal_compute_take_fewer_steps(adversarial: Adversarial) -> None:
    setting = small_task(equal="compute", batch_size=16)
    attacked, plain = whole(Policy(adversarial=adversarial), setting), whole(Policy(), setting)
    assert attacked.status == plain.status == "complete"
    assert attacked.samples_seen < plain.samples_seen
    assert attacked.sample_passes == pytest.approx(plain.sample_passes, abs=3 * setting.recipe.batch_size)
    assert plain.sample_passes == whole(Policy(), small_task(batch_size=16)).sample_passes


@pytest.mark.fault("trials", "a loss or score that is not finite")
def test_a_loss_that_is_not_finite_fails_with_the_reason() -> None:
    result = whole(load_policy("none"), replace(small_task(), model="tests.training.test_trial:exploding"))
    assert result.status == "failed"
    assert "not finite" in result.reason


@pytest.mark.fault("trials", "an error in training")
def test_an_error_in_training_fails_with_the_reason() -> None:
    result = whole(load_policy("none"), replace(small_task(), model="tests.training.test_trial:failing"))
    assert result.status == "failed"
    assert result.reason.startswith("RuntimeError")


def test_images_on_disk_train_to_the_same_result_as_images_in_memory(tmp_path: object) -> None:
    from pathlib import Path

    from autoaug.data.inputs import MappedInputs

    task = small_task()
    assert isinstance(task.train.inputs, MemoryInputs)
    path = Path(str(tmp_path)) / "x.npy"
    np.save(path, task.train.inputs.array)
    on_disk = replace(task.train, inputs=MappedInputs(str(path), np.arange(len(task.train))))
    ours = whole(load_policy("randaugment"), task)
    theirs = whole(load_policy("randaugment"), replace(task, train=on_disk))
    assert ours.curve == theirs.curve


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_an_attack_stays_in_its_ball_raises_the_loss_and_leaves_the_model_alone(kind: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(400, 3)).train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    images = torch.from_numpy(samples(16, 0).inputs.take(np.arange(16))).float() / 255
    labels = torch.eye(3)[torch.arange(16) % 3]
    how = Adversarial(kind=kind, epsilon=0.05, steps=1 if kind == "fgsm" else 4)
    task, image = Classification(3), get_modality("image")
    moved = attack(model, NetworkInput(images), labels, how, torch.Generator().manual_seed(0), task, image).values
    assert (moved - images).abs().max() <= 0.05 + 1e-6
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    model.eval()
    loss = nn.functional.cross_entropy
    assert loss(model(moved), labels) > loss(model(images), labels)
    model.train()[1].eval()
    attack(model, NetworkInput(images), labels, how, torch.Generator().manual_seed(0), task, image)
    assert [module.training for module in model] == [True, False, True, True], "a frozen layer stays frozen"


def test_the_callers_process_is_left_as_it_was() -> None:
    """A trial computes with one thread; whoever has its results, with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        counts = []

        class Counting(Train):
            def run(self, setting: TrainingSetting, seed: int) -> Iterator[TrialResult]:
                for result in super().run(setting, seed):
                    counts.append(torch.get_num_threads())
                    yield result

        between = [torch.get_num_threads() for _ in carry_out(Counting(Policy()), small_task(), 0)]
        assert (counts, between) == ([1, 1], [3, 3])
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_network_that_draws_at_random_repeats_and_leaves_the_callers_generators_alone() -> None:
    task, runs = replace(small_task(test=True), model="tests.training.test_trial:dropping"), []
    for seed in range(3):
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        states = random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state()
        results = []
        for result in carry_out(Train(Policy()), task, 0):
            results.append(result)
            assert random.getstate() == states[0]
            np.testing.assert_equal(np.random.get_state(legacy=False), states[1])
            assert torch.equal(torch.get_rng_state(), states[2])
        assert results[-1].status == "complete", results[-1].reason
        runs.append((results[-1].curve, results[-1].validation_predictions.tolist()))
    assert runs[0] == runs[1] == runs[2]


def test_statistics_add_up_to_the_score() -> None:
    result, setting = whole(Policy(), small_task(test=True)), small_task(test=True)
    assert setting.test is not None
    for predictions, statistics, samples_ in (
        (result.validation_predictions, result.validation_statistics, setting.validation),
        (result.test_predictions, result.test_statistics, setting.test),
    ):
        assert statistics[:, 0].mean() == accuracy_score(samples_.labels, predictions)
    assert result.score == result.validation_statistics[:, 0].mean()


def test_dropout_is_gone_after_the_training() -> None:
    plan = small_task().plan(Policy(regularization=Regularization(dropout=0.5)), 0)
    training = new_training(plan)

    def hooks() -> int:
        return sum(len(module._forward_pre_hooks) for module in training.model.modules())

    steps = train(training, replace(plan, rungs=(0.5, 1.0)))
    next(steps)
    assert hooks() == 1
    list(steps)
    assert hooks() == 0


@pytest.mark.parametrize("per_class", [7, 10, 24])
def test_a_quarter_costs_about_a_quarter_with_many_small_classes_too(per_class: int) -> None:
    labels = np.arange(40).repeat(per_class)
    images = np.zeros((len(labels), 1, 12, 12), np.uint8)
    train = Samples(MemoryInputs(images), labels)
    setting = replace(small_task(epochs=42, batch_size=64), task=Classification(40), train=train)
    full, quarter = (setting.plan(Policy(), 0, share) for share in (1.0, 0.25))
    assert set(labels[quarter.taken]) == set(range(40)), "all classes are there"
    assert quarter.steps == pytest.approx(full.steps, rel=0.1)
    assert quarter.steps * quarter.recipe.batch_size < 0.32 * setting.full_length_passes()


def test_a_training_of_fewer_steps_than_parts_is_continued_in_all_of_them(tmp_path: Path) -> None:
    setting = replace(small_task(epochs=1, batch_size=48), checkpoints=tmp_path)
    assert setting.plan(Policy(), 0).steps == 2
    spans = pairwise([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    parts = [list(Train(Policy(), start=start, stop=stop).run(setting, 0))[-1] for start, stop in spans]
    assert {part.reason for part in parts} == {""}
    assert [part.sample_passes for part in parts] == [48, 0, 48, 0, 0]
    assert parts[0].score == parts[1].score
    assert parts[2].score == parts[4].score == whole(Policy(), small_task(epochs=1, batch_size=48)).score
