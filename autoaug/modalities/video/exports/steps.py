"""The operations of an exported policy with consecutive layers."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import Table, draw_operations
from autoaug.modalities.video.exports.apply import apply_operations

LAYERS: Table = []


def augment_samples(clips: Tensor, generator: torch.Generator) -> Tensor:
    """Draw each clip's operations, and apply them."""
    return apply_operations(clips, *draw_operations(LAYERS, len(clips), generator))
