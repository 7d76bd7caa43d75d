"""Exported policies for texts give the same texts, in a fresh process with Python alone."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.errors import PolicyError
from autoaug.exporters import export_modules, export_policy
from autoaug.modalities.text import synonyms, thesaurus, values
from autoaug.modalities.text.lexicon import make_table
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Layer, Operation, Policy, SubPolicy, in_turn
from tests.modalities.text.writing import TEXTS, learned
from tests.samples import operators_of

OPERATORS = list(operators_of("text"))
EVERYTHING = Policy(
    name="everything",
    layers=tuple(
        Layer(sub_policies=tuple(SubPolicy(operations=(Operation(operator=o, magnitude=(0, 1)),)) for o in OPERATORS))
        for _ in range(3)
    ),
).with_learned(learned())
#: Operators with ranges and probabilities, one of several.
VARIED = parse_policy(
    """
    layers:
      - sub_policies:
          - operations: [{operator: WordDeletion, magnitude: [0.0, 0.6], probability: 0.7}]
          - operations: [{operator: LetterDeletion, magnitude: 0.4}, {operator: WordSwap, magnitude: [0.1, 0.2]}]
            weight: 2.0
      - sub_policies: [{operations: [{operator: CaseChange, magnitude: [0.0, 0.5], probability: 0.5}]}]
    """
)
GIVEN = [text for text in (*TEXTS, "достопримечательность") for _ in range(12)]

RUN = """
import json, sys
sys.path.insert(0, ".")
import policy
given = json.load(open("given.json"))
made = policy.apply_operations(given["texts"], given["drawn"])
whole = policy.Augment(seed=1)(given["texts"])
assert whole == policy.Augment(seed=1)(given["texts"]) and len(whole) == len(given["texts"])
assert isinstance(policy.Augment(seed=1)("one text"), str)
assert not {"torch", "autoaug", "numpy"} & set(sys.modules), "the module imports too much"
json.dump(made, open("made.json", "w"))
"""


def ours(plan: Plan) -> list[str]:
    batch, _, back = values.opened(GIVEN)
    made: list[str] = back(apply_plan(plan, batch))
    return made


def drawn(plan: Plan) -> list[list[tuple[int, float, list[float]]]]:
    rows = zip(*(t.transpose(0, 1).tolist() for t in (plan.choice, plan.magnitude, plan.uniforms)), strict=True)
    return [list(zip(*row, strict=True)) for row in rows]


def loaded(policy: Policy, target: str = "python") -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(export_policy(policy, target), "exported", "exec"), namespace)  # the text under test
    return namespace


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_replays(name: str) -> None:
    policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(0, 1)))).with_learned(learned())
    plan = draw_plan(policy, len(GIVEN), torch.Generator().manual_seed(1))
    made = ours(plan)
    assert made != GIVEN
    assert loaded(policy)["apply_operations"](GIVEN, drawn(plan)) == made


def test_insertions_replay_where_a_text_has_no_room_left() -> None:
    given = ["the big small old new good bad house was quickly not", "big small not", "not big"]
    policy = Policy(layers=in_turn(*(Operation(operator="SynonymInsertion", magnitude=(1.0, 1.0)) for _ in range(4))))
    plan = draw_plan(policy, 3, torch.Generator().manual_seed(1))
    batch, _, back = values.opened(given)
    made = back(apply_plan(plan, batch))
    assert loaded(policy)["apply_operations"](given, drawn(plan)) == made
    assert all("not" in text.split() for text in made)


def test_inserted_words_that_must_stay_are_cut_as_other_insertions_are(monkeypatch: pytest.MonkeyPatch) -> None:
    given, groups = ["big small big small", "big small", "big", "not big"], [["big", "never"], ["small", "tiny"]]
    table = make_table(groups)
    monkeypatch.setattr(synonyms, "table", lambda: table)
    policy = Policy(layers=in_turn(*(Operation(operator="SynonymInsertion", magnitude=(1.0, 1.0)) for _ in range(4))))
    module = loaded(policy)
    module["LEXICON"].update(thesaurus.synonyms(groups))
    for seed in range(20):
        plan = draw_plan(policy, len(given), torch.Generator().manual_seed(seed))
        batch, _, back = values.opened(given)
        assert module["apply_operations"](given, drawn(plan)) == back(apply_plan(plan, batch))


@pytest.mark.parametrize("name", OPERATORS)
def test_a_module_names_only_what_it_uses_in_lines_of_usual_length(name: str) -> None:
    text = export_policy(Policy(layers=in_turn(Operation(operator=name))).with_learned(learned()), "python")
    for constant in ("LEXICON", "HOMOPHONES", "VOCABULARIES"):
        assert len(re.findall(rf"\b{constant}\b", text)) != 1, constant
    assert max(map(len, text.splitlines())) <= 120


def test_what_was_learned_is_the_same_in_a_module() -> None:
    known = {"TfIdfReplacement": "9\n" + "\n".join(f"1 1 {'wörter ' * 30}{i}\\'\"" for i in range(3))}
    text = export_policy(Policy(layers=in_turn(Operation(operator="TfIdfReplacement"))).with_learned(known), "python")
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), namespace)  # the text under test
    assert namespace["LEARNED"] == {"tf_idf_replacement": known["TfIdfReplacement"]}
    assert max(map(len, text.splitlines())) <= 120


def test_modules_replay_in_a_fresh_process(tmp_path: Path) -> None:
    plan = draw_plan(EVERYTHING, len(GIVEN), torch.Generator().manual_seed(2))
    (tmp_path / "policy.py").write_text(export_policy(EVERYTHING, "python"))
    (tmp_path / "given.json").write_text(json.dumps({"texts": GIVEN, "drawn": drawn(plan)}))
    subprocess.run([sys.executable, "-I", "-c", RUN], check=True, cwd=tmp_path)
    assert json.loads((tmp_path / "made.json").read_text()) == ours(plan)


@pytest.mark.parametrize("variable", ["AUTOAUG_LEXICON", "AUTOAUG_PROTECT"])
def test_modules_name_a_file_that_they_cannot_read(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(export_policy(load_policy("eda"), "python"), "exported", "exec"), namespace)
    (tmp_path / "own.txt").write_bytes(b"\xff\xfe")
    for file in (tmp_path / "own.txt", tmp_path / "none.txt"):
        monkeypatch.setenv(variable, str(file))
        with pytest.raises(ValueError, match=f"{variable} must name a file of text in UTF-8, not '.*{file.name}'"):
            namespace["Augment"](seed=0)(GIVEN)


def test_modules_import_the_standard_library_alone() -> None:
    modules = export_modules(load_policy("eda"))
    assert set(modules) == {"policy_python.py", "policy_nlpaug.py"}
    imported = re.findall(r"^\s*(?:import|from) (\w+)", modules["policy_python.py"], re.MULTILINE)
    assert set(imported) - sys.stdlib_module_names <= {"rjieba"}


def test_the_draws_follow_the_policy() -> None:
    """Of 4,000 texts, a fourth draws each of EDA's operators."""
    module = loaded(load_policy("eda"))
    steps = module["draw_operations"](module["LAYERS"], 4000, random.Random(0))
    for index in range(4):
        assert abs(sum(one[0][0] == index for one in steps) - 1000) < 4 * (4000 * 0.25 * 0.75) ** 0.5


def test_an_augmenter_of_nlpaug_draws_as_the_policy_does_also_in_its_flows() -> None:
    """How many words change: the same distribution, by the test of Kolmogorov and Smirnov. Some texts stay."""
    pytest.importorskip("nlpaug", reason="nlpaug is not installed")
    from nlpaug.flow import Sequential
    from scipy.stats import ks_2samp

    augment = loaded(VARIED, "nlpaug")["Augment"]()
    random.seed(1)
    given = [TEXTS[0]] * 1500
    theirs, own = augment.augment(given), VARIED.transform(seed=2)(given)
    assert all(isinstance(text, str) for text in theirs)
    for measure in (len, lambda text: len(text.split()), lambda text: text.count("s"), lambda text: text == TEXTS[0]):
        both = ([measure(text) for text in texts] for texts in (theirs, own))
        assert ks_2samp(*both, method="asymp").pvalue > 1e-3
    assert all(" not" in text for text in theirs)
    random.seed(1)
    assert augment.augment(given) == theirs
    assert augment.augment(TEXTS[0], n=3) != [TEXTS[0]] * 3
    flow = Sequential([augment, loaded(load_policy("aeda"), "nlpaug")["Augment"]()])
    assert any(";" in text for _ in range(30) for text in flow.augment(TEXTS[0]))
    with pytest.raises(ValueError, match="texts must be"):
        augment.augment([1, 2])


def test_no_share_makes_nlpaug_count_words_as_eda_does() -> None:
    """Why its own augmenters are not used: at α = 0.1, EDA changes max(1, int(α words)) of them (Wei and Zou, 2019)."""
    naw = pytest.importorskip("nlpaug.augmenter.word", reason="nlpaug is not installed")
    wanted = [max(1, int(0.1 * words)) for words in range(1, 41)]
    for thousandths in range(1, 1001):
        augmenter = naw.RandomWordAug(aug_p=thousandths / 1000, aug_min=1, aug_max=None)
        assert [augmenter.generate_aug_cnt(words) for words in range(1, 41)] != wanted


def test_what_targets_lack_is_refused() -> None:
    with pytest.raises(PolicyError, match="numpy cannot express policies for text"):
        export_policy(EVERYTHING, "numpy")
    with pytest.raises(PolicyError, match="python cannot express policies for image"):
        export_policy(load_policy("flip-crop"), "python")
    unlearned = Policy(name="new", layers=in_turn(Operation(operator="TfIdfReplacement")))
    with pytest.raises(PolicyError, match="'new' has TfIdfReplacement, which has learned nothing of training samples"):
        export_policy(unlearned, "python")
    mixing = parse_policy("layers: [{sub_policies: [{operations: [{operator: WordSwap}]}]}]\nmixing: {kind: cutmix}")
    with pytest.raises(PolicyError, match=r"python cannot express mixing of policy .*; export to yaml or json"):
        export_policy(mixing, "python")
