"""The benchmarks' shared parts, and their entry points."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import binomtest

from autoaug.modalities.image import models
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.results import Returned
from autoaug.search.executors import TrialSpec
from benchmarks import (
    contestants,
    engine,
    foreign,
    gap,
    pretrain,
    recipes,
    recovery,
    replay,
    sets,
    slots,
    strategies,
    table_file,
    table_page,
    worlds,
)
from benchmarks import results as module
from benchmarks.planting import VALIDATION, planted
from benchmarks.results import PROVENANCE, Results
from benchmarks.small import small_copy
from benchmarks.table_policies import GEOMETRY, table_policies
from benchmarks.verdict import FIVE, ONE, PLANNED
from benchmarks.verdict_returns import RULES, SEARCHES, compared
from benchmarks.verdict_worlds import World, confirmed, drawn
from tests.conftest import HEAVY, bars, published

_FOLDER = Path(__file__).parent.parent / "scripts"
SCRIPTS = sorted([*_FOLDER.glob("bench_*"), _FOLDER / "kornia_table", _FOLDER / "pretrain"])


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "provenance", lambda options: {"commit": "abc", "options": dict(options)})
    return tmp_path / "results.json"


def test_what_is_in_the_file_is_not_measured_again(path: Path) -> None:
    first = Results(path, {"seeds": 3})
    assert first.once(first.items, "a", lambda: [1, 2])
    again = Results(path, {"seeds": 3})
    assert not again.once(again.items, "a", lambda: pytest.fail("it was measured again"))
    assert again.once(again.items, "b", lambda: 3)
    assert json.loads(path.read_text()) == {
        "a": [1, 2],
        "b": 3,
        PROVENANCE: [{"commit": "abc", "options": {"seeds": 3}}],
    }


def test_a_measurement_that_is_stopped_leaves_what_was_there(path: Path) -> None:
    results = Results(path, {})
    results.once(results.items, "a", lambda: 1)
    before = path.read_bytes()

    def stopped() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.once(results.items, "b", stopped)
    assert path.read_bytes() == before
    assert "b" not in results.items


def test_each_set_of_options_is_noted_once(path: Path) -> None:
    for runs in (1, 2, 2):
        results = Results(path, {"runs": runs})
        results.save()
        results.save()
    assert [run["options"] for run in json.loads(path.read_text())[PROVENANCE]] == [{"runs": 1}, {"runs": 2}]


def test_results_of_other_options_are_refused_in_one_line(path: Path) -> None:
    Results(path, {"ray_trials": 64}).save()
    Results(path, {"ray_trials": 8})
    with pytest.raises(SystemExit, match=r"made with --ray-trials 64, not 8; choose another file with --out"):
        Results(path, {"ray_trials": 8}, fixed=("ray_trials",))


def test_planted_splits_are_drawn_from_the_test_images_without_overlap(tmp_path: Path) -> None:
    images = np.arange(VALIDATION + 50, dtype=np.uint16).reshape(-1, 1, 1, 1)
    np.savez(tmp_path / "d.npz", x_train=images[:3], y_train=[0, 1, 2], x_test=images, y_test=images.ravel())
    splits = planted(tmp_path / "d.npz", 0, lambda given, part: given + 1000 * (1 + part))
    assert len(splits["x_val"]) == VALIDATION
    assert np.array_equal(splits["x_val"].ravel() - 1000, splits["y_val"])
    assert np.array_equal(splits["x_test"].ravel() - 2000, splits["y_test"])
    assert sorted([*splits["y_val"], *splits["y_test"]]) == list(range(VALIDATION + 50))
    assert np.array_equal(splits["x_train"], images[:3])


@pytest.mark.parametrize("plant", recovery.PLANTS)
def test_the_operators_move_all_images_of_a_plant_but_nothing(plant: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 3), dtype=np.uint8)
    moved = recovery.through(recovery.PLANTS[plant], images, 0)
    assert moved.dtype == np.uint8
    assert moved.shape == images.shape
    assert np.array_equal(moved, images) == (plant == "nothing")


@pytest.mark.parametrize("plant", foreign.PLANTS)
def test_foreign_shifts_depend_on_the_seed_alone(plant: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 12, 1), dtype=np.uint8)
    first, again, other = (foreign.shifted(images, foreign.PLANTS[plant], seed) for seed in (1, 1, 2))
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_search_without_a_policy_of_its_own_is_judged_by_what_it_returns() -> None:
    result = published()
    known = tuple(c for c in result.candidates if c.kind == "baseline")
    none = result.candidate("none").mean
    other = next(c for c in known if c.mean != none)
    returned = Returned(name=other.name, fingerprint=other.fingerprint, is_searched=False)
    alone = result.model_copy(update={"candidates": known, "returned": returned})
    measured = gap.closed(alone, none, oracle=none + 2 * (other.mean - none))
    assert measured["found"] == other.mean
    assert measured["recovered"] == pytest.approx(0.5)


def test_the_surrogate_carries_a_search_to_its_end() -> None:
    assert engine.driver("auto", trials=30, slots=5)["trials"] > 30, "the known ones and repetitions do not count"


def test_gradients_of_the_engine_reach_images_and_magnitudes() -> None:
    import torch

    images = torch.rand(4, 3, 8, 8)
    toward_images, toward_magnitudes = contestants.engine_backward("randaugment", images)["forward and backward"]()
    assert toward_images.shape == images.shape
    assert toward_magnitudes.isfinite().all()


def test_the_page_of_strategies_ranks_them_by_what_they_gain() -> None:
    row = {"best baseline": 0.5, "verdict": "better", "search seconds": 2.0}
    items = {
        "d/tpe/10x/default/0": {**row, "searched": 0.51},
        "d/auto/10x/default/0": {**row, "searched": 0.55},
        "d/grid/10x/default/0": {**row, "searched": None},
    }
    (section,) = strategies.sections(items)
    assert [(name, gain) for name, _, gain, *_ in section.tables[0].rows] == [("auto", "+5.00"), ("tpe", "+1.00")]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_script_gives_a_benchmark_the_options_that_it_asks_for(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [*sys.path])  # which the script adds to
    text = script.read_text()
    names: dict[str, Any] = {"__name__": "imported", "__file__": str(script)}
    exec(compile(text, str(script), "exec"), names)  # the script under test
    found = re.search(r"from (benchmarks\.\w+) import main", text)
    assert found, "a script only parses"
    benchmark, given = importlib.import_module(found[1]), Namespace()
    monkeypatch.setattr(benchmark, "main", lambda options: vars(given).update(vars(options)))
    weights = ["--weights", str(script)] if script.name == "bench_recipes" else []
    positional = text.count('add_argument("data"') + text.count('add_argument("out"')
    monkeypatch.setattr("sys.argv", [script.name, *["given"] * positional, *weights])
    names["main"]()
    tree = ast.walk(ast.parse(inspect.getsource(benchmark)))
    asked = {node.attr for node in tree if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "options"}
    assert asked
    assert asked <= set(vars(given))


def test_help_of_a_script_loads_no_library_that_takes_seconds() -> None:
    code = f"""
import runpy, sys
for script in sys.argv[1:]:
    sys.argv = [script, "--help"]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        assert not ended.code, script
heavy = [name for name in {HEAVY} if name in sys.modules]
assert not heavy, heavy
"""
    scripts = [*SCRIPTS, _FOLDER / "exporter_table"]
    shown = subprocess.run([sys.executable, "-c", code, *scripts], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert all(f"scripts/{script.name} " in shown.stdout for script in SCRIPTS)


def test_simulated_policies_have_the_luck_that_they_should() -> None:
    """In the differences of two, whose deviation is the root of two times as large."""
    world, draw = World(), np.random.default_rng(0)
    values = np.array([drawn(world, ONE, 8, draw).test.mean(2) for _ in range(300)])
    differences = values[:, 0] - values[:, 1]
    assert differences.var(1, ddof=1).mean() == pytest.approx(2 * world.seed_noise**2, rel=0.1)
    of_samples = differences.mean(1).var(ddof=1) - differences.var(1, ddof=1).mean() / 8
    assert of_samples == pytest.approx(2 * world.luck**2, rel=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("gains", [ONE, FIVE])
def test_between_equal_policies_better_and_worse_are_rare(gains: dict[str, float]) -> None:
    draw = np.random.default_rng(0)
    verdicts = [confirmed(drawn(World(), gains, PLANNED[-1], draw), PLANNED)[0].verdict for _ in range(300)]
    for verdict in ("better", "worse"):
        assert binomtest(verdicts.count(verdict), 300, 0.05, alternative="greater").pvalue > 1e-3


def test_the_mean_of_what_is_returned_is_known_in_simulation() -> None:
    simulated = compared(SEARCHES["half better"], World(validation=200, test=200), (3,), 10, 0)
    assert simulated.keys() == RULES.keys()
    assert all(-0.05 <= row["mean gain"] <= 0.05 and 0 <= row["worse"] <= 1 for row in simulated.values())


def test_small_copies_look_as_pillow_makes_them(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (6, 12, 12, 3)).repeat(4, 1).repeat(4, 2).astype(np.uint8)
    rows = np.arange(3000) % 6
    labels, groups = rows % 2, rows.astype("<U4")
    np.savez(
        tmp_path / "big.npz", x_train=images, y_train=labels[:6], x_test=images[rows], y_test=labels, g_test=groups
    )
    folder = tmp_path / "small"
    folder.mkdir()
    with np.load(small_copy(str(tmp_path / "big.npz"), folder)) as small:
        assert small["x_train"].shape == (6, 32, 32, 3)
        assert len(small["x_test"]) == len(small["y_test"]) == len(small["g_test"]) == 2000
        assert all(small["g_test"].astype(int) % 2 == small["y_test"])
        for image, copy in zip(images, small["x_train"], strict=True):
            known = np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BILINEAR))
            assert np.abs(known.astype(int) - copy).max() <= 1
    assert small_copy("digits", folder) == "digits"


def test_the_table_keeps_what_each_training_says_of_each_sample(tmp_path: Path) -> None:
    outputs = torch.tensor([[4.0, 0.0, 0.0], [0.0, 1.0, 3.0], [-80.0, 9.0, 0.0]])
    labels = torch.tensor([0, 1, 0])
    codes = table_file.encoded(outputs, labels)
    right, likelihood = table_file.decoded(np.append(codes, np.uint8(table_file.TRAINED_ON)))
    assert right[:3].tolist() == [1, 0, 0]
    exact = torch.log_softmax(outputs, 1)[torch.arange(3), labels].numpy()
    assert np.abs(likelihood[:2] - exact[:2]).max() <= table_file.STEP / 2 + 1e-6
    assert likelihood[2] == pytest.approx(-table_file.STEP * table_file.LOWEST), "the lowest that a byte can hold"
    assert np.isnan(right[3])
    assert np.isnan(likelihood[3])
    file = table_file.TableFile(tmp_path / "table.npz")
    file.add("digits/0/full/0", codes, 1234)
    file.write()
    again = table_file.TableFile(tmp_path / "table.npz")
    assert again.cells["digits/0/full/0"].tolist() == codes.tolist()
    assert again.about["passes"] == {"digits/0/full/0": 1234}


def test_pairs_that_a_quarter_turns_round_are_counted() -> None:
    full = {"a": 80.0, "b": 85.0, "c": 85.5}
    assert table_page.turned_round(full, {"a": 70.0, "b": 60.0, "c": 75.0}) == (2, 1)
    assert table_page.turned_round(full, full) == (2, 0)


@pytest.mark.slow
def test_a_replayed_search_finds_what_is_good_in_its_world() -> None:
    """Geometry alone is good and all else is bad, which no baseline is, in a table that says so."""
    policies = list(table_policies().values())

    def accuracy(policy: Policy) -> float:
        used = set(policy.operator_names())
        return 0.6 + 0.2 * bool(used and used <= set(GEOMETRY)) - 0.02 * len(policy.layers)

    quarter = worlds.Fit(policies, np.array([accuracy(policy) - 0.1 for policy in policies]))
    fits = {0.25: quarter, 1.0: worlds.Fit(policies, np.array([accuracy(p) for p in policies]), quarter)}
    assert quarter.left_out > 0.5
    world = worlds.World(fits, 3000, 0)
    row, better = (replay.replayed(world, policies, strategy, 10, 0) for strategy in ("random", "auto"))
    assert better["returned"] >= row["best baseline"]
    assert better["returned"] > 0.7
    shown, *_ = replay.sections(
        {"runs": {"x/auto/0": better, "x/random/0": row}, "fits": {"x": {"0.25": 1.0, "1": 1.0}}}
    )
    assert shown.tables[0].rows[0][0] == "auto"


def test_policies_of_the_table_are_all_different() -> None:
    policies = table_policies()
    assert len(policies) >= 60
    assert len({policy.fingerprint() for policy in policies.values()}) == len(policies)


def test_the_page_of_sets_shows_each_set_and_the_mean_over_them() -> None:
    def row(returned: float) -> dict[str, float]:
        return {"none": 0.5, "usual": 0.6, "best baseline": 0.65, "returned": returned}

    items = {"coins/0": row(0.7), "coins/1": row(0.72), "boards/0": row(0.6)}
    (section,) = sets.sections(items)
    (shown,) = section.tables
    rows = {cells[0]: dict(zip(shown.head[1:6], cells[1:6], strict=True)) for cells in shown.rows}
    assert rows["coins"] == {"runs": "2", "none": "50.0", "usual": "60.0", "best baseline": "65.0", "returned": "71.0"}
    over = {cells[0]: (cells[6], cells[8]) for cells in shown.rows}
    assert over == {
        "coins": ("+11.00", "+6.00"),
        "boards": ("+0.00", "-5.00"),
        "mean over the sets": ("+5.50", "+0.50"),
    }


def test_a_choice_under_a_cheap_recipe_is_judged_by_what_it_costs_under_the_real_one() -> None:
    """Closed form: the probe ranks three policies in reverse, and so chooses the one that is 6 points worse."""
    worth = {"none": 0.50, "a": 0.53, "b": 0.56}
    reverse = {"none": 0.56, "a": 0.53, "b": 0.50}
    items = {
        f"coins/{recipe}/{name}/{seed}": [values[name], values[name] + 0.01, 2.0]
        for recipe, values in (("finetune", worth), ("scratch", worth), ("probe", reverse))
        for name in worth
        for seed in range(2)
    }
    found = recipes.compared(recipes.cells_of(items)["coins"])
    assert found["probe"]["correlation"] == pytest.approx(-1)
    assert found["probe"]["regret"] == pytest.approx(6)
    for way in ("scratch", "finetune", recipes.ONE_SEED):
        assert found[way]["correlation"] == pytest.approx(1)
        assert (found[way]["regret"], found[way]["chosen"]) == (pytest.approx(0), "b")
        assert found[way]["worth"] == pytest.approx(6)
    (table, chart) = recipes.sections(items)
    assert len(table.tables[0].rows) == 8
    assert chart.chart is not None
    del items["coins/probe/a/1"]
    assert recipes.cells_of(items) == {}, "a set that is not finished is not shown"


def test_a_backbone_is_the_same_if_its_training_was_stopped(tmp_path: Path) -> None:
    """Its file says how it takes images, and is one that a model begins from."""
    images, labels = bars(96, size=32, channels=3)
    np.savez(tmp_path / "d.npz", x_train=images, y_train=labels)
    part = pretrain.load_part(tmp_path / "d.npz", "train")
    options = Namespace(epochs=2, batch_size=32, seed=0, device="cpu")
    plan = pretrain.plan_of(options, "resnet9", part, 3)
    assert pretrain.pretrain(plan, tmp_path / "state.safetensors", stop_after=1) is None
    stopped = pretrain.pretrain(plan, tmp_path / "state.safetensors")
    whole = pretrain.pretrain(plan, tmp_path / "other.safetensors")
    assert stopped is not None
    assert whole is not None
    pretrain.write_backbone(stopped, tmp_path / "resnet9.safetensors", {"seed": 0})
    start, words = models.start("resnet9", str(tmp_path / "resnet9.safetensors"), (3, 32, 32), 3)
    assert "resized to 32 x 32 (bilinear)" in words
    model = models.build("resnet9", (3, 32, 32), 3, torch.zeros(3), torch.ones(3), 0, start).eval()
    values = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(model(values), whole.model.eval()(values))
    right = (
        whole.result.eval()(torch.from_numpy(part.inputs.take(np.arange(96))).float() / 255).argmax(1).numpy()
        == part.labels
    )
    assert pretrain.accuracy(whole, plan, part) == pytest.approx(right.mean(), abs=0.1)  # in bf16 where it can


def test_simulated_slots_give_results_in_the_order_of_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    class Flat(worlds.World):
        def __init__(self) -> None:
            self.full_length = 100

        def score(self, *_: object) -> float:
            return 0.5

    times = iter([0.0, 1.0, 1.0, 1.0, 1.0, 3.0])
    monkeypatch.setattr("time.process_time", lambda: next(times, 3.0))
    simulation = slots.SimulatedSlots(Flat(), 2, 10.0)
    for key, share in (("long", 1.0), ("short", 0.25)):
        simulation.submit(TrialSpec(key, worlds.Replayed(load_policy("none"), share, 0.0, 1.0), seed=0))
    assert simulation.next_result()[0] == "short"
    assert simulation.now == pytest.approx(1.0 + simulation.busy / 5), "a quarter as long as the other, begun after 1 s"
    assert simulation.next_result()[0] == "long"
    assert simulation.own == pytest.approx(3.0)
