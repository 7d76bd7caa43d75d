"""A training that stopped on the way, as a file that it is continued from: a cache, since it can be trained again."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from uuid import uuid4

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from autoaug.policy import Policy
from autoaug.training.train import Training


def checkpoint_path(folder: Path, policy: Policy, share: float, seed: int, until: float) -> Path:
    """Where the training of `policy` with `seed` is kept that stopped when a share `until` of
    its length was done: what the policy does later makes no other file.
    """
    bounds = (0.0, *policy.bounds())
    done = [
        (min(end, until), [layer.model_dump(mode="json") for layer in policy.at(begin).layers])
        for begin, end in itertools.pairwise(bounds)
        if begin < until
    ]
    rest = policy.model_dump(mode="json", exclude={"name", "layers", "schedule"})
    text = json.dumps([done, rest, share, seed], sort_keys=True)
    return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.safetensors"


def save_weights(training: Training, path: Path) -> None:
    """Write the weights of a model that is trained, as ``model.safetensors`` of an export has them; likewise."""
    _save(training.model.state_dict(), path)


def save_training(training: Training, path: Path) -> None:
    """Write what `training` continues from: weights, momentum, steps and the state of its generator. Where that cannot
    be written (a node without the run folder, a full disk), it will be trained again instead.
    """
    tensors = {f"model.{name}": tensor for name, tensor in training.model.state_dict().items()}
    tensors |= {f"momentum.{i}": tensor for i, tensor in enumerate(training.momentum)}
    tensors |= {"steps": torch.tensor(training.steps), "drawn": training.drawn}
    _save(tensors, path)


def _save(tensors: dict[str, Tensor], path: Path) -> None:
    unfinished = path.with_suffix(f".{uuid4().hex}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, unfinished)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)


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
