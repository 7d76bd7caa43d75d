"""What the same seed must give whatever is moved or renamed: plans, pixels, fingerprints, trials and verdicts.

``tests/golden.json`` was written before the modules moved into rooms, by ``python -m tests.test_golden --write``. It is
written anew only where behavior is meant to change, and the change's message says so. Its keys and values name nothing
that the code names, so that names can change. Nothing in it comes from a training, and numbers are compared within
tolerances, so that it holds on any CPU. Policies stand in it by their marks (see `mark`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.golden_elsewhere import elsewhere
from tests.golden_policies import choices, fingerprints, pixels, plans
from tests.golden_search import proposals, verdicts
from tests.golden_texts import texts

GOLDEN = Path(__file__).parent / "golden.json"
#: What is pinned, and how far numbers may differ.
PINNED: dict[str, tuple[Callable[[], dict[str, Any]], float]] = {
    "plans": (plans, 2e-5),
    "pixels": (pixels, 2e-3),
    "fingerprints": (fingerprints, 0.0),
    "proposals": (proposals, 2e-6),
    "verdicts": (verdicts, 2e-6),
    "choices": (choices, 2e-6),
    "elsewhere": (elsewhere, 2e-3),
    "texts": (texts, 1e-5),
}


def differences(made: Any, golden: Any, tolerance: float, where: str = "") -> list[str]:
    """Where two JSON values differ: floats by more than the tolerance, all else at all."""
    if isinstance(golden, dict) and isinstance(made, dict) and made.keys() == golden.keys():
        return [d for key in golden for d in differences(made[key], golden[key], tolerance, f"{where}/{key}")]
    if isinstance(golden, list) and isinstance(made, list) and len(made) == len(golden):
        pairs = enumerate(zip(made, golden, strict=True))
        return [d for i, (one, other) in pairs for d in differences(one, other, tolerance, f"{where}/{i}")]
    if isinstance(golden, float) and isinstance(made, float):
        return [] if abs(made - golden) <= tolerance else [f"{where}: {made}, not {golden}"]
    return [] if type(made) is type(golden) and made == golden else [f"{where}: {made!r:.80}, not {golden!r:.80}"]


@pytest.mark.parametrize(
    "what", [pytest.param(name, marks=pytest.mark.slow if name == "proposals" else ()) for name in PINNED]
)
@pytest.mark.fault("determinism", "the numbers of earlier versions")
def test_the_same_seed_gives_what_it_always_gave(what: str) -> None:
    make, tolerance = PINNED[what]
    differing = differences(json.loads(json.dumps(make())), json.loads(GOLDEN.read_text())[what], tolerance, what)
    assert not differing, f"{len(differing)} values differ, first {differing[:3]}"


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    torch.set_num_threads(1)
    lines = [f'"{what}": {json.dumps(make(), separators=(",", ":"))}' for what, (make, _) in PINNED.items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
