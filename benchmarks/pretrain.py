"""The work of ``scripts/pretrain``, which describes it."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import Samples
from autoaug.errors import RunError
from autoaug.modalities.image.backbones import METADATA, Intake
from autoaug.modalities.image.models import Standardized
from autoaug.policy.loading import load_policy
from autoaug.training.checkpoint import load_training, save_training
from autoaug.training.device import one_thread, resolve_device
from autoaug.training.inference import predict
from autoaug.training.randomness import RandomState
from autoaug.training.recipe import Recipe
from autoaug.training.state import Training, TrainingPlan, new_training
from autoaug.training.tasks import Classification
from autoaug.training.train import train
from autoaug.utils.facts import record_facts
from autoaug.utils.files import replacing
from autoaug.utils.seeds import derive_seed
from benchmarks.provenance import provenance

POLICY = "flip-crop"
MODALITY = "image"


def load_part(data: Path, part: str, most: int | None = None) -> Samples:
    """The ``train`` or ``test`` part of an .npz of images, or its first `most` samples."""
    with np.load(data, allow_pickle=False) as file:
        images, labels = file[f"x_{part}"][:most], file[f"y_{part}"][:most]
    return Samples(MemoryInputs(np.ascontiguousarray(images.transpose(0, 3, 1, 2))), labels.astype(np.int64))


def plan_of(options: argparse.Namespace, model: str, samples: Samples, classes: int) -> TrainingPlan:
    """The training of one backbone; it pauses after each epoch."""
    return TrainingPlan(
        policy=load_policy(POLICY),
        model=model,
        task=Classification(classes),
        samples=samples,
        recipe=Recipe(epochs=options.epochs, batch_size=options.batch_size),
        seed=derive_seed(options.seed, "pretrain"),
        device=resolve_device(options.device),
        modality=MODALITY,
        rungs=[(epoch + 1) / options.epochs for epoch in range(options.epochs)],
    )


def pretrain(plan: TrainingPlan, state: Path, stop_after: int | None = None) -> Training | None:
    """Carry out the plan from the state in a file, which is written after each epoch; None if it was stopped after so
    many epochs of this call.
    """
    training = new_training(plan)
    load_training(training, state)
    with one_thread(plan.device), RandomState(derive_seed(plan.seed, "global"), plan.device):
        if training.steps < plan.steps:
            for number, reached in enumerate(train(training, plan), start=1):
                save_training(training, state)
                print(f"{state.stem}: {100 * reached:.0f} % of {plan.recipe.epochs} epochs", flush=True)
                if number == stop_after and reached < 1:
                    return None
    return training


def accuracy(training: Training, plan: TrainingPlan, test: Samples) -> float:
    """The accuracy in [0, 1] on test samples."""
    outputs = predict(training.result.to(plan.device), plan.task, test, plan.device, plan.modality)
    return float((plan.task.decide(outputs) == test.labels).mean())


def write_backbone(training: Training, path: Path, about: dict[str, object]) -> None:
    """Write the weights of the network, with how it takes images, and `about`, as a safetensors file."""
    model = training.result
    assert isinstance(model, Standardized)
    mean, std = (tuple(values.flatten().tolist()) for values in (model.mean, model.std))
    size = (32, 32)
    intake = Intake(size=size, mean=mean, std=std).plain()
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.network.state_dict().items()}
    with replacing(path) as unfinished:
        save_file(tensors, unfinished, {METADATA: json.dumps(intake), "about": json.dumps(about)})


def main(options: argparse.Namespace) -> None:
    """Pretrain the networks that are missing."""
    os.nice(10)
    options.out.mkdir(parents=True, exist_ok=True)
    train_part, test = load_part(options.data, "train", options.samples), load_part(options.data, "test")
    for model in options.models.split(","):
        path = options.out / f"{model.rpartition(':')[2]}.safetensors"
        if path.is_file():
            print(f"{path} is there; delete it to train it again")
            continue
        plan = plan_of(options, model, train_part, int(train_part.labels.max()) + 1)
        same = {"recipe": plan.recipe.model_dump(mode="json"), "seed": options.seed, "images": len(train_part)}
        try:
            record_facts(path.with_suffix(".facts.json"), same)
        except RunError as fault:
            raise SystemExit(f"error: {fault}") from None
        state = path.with_suffix(".state.safetensors")
        training = pretrain(plan, state, options.stop_after)
        if training is None:
            continue
        reached = accuracy(training, plan, test)
        write_backbone(training, path, {**provenance(vars(options)), "test_accuracy": reached})
        state.unlink(missing_ok=True)
        print(f"{path}: {100 * reached:.2f} % of {len(test)} test images", flush=True)
