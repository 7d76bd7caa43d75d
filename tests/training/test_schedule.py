"""Policies that change during a training, and trainings that continue from a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autoaug.engine.plan import draw_plan
from autoaug.errors import PolicyError
from autoaug.exporters import export_policy
from autoaug.policy.loading import parse_policy
from autoaug.policy.models import Layer, Operation, Phase, Policy, Regularization, SubPolicy, Synthetic
from autoaug.training.checkpoint import load_training, save_training
from autoaug.training.result import TrialResult
from autoaug.training.setting import TrainingSetting
from autoaug.training.state import new_training
from autoaug.training.train import train, train_to_end
from autoaug.training.trial import Train
from tests.tasks import samples, small_task, trained_weights


def one(operator: str, magnitude: float = 1.0) -> tuple[Layer, ...]:
    operation = Operation(operator=operator, magnitude=(magnitude, magnitude))
    return (Layer(sub_policies=(SubPolicy(operations=(operation,)),)),)


SCHEDULED = Policy(
    name="scheduled",
    schedule=(
        Phase(until=0.5, layers=one("HorizontalFlip")),
        Phase(until=0.75),
        Phase(until=1, layers=one("Brightness", 0.5)),
    ),
)


def last(policy: Policy, setting: TrainingSetting, start: float = 0.0, stop: float = 1.0) -> TrialResult:
    return list(Train(policy, start=start, stop=stop).run(setting, 3))[-1]


@pytest.mark.parametrize(
    ("done", "operators"),
    [(0.0, ["HorizontalFlip"]), (0.49, ["HorizontalFlip"]), (0.5, []), (0.75, ["Brightness"]), (1.0, ["Brightness"])],
)
def test_what_applies_follows_the_progress(done: float, operators: list[str]) -> None:
    assert SCHEDULED.at(done).operator_names() == operators


def test_a_schedule_survives_yaml_and_counts_in_the_fingerprint() -> None:
    assert parse_policy(SCHEDULED.to_yaml()) == SCHEDULED
    assert SCHEDULED.fingerprint() != SCHEDULED.at(0).fingerprint()
    assert SCHEDULED.operator_names() == ["HorizontalFlip", "Brightness"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("format: 2\nschedule: [{until: 0.5}, {until: 0.2}]\n", "must increase"),
        ("format: 2\nschedule: [{until: 0.5}]\n", "the last must be 1"),
        (
            "format: 2\nschedule: [{until: 1}]\nlayers: [{sub_policies: [{operations: []}]}]\n",
            "in the schedule's phases",
        ),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        parse_policy(text)


def test_a_plan_needs_to_know_the_progress() -> None:
    with pytest.raises(PolicyError, match=r"draw from policy\.at"):
        draw_plan(SCHEDULED, 4, torch.Generator())
    images = torch.rand(4, 1, 8, 8)
    transform = SCHEDULED.transform(seed=0)
    assert torch.equal(transform(images), images.flip(-1))
    transform.done = 0.6
    assert torch.equal(transform(images), images)


def test_training_follows_the_schedule() -> None:
    """A schedule of equal phases trains as the plain policy does when both draw in the same chunks."""
    halves = Policy(schedule=(Phase(until=0.5, layers=one("Cutout", 0.4)), Phase(until=1, layers=one("Cutout", 0.4))))
    plain = Policy(layers=one("Cutout", 0.4))
    expected = trained_weights(plain, small_task())
    assert torch.equal(trained_weights(halves, small_task()), expected)
    differing = Policy(schedule=(Phase(until=0.5, layers=one("Cutout", 0.4)), Phase(until=1, layers=one("Invert"))))
    assert not torch.equal(trained_weights(differing, small_task()), expected)


@pytest.mark.parametrize("kept", [True, False])
def test_a_training_in_parts_is_the_training_in_one(kept: bool, tmp_path: Path) -> None:
    """Whether its checkpoint is there or has to be made again; what comes later in the schedule changes neither."""
    task = replace(small_task(test=True), checkpoints=tmp_path)
    before = SCHEDULED.model_copy(update={"schedule": (Phase(until=1, layers=SCHEDULED.schedule[0].layers),)})
    first = last(before, task, stop=0.5)
    assert [rung.step for rung in first.curve] == [2]
    if not kept:
        for path in tmp_path.iterdir():
            path.unlink()
    second = last(SCHEDULED, task, start=0.5)
    whole = last(SCHEDULED, small_task(test=True))
    np.testing.assert_array_equal(second.validation_predictions, whole.validation_predictions)
    assert second.score == whole.score
    assert second.sample_passes == (whole.sample_passes - first.sample_passes if kept else whole.sample_passes)


@pytest.mark.parametrize(
    ("policy", "model"),
    [
        (Policy(regularization=Regularization(dropout=0.5)), "auto"),
        (Policy(), "tests.training.test_trial:dropping"),
        (Policy(synthetic=Synthetic(kind="pca", share=0.5)), "auto"),
    ],
)
@pytest.mark.fault("determinism", "a training in parts")
def test_a_training_that_goes_on_draws_as_if_it_had_not_stopped(policy: Policy, model: str, tmp_path: Path) -> None:
    """Dropout, the network's own random numbers, and which generated samples take the place of real ones."""
    setting = replace(small_task(), model=model)
    plan = replace(setting.plan(policy, 3), rungs=(0.5, 1.0), synthetic=samples(64, 9))
    whole, stopped, continued = train_to_end(plan), new_training(plan), new_training(plan)
    next(train(stopped, plan))
    save_training(stopped, tmp_path / "half.safetensors")
    assert load_training(continued, tmp_path / "half.safetensors")
    train_to_end(plan, continued)
    assert (stopped.steps, continued.steps) == (plan.steps // 2, plan.steps)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(continued.model.state_dict()[name], tensor), name


@pytest.mark.fault("storage", "a damaged checkpoint")
def test_a_damaged_checkpoint_is_as_none(tmp_path: Path) -> None:
    task = replace(small_task(), checkpoints=tmp_path)
    last(SCHEDULED, task, stop=0.5)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert last(SCHEDULED, task, start=0.5).score == last(SCHEDULED, small_task()).score


@pytest.mark.parametrize("target", ["torchvision", "kornia"])
def test_an_exported_schedule_replays(target: str) -> None:
    """In this process; that exported modules need no autoaug is shown in tests/conformance/."""
    module: dict[str, Any] = {"__name__": "exported"}
    exec(compile(export_policy(SCHEDULED, target), "exported", "exec"), module)  # the text under test
    images = torch.arange(48.0).view(3, 1, 4, 4) / 64
    transform, augment = SCHEDULED.transform(seed=7), module["Augment"](seed=7)
    for done in (0.0, 0.6, 0.9):
        transform.done = done
        module["set_progress"](done)
        np.testing.assert_allclose(augment(images).numpy(), transform(images).numpy(), atol=1e-4)
