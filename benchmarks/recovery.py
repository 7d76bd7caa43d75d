"""The work of ``scripts/bench_recovery``, which describes it."""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

import autoaug
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.search.strategies import STRATEGIES
from benchmarks import ablation, gap
from benchmarks.command import names
from benchmarks.planting import planted
from benchmarks.results import Results


def shift(*operations: tuple[str, float, float]) -> Policy:
    """The oracle that applies these operators in turn, each with its lowest and highest magnitude."""
    return Policy(
        name="oracle",
        layers=in_turn(*(Operation(operator=name, magnitude=(low, high)) for name, low, high in operations)),
    )


ROTATION = ("Rotate", 0.0, 0.25)
LIGHT = (("Contrast", 0.0, 0.8), ("Brightness", 0.0, 0.5))
BLUR = ("GaussianBlur", 0.4, 1.0)
OCCLUSION = ("Cutout", 0.4, 0.8)
#: Rotation by up to 45 degrees, translation by up to a fifth, and so on. Two are mixtures; the last is no shift.
PLANTS = {
    "rotation": shift(ROTATION),
    "translation": shift(("TranslateX", 0.0, 0.2), ("TranslateY", 0.0, 0.2)),
    "light": shift(*LIGHT),
    "blur": shift(BLUR),
    "noise": shift(("GaussianNoise", 0.3, 0.8)),
    "occlusion": shift(OCCLUSION),
    "rotation+contrast": shift(ROTATION, LIGHT[0]),
    "blur+occlusion": shift(OCCLUSION, BLUR),
    "nothing": shift(),
}


def through(policy: Policy, images: np.ndarray, seed: int) -> np.ndarray:
    """Apply the policy once to images uint8 ``[n, H, W, C]``."""
    clean = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    moved = apply_plan(draw_plan(policy, len(clean), torch.Generator().manual_seed(seed)), clean)
    return (moved * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def recovery(options: argparse.Namespace, plant: str, strategy: str, seed: int) -> dict[str, object]:
    """Search on planted data, and measure how much of the gap was closed."""
    oracle_policy = PLANTS[plant]
    common: dict[str, Any] = {"seed": seed, "seeds": options.seeds, "allow": ("leak", "conflict")}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "planted.npz")
        np.savez(data, **planted(options.data, 0, partial(through, oracle_policy)))
        result = autoaug.search(
            data, strategy=strategy, budget=options.budget, finalists=1, out=f"{folder}/search", **common
        )
        others = ["none", oracle_policy if oracle_policy.layers else "flip-crop"]
        known = autoaug.compare(data, others, out=f"{folder}/oracle", **common)
    none, oracle = (known.candidate(name).mean for name in ("none", "oracle" if oracle_policy.layers else "none"))
    return {
        "strategy": strategy,
        "seed": seed,
        "planted": oracle_policy.operator_names(),
        **gap.closed(result, none, oracle),
        "trials": len(result.history),
        "search seconds": result.cost.search_seconds,
    }


def main(options: argparse.Namespace) -> None:
    """Run the missing searches."""
    ablation.register()
    plants = names(options.plants, PLANTS, "plant")
    strategies = names(options.strategies, STRATEGIES, "strategy")
    results = Results(options.out, vars(options), fixed=("seeds",))
    for seed, plant, strategy in product(range(options.runs), plants, strategies):
        key = f"{options.data.stem}/{plant}/{strategy}/{options.budget}/{seed}"
        if results.once(results.items, key, partial(recovery, options, plant, strategy, seed)):
            print(f"{key}: {gap.in_words(results.items[key])}", flush=True)
