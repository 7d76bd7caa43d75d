"""The operations of an exported policy with consecutive layers."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import Table, draw_operations
from autoaug.modalities.audio.exports.apply import apply_operations

LAYERS: Table = []


def augment_samples(waves: Tensor, generator: torch.Generator) -> Tensor:
    """Draw each waveform's operations, and apply them."""
    return apply_operations(waves, *draw_operations(LAYERS, len(waves), generator))
