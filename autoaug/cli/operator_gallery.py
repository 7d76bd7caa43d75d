"""The registered operators, as rows and in pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_sample_images
from torch import Tensor

from autoaug.engine.plan import Plan
from autoaug.engine.transform import apply_plan
from autoaug.modalities.operators import Operator, all_operators
from autoaug.report.operators import Strip, write_operators_page

_SIDE = 80


def rows() -> list[dict[str, Any]]:
    """Each operator's name, modality, family, sign, range of values and unit, in the order of the families."""
    ordered = sorted(all_operators().values(), key=lambda o: (o.modality, o.family, o.name))
    return [
        {
            "name": o.name,
            "modality": o.modality,
            "family": o.family,
            "signed": o.signed,
            "range": [-o.limit if o.signed else 0.0, o.limit],
            "unit": o.unit,
            "summary": o.summary,
        }
        for o in ordered
    ]


def write_gallery(path: Path) -> None:
    """Write an HTML page that shows every sample operator at five magnitudes, on scikit-learn's photographs."""
    inputs = torch.from_numpy(sample_images())
    strips = [draw_strip(all_operators()[row["name"]], row, inputs) for row in rows() if row["modality"] == "image"]
    write_operators_page(path, inputs.numpy(), strips)


def draw_strip(operator: Operator, row: dict[str, Any], inputs: Tensor) -> Strip:
    """The operator at five magnitudes on uint8 samples ``[n, C, H, W]``."""
    magnitudes = [-1.0, -0.5, 0.25, 0.5, 1.0] if operator.signed else [0.2, 0.4, 0.6, 0.8, 1.0]
    n, generator = len(inputs), torch.Generator().manual_seed(1)
    choice, uniforms = torch.zeros(1, n, dtype=torch.long), torch.rand(1, n, 4, generator=generator)
    plans = [Plan((operator.name,), choice, torch.full((1, n), magnitude), uniforms) for magnitude in magnitudes]
    drawn = np.stack([apply_plan(plan, inputs).numpy() for plan in plans])
    return Strip(row, [f"{magnitude * operator.limit:+.3g}" for magnitude in magnitudes], drawn)


def sample_images() -> np.ndarray:
    """Squares of the two photographs that come with scikit-learn, uint8 ``[2, 3, 80, 80]``."""
    squares = []
    for photograph, (top, left, side) in zip(load_sample_images().images, [(0, 60, 420), (40, 130, 384)], strict=True):
        square = torch.from_numpy(photograph[top : top + side, left : left + side].transpose(2, 0, 1).copy()).float()
        small = torch.nn.functional.interpolate(square[None], (_SIDE, _SIDE), mode="area")
        squares.append(small[0].round().byte().numpy())
    return np.stack(squares)
