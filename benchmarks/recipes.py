"""The work of ``scripts/bench_recipes``, which describes it."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import spearmanr

from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.report.charts.chart import Chart
from autoaug.report.charts.style import ACCENT, MUTED, base_figure
from autoaug.training.metrics import score
from autoaug.training.presets import Changes, resolve_recipe
from autoaug.training.recipe import Base
from autoaug.training.setting import TrainingSetting
from autoaug.training.trial import Train
from autoaug.utils.seeds import derive_seed
from benchmarks.page import Section, Table, mean_with_interval, write_page
from benchmarks.results import Results
from benchmarks.small import small_copy
from benchmarks.table_policies import table_policies
from benchmarks.trained import setting_on

#: The recipes, the cheapest first, and the one that the others are compared with.
RECIPES: tuple[Base, ...] = ("probe", "scratch", "finetune")
REAL = "finetune"
ONE_SEED = "finetune, one seed"
#: Policies that differ in kind: published ones, geometry for different symmetries, color, occlusion, mixing.
POLICIES = (
    *("none", "flip-crop", "flip-crop+trivialaugment-wide", "randaugment", "2 x geometry 0.6"),
    *("flips, quarter turns, crop", "any turn, crop", "flip-crop, 1 x color 0.5", "flip-crop, cutout"),
    *("flip-crop, cutmix 0.5", "2 x all 0.5", "crop"),
)
HEAD = ("set", "recipe", "rank correlation", "chosen policy", "regret, points", "best - none, points", "seconds each")


class Cell(NamedTuple):
    """The accuracies in [0, 1] of one training on validation and test samples, and its seconds."""

    validation: float
    test: float
    seconds: float


def setting_for(setting: TrainingSetting, recipe: Base, options: argparse.Namespace) -> TrainingSetting:
    """The setting of trainings under a recipe, as a search would resolve it."""
    shape, outputs = setting.train.inputs.shape, setting.task.outputs
    models, name, start = get_modality(setting.modality).models, "auto", None
    if recipe != "scratch":
        name = options.backbone
        start, _ = models.start(name, str(options.weights.resolve()), shape, outputs)
    blank = torch.ones(shape[0])
    network = models.build(name, shape, outputs, blank, blank, seed=0, start=start)
    resolved, _ = resolve_recipe(Changes(base=recipe), network, start is not None, len(setting.train))
    resolved = resolved.model_copy(update={"epochs": max(1, round(options.length * resolved.epochs))})
    return replace(setting, model=name, start=start, recipe=resolved)


def measured(setting: TrainingSetting, policy: Policy, seed: int) -> list[float]:
    """Train with that seed; raises `RuntimeError` if the training fails."""
    *_, last = Train(policy).run(setting, derive_seed(seed, "bench_recipes"))
    if last.test_statistics is None:
        raise RuntimeError(last.reason)
    return list(Cell(last.score, score(setting.metric, last.test_statistics), last.seconds))


Cells = Mapping[str, Mapping[str, Sequence[Cell]]]


def cells_of(items: Mapping[str, Sequence[float]]) -> dict[str, Cells]:
    """The cells by set, recipe and policy, in the order of the seeds; sets with missing cells are left out."""
    found: dict[str, dict[str, dict[str, list[Cell]]]] = {}
    for key in sorted(items):
        data, recipe, policy, _ = key.split("/")
        found.setdefault(data, {}).setdefault(recipe, {}).setdefault(policy, []).append(Cell(*items[key]))
    return {name: own for name, own in found.items() if _is_complete(own)}


def _is_complete(cells: Cells) -> bool:
    counts = {len(own) for of_recipe in cells.values() for own in of_recipe.values()}
    names = {tuple(sorted(of_recipe)) for of_recipe in cells.values()}
    return set(cells) == set(RECIPES) and len(counts) == 1 and len(names) == 1


def compared(cells: Cells) -> dict[str, dict[str, Any]]:
    """Rank correlation, choice and regret of each recipe on one set; see the module."""
    real = cells[REAL]
    rows: dict[str, dict[str, Any]] = {}
    ways: dict[str, tuple[Cells, slice]] = {recipe: (cells, slice(None)) for recipe in RECIPES}
    several = len(next(iter(real.values()))) > 1
    if several:
        ways[ONE_SEED] = ({ONE_SEED: real}, slice(0, 1))
    for way, (source, seeds) in ways.items():
        own = {name: found[seeds] for name, found in source[way].items()}
        judged = {name: found[1:] if way == ONE_SEED else found for name, found in real.items()}
        test = {name: fmean(cell.test for cell in found) for name, found in judged.items()}
        by_validation = {name: fmean(cell.validation for cell in found) for name, found in own.items()}
        chosen = max(by_validation, key=by_validation.__getitem__)
        best = max(judged, key=lambda name: fmean(cell.validation for cell in judged[name]))
        ranks = spearmanr([fmean(cell.test for cell in own[name]) for name in own], [test[name] for name in own])
        rows[way] = {
            "correlation": float(np.nan_to_num(ranks.statistic)),
            "chosen": chosen,
            "regret": 100 * (test[best] - test[chosen]),
            "worth": 100 * (fmean(cell.test for cell in own[chosen]) - fmean(cell.test for cell in own["none"])),
            "seconds": fmean(cell.seconds for found in own.values() for cell in found),
        }
    return rows


def sections(items: Mapping[str, Sequence[float]]) -> Iterator[Section]:
    """One table of all sets with their means, and a chart of what each policy is worth under each recipe."""
    found = cells_of(items)
    if not found:
        return
    rows = {data: compared(cells) for data, cells in found.items()}
    table = [_row(data, way, row) for data, ways in rows.items() for way, row in ways.items()]
    for way in (*RECIPES, ONE_SEED):
        if not all(way in ways for ways in rows.values()):
            continue  # some sets have one seed
        own = [ways[way] for ways in rows.values()]
        means = [mean_with_interval([row[what] for row in own]) for what in ("correlation", "regret", "worth")]
        table.append(["mean over the sets", way, means[0], "", *means[1:], ""])
    yield Section("", [Table("", HEAD, table)])
    for data, cells in found.items():
        yield Section(data, [], _chart(data, cells))


def _row(data: str, way: str, row: Mapping[str, Any]) -> list[str | float]:
    numbers = f"{row['correlation']:+.2f}", f"{row['regret']:+.2f}", f"{row['worth']:+.2f}", f"{row['seconds']:.0f}"
    return [data, way, numbers[0], row["chosen"], *numbers[1:]]


def _chart(data: str, cells: Cells) -> Chart:
    """The mean test accuracy of each policy above none, under each recipe."""
    names = sorted(cells[REAL], key=lambda name: fmean(cell.test for cell in cells[REAL][name]))
    figure = base_figure(140 + 28 * len(names), "points of test accuracy above no augmentation")
    for recipe, color, symbol in zip(
        RECIPES, (MUTED, MUTED, ACCENT), ("circle-open", "circle", "diamond"), strict=True
    ):
        mean = {name: fmean(cell.test for cell in found) for name, found in cells[recipe].items()}
        values = [100 * (mean[name] - mean["none"]) for name in names]
        marker = {"color": color, "symbol": symbol, "size": 11}
        figure.add_scatter(x=values, y=names, mode="markers", marker=marker, name=recipe)
    figure.add_vline(x=0, line_dash="dot")
    words = "Mean test accuracy of each policy above that of no augmentation, under each recipe."
    return Chart(f"recipes-{data}", data, "", words, figure)


def main(options: argparse.Namespace) -> None:
    """Run the missing trainings, and write the page."""
    os.nice(10)
    torch.set_num_threads(1)
    results = Results(options.out, vars(options), fixed=() if options.page else ("backbone", "policies", "length"))
    words = "What policies are worth under three recipes, and what a choice by a cheaper one costs under finetune."
    known = table_policies()

    def page() -> None:
        write_page(options.out.with_suffix(".html"), "Policies under three recipes", words, sections(results.items))

    with tempfile.TemporaryDirectory() as scratch:
        for seed, data in product(range(0 if options.page else options.seeds), options.data):
            _, setting = setting_on(small_copy(data, Path(scratch)))
            for recipe in RECIPES:
                own = setting_for(setting, recipe, options)
                for name in POLICIES[: options.policies]:
                    key = f"{Path(data).stem}/{recipe}/{name}/{seed}"
                    if results.once(results.items, key, partial(measured, own, known[name], seed)):
                        validation, test, seconds = results.items[key]
                        print(f"{key}: {100 * validation:.1f} {100 * test:.1f} ({seconds:.0f} s)", flush=True)
            page()
    page()
