"""The operations of an exported policy with consecutive layers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autoaug.functional.sampling import Table, draw_operations

LAYERS: Table = []
#: Applies drawn operations to samples; an exported module has its modality's.
apply_operations: Callable[..., Tensor]


def augment_samples(samples: Tensor, generator: torch.Generator) -> Tensor:
    """Draw each sample's operations, and apply them."""
    return apply_operations(samples, *draw_operations(LAYERS, len(samples), generator))
