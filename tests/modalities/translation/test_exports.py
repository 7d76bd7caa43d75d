"""Exported policies for pairs give the same pairs, in a fresh process with Python alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.errors import PolicyError
from autoaug.exporters import export_policy
from autoaug.modalities.translation import values
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Operation, Policy, in_turn
from tests.modalities.text.test_exports import drawn
from tests.modalities.translation.pairs import PAIRS

GIVEN = [(source, target, f"back {target}") for source, target in PAIRS for _ in range(12)]
OWN = ("WordDropout", "LocalShuffle", "BackTranslation", "TargetCopy", "SourceWordSwap", "SourceSynonymReplacement")
EVERYTHING = Policy(name="all", layers=in_turn(*(Operation(operator=name, magnitude=(0, 1)) for name in OWN)))

RUN = """
import json, sys
sys.path.insert(0, ".")
import policy
given = json.load(open("given.json"))
whole = policy.Augment(seed=1)(given["pairs"])
assert whole == policy.Augment(seed=1)(given["pairs"]) and len(whole) == len(given["pairs"])
assert not {"torch", "autoaug", "numpy"} & set(sys.modules), "the module imports too much"
json.dump(policy.apply_to_pairs(given["pairs"], given["drawn"]), open("made.json", "w"))
"""


def ours(plan: Plan) -> list[tuple[str, ...]]:
    batch, _, back = values.opened(GIVEN)
    made: list[tuple[str, ...]] = back(apply_plan(plan, batch))
    return made


@pytest.mark.parametrize("name", OWN)
def test_every_operator_replays(name: str) -> None:
    policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(0, 1))))
    plan = draw_plan(policy, len(GIVEN), torch.Generator().manual_seed(1))
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(export_policy(policy, "python"), "exported", "exec"), namespace)  # the text under test
    made = ours(plan)
    assert made != GIVEN
    assert namespace["apply_to_pairs"](GIVEN, drawn(plan)) == made


def test_modules_replay_in_a_fresh_process(tmp_path: Path) -> None:
    plan = draw_plan(EVERYTHING, len(GIVEN), torch.Generator().manual_seed(2))
    (tmp_path / "policy.py").write_text(export_policy(EVERYTHING, "python"))
    (tmp_path / "given.json").write_text(json.dumps({"pairs": GIVEN, "drawn": drawn(plan)}))
    subprocess.run([sys.executable, "-I", "-c", RUN], check=True, cwd=tmp_path)
    assert [tuple(pair) for pair in json.loads((tmp_path / "made.json").read_text())] == ours(plan)


def test_mixing_of_pairs_is_refused() -> None:
    mixing = load_policy("word-dropout").model_copy(update={"mixing": load_policy("concatenation").mixing})
    with pytest.raises(PolicyError, match="python cannot express mixing"):
        export_policy(mixing, "python")
