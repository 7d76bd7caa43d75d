"""The registered operators in pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from autoaug.engine.plan import Plan
from autoaug.engine.transform import apply_plan
from autoaug.errors import OptionError
from autoaug.modalities.operators import Operator, all_operators
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.listings import OperatorRow, operator_rows
from autoaug.report.operators import Strip, write_operators_page


def write_gallery(path: Path) -> None:
    """Write an HTML page that shows every operator of the first modality at five magnitudes on its examples; raises
    `OptionError` where it has none.
    """
    modality = get_modality()
    examples = modality.examples()
    if examples is None:
        raise OptionError(f"--gallery {path}: the modality {modality.name} has no examples to show operators on")
    rows = [row for row in operator_rows() if row.modality == modality.name]
    strips = [draw_strip(all_operators()[row.name], row, torch.from_numpy(examples)) for row in rows]
    write_operators_page(path, examples, strips)


def draw_strip(operator: Operator, row: OperatorRow, inputs: Tensor) -> Strip:
    """The operator at five magnitudes on stored samples ``[n, ...]``."""
    magnitudes = [-1.0, -0.5, 0.25, 0.5, 1.0] if operator.signed else [0.2, 0.4, 0.6, 0.8, 1.0]
    n, generator = len(inputs), torch.Generator().manual_seed(1)
    choice, uniforms = torch.zeros(1, n, dtype=torch.long), torch.rand(1, n, 4, generator=generator)
    plans = [Plan((operator.name,), choice, torch.full((1, n), magnitude), uniforms) for magnitude in magnitudes]
    drawn = np.stack([apply_plan(plan, inputs).numpy() for plan in plans])
    return Strip(vars(row), [f"{magnitude * operator.limit:+.3g}" for magnitude in magnitudes], drawn)
