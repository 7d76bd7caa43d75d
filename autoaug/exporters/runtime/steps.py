"""The operations of an exported policy whose layers follow one another."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.exporters.runtime.apply import apply_operations
from autoaug.functional.sampling import Table, draw_operations

LAYERS: Table = []


def augment_images(images: Tensor, generator: torch.Generator) -> Tensor:
    """Draw each image's operations, and apply them."""
    return apply_operations(images, *draw_operations(LAYERS, len(images), generator))
