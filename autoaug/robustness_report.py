"""How robust a model is that a run kept, or that was exported from one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from autoaug.errors import OptionError, RunError
from autoaug.modalities.image.models import Standardised, build_model
from autoaug.options import at_least, one_of, parse_memory
from autoaug.policy import Adversarial
from autoaug.prepare import check_data
from autoaug.run_folder import RunFolder
from autoaug.training.device import resolve_device
from autoaug.training.robustness import Robustness, measure


def robustness_of(
    data: str,
    model: Path,
    epsilon: float,
    norm: str,
    steps: int,
    images: int,
    seed: int,
    device: str,
    allow: Sequence[str] = (),
) -> Robustness:
    """Measure the weights ``model.safetensors`` in the folder `model` on the test split of `data`.

    Raises:
        OptionError: an option is out of range.
        RunError: there are no weights, or they are of another network.
        DataError: the data cannot be used.
    """
    at_least("images", images, 1)
    one_of("norm", norm, ("linf", "l2"))
    try:
        how = Adversarial(kind="pgd", norm="l2" if norm == "l2" else "linf", epsilon=epsilon, steps=steps)
    except ValidationError as fault:
        reason = fault.errors()[0]
        raise OptionError(f"--{reason['loc'][0] if reason['loc'] else 'epsilon'}: {reason['msg']}") from None
    chosen, path = resolve_device(device), model / "model.safetensors"
    if not path.is_file():
        raise RunError(
            f"{model} has no model.safetensors; name a finished run, or what autoaug export --to model wrote"
        )
    _, found = check_data(data, parse_memory(None), None, allow, seed)
    trained = _load(path, _network(model), found.train.images.shape, len(found.classes)).to(chosen).eval()
    rows = np.linspace(0, len(found.test) - 1, min(images, len(found.test))).astype(np.int64)
    return measure(trained, found.test, rows, len(found.classes), chosen, how)


def _network(model: Path) -> str:
    """Which network the weights in a run folder, or in an exported one, are of."""
    if (model / "model.json").is_file():
        return str(json.loads((model / "model.json").read_text())["network"])
    return RunFolder.open(model)[1].model


def _load(path: Path, network: str, shape: tuple[int, int, int], classes: int) -> Standardised:
    blank = torch.zeros(shape[0])
    model = build_model(network, shape, classes, blank, blank, seed=0)
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as fault:
        reason = str(fault).strip().splitlines()[0]
        raise RunError(f"{path} is damaged, or of another network or other data ({reason})") from None
    return model
