"""Pinned facts about policies, for `tests.test_golden`: draws, pixels and fingerprints."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from optuna.samplers import RandomSampler

from autoaug.data.splits import nested_rows
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.engine.transform import PolicyTransform
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import SearchOptions
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Adversarial, Mixing, Policy, Synthetic
from autoaug.search.sampling import sample_around, sample_policy, sample_shaped
from autoaug.search.space import load_space
from tests.conftest import write_npz
from tests.samples import operators_of, policies_of

#: Their places in this list are their names in the file.
SPACES = ("digits", "flat", "light", "regularized", "standard")


def mark(policy: Policy) -> str:
    """The fingerprint of the policy with its numbers rounded: the last digits of a logarithm depend on the machine."""
    return Policy.model_validate(rounded(policy.model_dump(mode="json", exclude_defaults=True))).fingerprint()


def rounded(value: Any, digits: int = 6) -> Any:
    """Plain JSON values with their floats rounded."""
    if isinstance(value, dict):
        return {key: rounded(part, digits) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part, digits) for part in value]
    if isinstance(value, torch.Tensor | np.ndarray | np.generic):
        return rounded(value.tolist(), digits)
    return round(value, digits) if isinstance(value, float) and math.isfinite(value) else value


def drawn(space: str, seed: int, draw: Callable[..., Policy] = sample_policy) -> tuple[Policy, list[list[float]]]:
    """A policy of the space, and each choice in the order of asking: what was taken, and of how much."""
    trial = optuna.create_study(sampler=RandomSampler(seed=seed)).ask()
    policy = draw(load_space(space), trial)
    asked = [(trial.distributions[name], value) for name, value in trial.params.items()]
    return policy, [
        [d.to_internal_repr(value), *((d.low, d.high) if hasattr(d, "low") else (len(d.choices),))]
        for d, value in asked
    ]


def policies() -> dict[str, Policy]:
    """The published policies, and some of two spaces."""
    own = {f"{k}-{seed}": drawn(SPACES[k], seed)[0] for k in (3, 4) for seed in range(6)}
    mixed = {f"mix-{kind}": load_policy("flip-crop") + Policy(mixing=Mixing(kind=kind)) for kind in ("mixup", "cutmix")}
    return policies_of() | own | mixed


def plans() -> dict[str, Any]:
    """Of a plan for 64 samples the choices, their signed magnitudes, and the rest for the first eight samples."""
    made = {}
    for name, policy in policies().items():
        plan = draw_plan(policy, 64, torch.Generator().manual_seed(7))
        rest = [plan.tensors().get(name) for name in ("blend", "mode", "partner", "weight", "place")]
        whole = [plan.choice, plan.magnitude, plan.uniforms.sum(), plan.uniforms[:, :8].flatten()]
        made[name] = rounded([len(plan), *whole, *(None if part is None else part[:8] for part in rest)], 5)
    return made


def pictures(channels: int) -> torch.Tensor:
    """Ramps, squares and noise, uint8 ``[4, channels, 64, 64]``: no two quarters of an image look alike."""
    draw = np.random.default_rng(channels)
    ramp = np.linspace(20, 150, 64)[None, None, :, None] + np.linspace(0, 60, 64)[None, None, None, :]
    images = ramp + draw.integers(0, 30, (4, channels, 64, 64)) + 10 * np.arange(channels)[None, :, None, None]
    for k, image in enumerate(images):
        image[:, 8 + 5 * k : 24 + 5 * k, 10:26] = [[[230]], [[60]], [[15]]][:channels]
    return torch.from_numpy(images.clip(0, 255).astype(np.uint8))


def coarse(images: torch.Tensor) -> list[Any]:
    """Of each image the means of its quarters and its deviation, in units of the range of pixels."""
    pixels = images.double() / 255
    quarters = pixels.unflatten(2, (2, 32)).unflatten(4, (2, 32)).mean((1, 3, 5)).flatten(1)
    return rounded(torch.cat([quarters, pixels.flatten(1).std(1, keepdim=True)], 1), 4)


def pixels() -> dict[str, Any]:
    """Pictures, RGB and gray, under the policies and under every operator, and what mixing makes of labels."""
    made: dict[str, Any] = {}
    for channels in (3, 1):
        images, labels = pictures(channels), torch.arange(4)
        for name, policy in policies().items():
            augmented, soft = PolicyTransform(policy, seed=5, num_classes=4, backend="torch")(images, labels)
            made[f"{name} {channels}"] = [coarse(augmented), rounded(soft, 4)]
        choice, uniforms = torch.zeros(1, 4).long(), torch.rand(1, 4, 4, generator=torch.Generator().manual_seed(3))
        for number, (name, operator) in enumerate(sorted(operators_of().items())):
            magnitude = torch.tensor([[0.2, 0.5, 0.8, -0.6 if operator.signed else 1.0]])
            made[f"{number} {channels}"] = coarse(apply_plan(Plan((name,), choice, magnitude, uniforms), images))
    return made


def fingerprints() -> dict[str, Any]:
    """Of policies, of data and their splits, and what a study notes that all its trials depend on."""
    special = [
        Policy(copies=3),
        Policy(adversarial=Adversarial(kind="pgd", steps=3)),
        Policy(adversarial=Adversarial(kind="magnitudes", epsilon=0.25)),
        Policy(synthetic=Synthetic(kind="pca", share=0.5)),
        load_policy("flip-crop") + load_policy("randaugment"),
    ]
    made: dict[str, Any] = {
        "published": [policy.fingerprint() for policy in policies_of().values()],
        "special": [policy.fingerprint() for policy in special],
        "drawn": [mark(policy) for policy in policies().values()],
    }
    with tempfile.TemporaryDirectory() as folder:
        for data in ("digits", str(write_npz(Path(folder) / "bars.npz"))):
            options = SearchOptions(data, trials=3, seeds=2, seed=4, device="cpu", workers=1)
            config, split, _ = prepare(options)
            parts = (split.train, split.validation, split.test)
            facts = [list(v.values()) if isinstance(v, dict) else v for v in config.facts().values()]
            made[Path(data).stem] = [
                [split.fingerprint, split.train_fingerprint, split.is_exchangeable],
                [[len(part), int(part.labels @ np.arange(len(part)))] for part in parts],
                [int(part.inputs.take(np.arange(len(part))).astype(np.int64).sum()) for part in parts],
                [int(nested_rows(split.train.labels, share, 9).sum()) for share in (0.1, 0.25, 0.5)],
                sorted(map(json.dumps, facts)),
            ]
    return made


def choices() -> dict[str, Any]:
    """What the spaces ask of a sampler, in which order: it is what makes a seed give the same policies."""
    known = {name: load_policy(name) for name in ("randaugment", "trivialaugment")}
    ways: dict[str, Callable[..., Policy]] = {
        "all": sample_policy,
        "few": lambda space, suggest: sample_shaped(space, suggest, known),
        "near": lambda _, suggest: sample_around(known["trivialaugment"], suggest),
    }
    made = {}
    for (way, draw), number, seed in ((w, n, s) for w in ways.items() for n in range(len(SPACES)) for s in range(4)):
        policy, asked = drawn(SPACES[number], seed, draw)
        made[f"{way} {number} {seed}"] = [mark(policy), rounded(asked)]
    return made
