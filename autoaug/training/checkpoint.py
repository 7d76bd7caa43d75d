"""Trainings as files: one that stopped on the way, to be continued, and the weights of one that is whole."""

from __future__ import annotations

import hashlib
import itertools
import json
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save, save_file
from torch import Tensor

from autoaug.errors import full_disk
from autoaug.policy.models import Policy
from autoaug.training.state import Training


def checkpoint_path(folder: Path, policy: Policy, data_fraction: float, seed: int, stop: float) -> Path:
    """Where the training of `policy` with `seed` is kept that stopped when a share `stop` of
    its length was done: what the policy does later makes no other file.
    """
    bounds = (0.0, *policy.bounds())
    done = [
        (min(end, stop), [layer.model_dump(mode="json") for layer in policy.at(begin).layers])
        for begin, end in itertools.pairwise(bounds)
        if begin < stop
    ]
    rest = policy.model_dump(mode="json", exclude={"name", "layers", "schedule"})
    text = json.dumps([done, rest, data_fraction, seed], sort_keys=True)
    return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.safetensors"


def save_weights(training: Training, path: Path) -> None:
    """Write the weights of a model that is trained, for others to look at; a cache, as in `save_training`."""
    _save(training.model.state_dict(), path)


def save_training(training: Training, path: Path) -> None:
    """Write what `training` continues from: weights, momentum, steps and the state of its generator. It is a cache:
    where it cannot be written (a node without the run folder), it will be trained again instead. That the disk is
    full is an error all the same, for the run is to wait for room.
    """
    tensors = {f"model.{name}": tensor for name, tensor in training.model.state_dict().items()}
    tensors |= {f"momentum.{i}": tensor for i, tensor in enumerate(training.momentum)}
    tensors |= {"steps": torch.tensor(training.steps), "drawn": training.drawn}
    _save(tensors, path)


def _save(tensors: dict[str, Tensor], path: Path) -> None:
    unfinished = path.with_suffix(f".{uuid4().hex}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(_plain(tensors), unfinished)
        unfinished.replace(path)
    except (OSError, SafetensorError) as fault:
        with suppress(OSError):
            unfinished.unlink()
        if full_disk(fault):
            raise


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def weights_file(training: Training, policy: Policy, seed: int) -> bytes:
    """The weights of a model that is trained, as the content of ``model.safetensors``, which says whose they are."""
    return save(_plain(training.model.state_dict()), _owner(policy, seed))


def has_weights(path: Path, policy: Policy, seed: int) -> bool:
    """Whether the file at `path` is there, is whole, and has the weights of the training of `policy` with `seed`."""
    if not path.is_file():
        return False
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {}) == _owner(policy, seed)
    except (OSError, SafetensorError):
        return False


def _owner(policy: Policy, seed: int) -> dict[str, str]:
    return {"policy": policy.fingerprint(), "seed": str(seed)}


def load_training(training: Training, path: Path) -> bool:
    """Bring the fresh `training` to where the file at `path` left off; returns whether there is a whole one."""
    if not path.is_file():
        return False
    try:
        tensors = load_file(path)
        model = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
        training.model.load_state_dict(model)
        count = sum(name.startswith("momentum.") for name in tensors)
        training.momentum = [tensors[f"momentum.{i}"] for i in range(count)]
        training.steps, training.drawn = int(tensors["steps"]), tensors["drawn"]
    except (SafetensorError, OSError, KeyError, RuntimeError):
        return False
    return True


def load_weights(training: Training, path: Path) -> bool:
    """Give the model of the fresh `training` the weights at `path`; returns whether there are any that fit."""
    if not path.is_file():
        return False
    try:
        training.model.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError):
        return False
    return True
