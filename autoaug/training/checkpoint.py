"""Checkpoints: partial trainings, to be continued, and the weights of complete ones."""

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
    """The checkpoint of a training of `policy` with `seed` that stopped at the fraction `stop` of full length. What the
    policy does after that does not affect the path.
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
    """Write the weights of a trained model, for probes; a cache, as in `save_training`."""
    _save(training.result.state_dict(), path)


def save_training(training: Training, path: Path) -> None:
    """Write the state that `training` continues from: weights, their average, the state of the optimizer, steps and
    generator state. It is only a cache: if it cannot be written (on a node without the run folder), the training is
    repeated later. A full disk is still an error, because the run should pause then.
    """
    tensors = {f"model.{name}": tensor for name, tensor in training.model.state_dict().items()}
    if training.averaged is not None:
        tensors |= {f"averaged.{name}": tensor for name, tensor in training.averaged.state_dict().items()}
    tensors |= {f"optimizer.{name}": tensor for name, tensor in training.optimizer.items()}
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
    """Copies on the host: a safetensors file holds no tensors that share memory, as tied weights do."""
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()
    }


def weights_file(training: Training, policy: Policy, seed: int) -> bytes:
    """The weights of a trained model as the content of ``model.safetensors``, with the policy and seed as metadata."""
    return save(_plain(training.result.state_dict()), _owner(policy, seed))


def has_weights(path: Path, policy: Policy, seed: int) -> bool:
    """Whether `path` is an intact file with the weights of the training of `policy` with `seed`."""
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
    """Restore the new `training` from the file at `path`; return whether there is an intact one."""
    if not path.is_file():
        return False
    try:
        tensors = load_file(path)
        steps, drawn = int(tensors["steps"]), tensors["drawn"]
        for kind, model in (("model", training.model), ("averaged", training.averaged)):
            if model is not None:
                model.load_state_dict(_of(kind, tensors))
        training.steps, training.drawn, training.optimizer = steps, drawn, _of("optimizer", tensors)
    except (SafetensorError, OSError, KeyError, RuntimeError):
        return False
    return True


def _of(kind: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a kind, without the kind in their names."""
    prefix = f"{kind}."
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def load_weights(training: Training, path: Path) -> bool:
    """Load the weights at `path` into the result of the new `training`; return whether there are any that fit."""
    if not path.is_file():
        return False
    try:
        training.result.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError):
        return False
    return True
