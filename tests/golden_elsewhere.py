"""Pinned facts about sounds and clips, for `tests.test_golden`: plans, and what operators and policies make."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy
from tests.golden_policies import rounded
from tests.samples import clips, operators_of, tones


def coarse(values: Tensor) -> list[Any]:
    """Of each sample the means of the sizes in eight parts along its last axis, and its deviation. A clip's frames are
    told apart by weights.
    """
    if values.ndim == 5:
        values = (values * torch.linspace(1, 2, values.shape[1]).view(1, -1, 1, 1, 1)).flatten(1, 3)
    parts = [part.abs().flatten(1).mean(1) for part in values.double().tensor_split(8, dim=-1)]
    return rounded(torch.stack([*parts, values.double().flatten(1).std(1)], 1), 4)


def made_of(modality: str, given: Tensor) -> dict[str, Any]:
    """What every operator makes of four samples, and of the policies the plans and what they make."""
    made: dict[str, Any] = {}
    choice, uniforms = torch.zeros(1, 4).long(), torch.rand(1, 4, 4, generator=torch.Generator().manual_seed(3))
    operators = {name: own for name, own in sorted(operators_of(modality).items()) if not name.startswith("Dynamic")}
    for number, (name, operator) in enumerate(operators.items()):
        magnitude = torch.tensor([[0.2, 0.5, 0.8, -0.6 if operator.signed else 1.0]])
        made[f"{modality} {number}"] = coarse(apply_plan(Plan((name,), choice, magnitude, uniforms), given))
    for number, name in enumerate(get_modality(modality).baselines):
        plan = draw_plan(load_policy(name), 4, torch.Generator().manual_seed(7), modality)
        drawn = rounded([plan.choice, plan.magnitude, plan.uniforms.sum()], 5)
        made[f"{modality} policy {number}"] = [drawn, coarse(apply_plan(plan, given))]
    return made


def elsewhere() -> dict[str, Any]:
    """Those of sounds, some of them padded, and those of clips."""
    waves = tones(4, 2, 3000)
    waves[2:, :, 2000:] = 0
    return made_of("audio", waves) | made_of("video", clips(4, 3, 6, (16, 20)))
