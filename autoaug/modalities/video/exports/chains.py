"""The operations of an exported policy with blended chains (AugMix)."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import Table, draw_chains
from autoaug.modalities.video.exports.apply import apply_operations

LAYERS: Table = []
CHAINS: tuple[int, float] = (3, 1.0)


def augment_samples(clips: Tensor, generator: torch.Generator) -> Tensor:
    """Draw each clip's chains of operations, apply them, and blend them with the clip."""
    choice, magnitude, uniforms, blend = draw_chains(LAYERS, *CHAINS, len(clips), generator)
    weights = blend.to(clips)[:, :, None, None, None, None]
    steps = len(choice) // CHAINS[0]
    blended = weights[:, 0] * clips
    for chain in range(CHAINS[0]):
        part = slice(chain * steps, (chain + 1) * steps)
        blended = blended + weights[:, 1 + chain] * apply_operations(
            clips, choice[part], magnitude[part], uniforms[part]
        )
    return blended.clamp(0, 1)
