"""The operations of an exported policy with blended chains (AugMix)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autoaug.functional.sampling import Table, draw_chains

LAYERS: Table = []
CHAINS: tuple[int, float] = (3, 1.0)
BOUNDS: tuple[float, float] = (0.0, 1.0)
#: Applies drawn operations to samples; an exported module has its modality's.
apply_operations: Callable[..., Tensor]


def augment_samples(samples: Tensor, generator: torch.Generator) -> Tensor:
    """Draw each sample's chains of operations, apply them, and blend them with the sample."""
    choice, magnitude, uniforms, blend = draw_chains(LAYERS, *CHAINS, len(samples), generator)
    weights = blend.to(samples).view(*blend.shape, *(1,) * (samples.ndim - 1))
    steps = len(choice) // CHAINS[0]
    blended = weights[:, 0] * samples
    for chain in range(CHAINS[0]):
        own = (drawn[chain * steps : (chain + 1) * steps] for drawn in (choice, magnitude, uniforms))
        augmented = apply_operations(samples, *own)
        blended = blended + weights[:, 1 + chain] * augmented
    return blended.clamp(*BOUNDS)
