"""The gallery of all registered operators."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from autoaug.data.inputs import MemoryInputs
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.modalities.operators import UNIFORMS, Operator, all_operators, learned_from
from autoaug.modalities.registry import all_modalities
from autoaug.report.operators import DrawnModality, DrawnOperator, write_operators_page
from autoaug.utils.files import check_no_folder


def write_gallery(path: Path) -> None:
    """Write an HTML page that shows every operator at five magnitudes on the examples of its modality. Modalities
    without examples are left out, and so are operators that have nothing to work with here.
    """
    check_no_folder(path)  # before the pictures are drawn
    ordered = sorted(all_operators().values(), key=lambda o: (o.family, o.name))
    drawn = {}
    for modality in all_modalities().values():
        examples = modality.examples()
        if examples is not None:
            left_out = modality.lacking()
            own = [o for o in ordered if o.modality == modality.name and o.name not in left_out]
            drawn[modality.name] = DrawnModality(examples, [draw_operator(operator, examples) for operator in own])
    write_operators_page(path, drawn)


def draw_operator(operator: Operator, samples: np.ndarray) -> DrawnOperator:
    """Apply the operator at five magnitudes to samples ``[n, ...]`` in storage format."""
    magnitudes = [-1.0, -0.5, 0.25, 0.5, 1.0] if operator.signed else [0.2, 0.4, 0.6, 0.8, 1.0]
    n, generator = len(samples), torch.Generator().manual_seed(1)
    uniforms = torch.rand(1, n, UNIFORMS, generator=generator).repeat(1, len(magnitudes), 1)
    magnitude = torch.tensor(magnitudes).repeat_interleave(n)[None]
    plan = Plan((operator.name,), torch.zeros(magnitude.shape, dtype=torch.long), magnitude, uniforms)
    plan = replace(plan, learned=learned_from(MemoryInputs(samples), [operator.name]))
    shown = apply_plan(plan, torch.from_numpy(np.concatenate([samples] * len(magnitudes)))).numpy()
    drawn = shown.reshape(len(magnitudes), *samples.shape)
    return DrawnOperator(operator, [f"{one * operator.limit:+.3g}" for one in magnitudes], drawn)
