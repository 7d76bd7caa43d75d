"""Pinned facts about texts and pairs, for `tests.test_golden`: plans, and what operators make. Synonyms depend on what
is installed, so what they make is not pinned.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoaug.data.inputs import MemoryInputs
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.modalities.operators import learned_from
from autoaug.modalities.registry import get_modality
from autoaug.modalities.text.tokens import SPACED, as_rows, tokenized, words_of
from autoaug.policy.loading import load_policy
from tests.golden_policies import rounded
from tests.modalities.translation.pairs import pairs
from tests.samples import operators_of

_TEXTS = (
    "The company said prices rose quickly last year. Analysts did not expect that! Could their new plan help here?",
    "Don't panic: U.S. shares fell 3.5% (see the naïve café report). It is over.",
    "नमस्ते दुनिया, यह एक अच्छा दिन है। مرحبا بالعالم، هذا يوم جميل",
    "A 👩‍👩‍👧 and a 🇩🇪 went to the market with four knights",
)


def digests(made: Tensor) -> list[int]:
    """A number per sample, which differs if any of its words does."""
    rows = made.flatten(0, -3).numpy() if made.ndim > 3 else made.numpy()
    each = np.array_split(rows, len(made))
    return [zlib.crc32("\n".join(map(_written, own)).encode()) for own in each]


def _written(row: np.ndarray) -> str:
    """The words and pieces of a row, with the spaces that they have."""
    return "".join(" " * (flags & SPACED) + word for word, flags in words_of(row)).strip()


def made_of(modality: str, given: Tensor) -> dict[str, Any]:
    """What every operator makes of four samples, the plans of the policies, and what mixing makes."""
    made: dict[str, Any] = {}
    choice, uniforms = torch.zeros(1, 4).long(), torch.rand(1, 4, 4, generator=torch.Generator().manual_seed(3))
    learning = {name for name, operator in operators_of(modality).items() if operator.learns}
    alike = sorted(name for name in operators_of(modality) if "Synonym" not in name and name not in learning)
    for number, name in enumerate([*alike, *sorted(learning)]):
        magnitude = torch.tensor([[0.2, 0.5, 0.8, 1.0]])
        learned = learned_from(MemoryInputs(given.numpy()), [name])
        made[f"{modality} {number}"] = digests(
            apply_plan(Plan((name,), choice, magnitude, uniforms, learned=learned), given)
        )
    for number, name in enumerate(get_modality(modality).baselines):
        plan = draw_plan(load_policy(name), 4, torch.Generator().manual_seed(7), modality)
        made[f"{modality} policy {number}"] = rounded([plan.choice, plan.magnitude, plan.uniforms.sum()], 5)
        if plan.mix is not None:
            made[f"{modality} mixed {number}"] = digests(apply_plan(plan, given))
    return made


def texts() -> dict[str, Any]:
    """Those of texts, and those of pairs."""
    rows = torch.from_numpy(as_rows([tokenized(text) for text in _TEXTS], 40))
    return made_of("text", rows) | made_of("translation", pairs(4, 40))
