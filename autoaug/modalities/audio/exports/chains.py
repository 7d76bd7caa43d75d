"""The operations of an exported policy with blended chains (AugMix)."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import Table, draw_chains
from autoaug.modalities.audio.exports.apply import apply_operations

LAYERS: Table = []
CHAINS: tuple[int, float] = (3, 1.0)


def augment_samples(waves: Tensor, generator: torch.Generator) -> Tensor:
    """Draw each waveform's chains of operations, apply them, and blend them with the waveform."""
    choice, magnitude, uniforms, blend = draw_chains(LAYERS, *CHAINS, len(waves), generator)
    weights = blend.to(waves)[:, :, None, None]
    steps = len(choice) // CHAINS[0]
    blended = weights[:, 0] * waves
    for chain in range(CHAINS[0]):
        part = slice(chain * steps, (chain + 1) * steps)
        blended = blended + weights[:, 1 + chain] * apply_operations(
            waves, choice[part], magnitude[part], uniforms[part]
        )
    return blended.clamp(-1, 1)
