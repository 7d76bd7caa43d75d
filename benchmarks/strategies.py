"""The work of ``scripts/bench_strategies``, which describes it."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

from autoaug.pipeline.configure import prepare
from autoaug.pipeline.job import Job
from autoaug.pipeline.run import run_job
from autoaug.report.charts.chart import Chart
from autoaug.report.charts.style import ACCENT, MUTED, base_figure
from autoaug.results import SearchResult
from autoaug.runs.callbacks import Logged
from autoaug.runs.folder import RunFolder
from autoaug.search.strategies import STRATEGIES
from benchmarks import ablation
from benchmarks.command import names, search_options
from benchmarks.page import Section, Table, mean_and_interval, write_page
from benchmarks.results import Results

NEED_FLAT = {"gp", "cmaes"}
HEAD = ("strategy", "runs", "points over the best baseline", "95 % interval", "better", "worse", "s per search")

Row = Mapping[str, Any]


def searched(options: argparse.Namespace, given: str, strategy: str, seed: int, trained: Path) -> dict[str, Any]:
    """Run one search, and compare its finalist with the baselines. The folder `trained` keeps the confirmation's
    trainings.
    """
    data, _, epochs = given.partition("@")
    wanted = search_options(
        options,
        data,
        strategy,
        seed,
        space="flat" if strategy in NEED_FLAT else "digits" if data == "digits" else "standard",
        epochs=int(epochs) if epochs else None,
        command="scripts/bench_strategies",
    )
    config, data_set, audit = prepare(wanted)
    with tempfile.TemporaryDirectory() as scratch:
        folder = RunFolder.create(f"{scratch}/run", config)
        if trained.is_dir():
            shutil.copytree(trained, folder.confirmation)
        result = run_job(Job(folder, config, data_set, audit, Logged()))
        shutil.copytree(folder.confirmation, trained, dirs_exist_ok=True)
    return worth(result)


def worth(result: SearchResult) -> dict[str, Any]:
    """The finalist of a search beside the baselines: mean test accuracies in [0, 1]."""
    judged = result.comparison.candidate if result.comparison else ""
    own = next((c for c in result.candidates if c.kind == "searched" and c.name == judged), None)
    best = max((c for c in result.candidates if c.kind == "baseline"), key=lambda c: c.mean)
    return {
        "searched": own.mean if own else None,
        "best baseline": best.mean,
        "baseline": best.name,
        "none": result.candidate("none").mean,
        "verdict": result.verdict,
        "candidates": {c.name: [c.kind, c.validation_mean, c.mean] for c in result.candidates},
        "search seconds": result.cost.search_seconds,
        "trials": len(result.history),
        "operators": own.policy.operator_names() if own else [],
    }


def sections(items: Mapping[str, Row]) -> Iterator[Section]:
    """A table and a chart for each data set, best strategy first."""
    by_data: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for key, row in items.items():
        data, strategy = key.split("/")[:2]
        if row["searched"] is not None:
            by_data[data][strategy].append(row)
    for number, (data, strategies) in enumerate(by_data.items()):
        gains = {name: [100 * (r["searched"] - r["best baseline"]) for r in rows] for name, rows in strategies.items()}
        ranked = dict(sorted(gains.items(), key=lambda item: -fmean(item[1])))
        table = Table("", HEAD, [_row(name, gains[name], strategies[name]) for name in ranked])
        yield Section(data, [table], _chart(f"strategies-{number}", ranked))


def _row(name: str, gains: list[float], rows: list[Row]) -> list[str | float]:
    verdicts = [row["verdict"] for row in rows]
    counts = [str(verdicts.count(verdict)) for verdict in ("better", "worse")]
    seconds = fmean(row["search seconds"] for row in rows)
    return [name, str(len(rows)), *mean_and_interval(gains), *counts, f"{seconds:.0f}"]


def _chart(name: str, gains: Mapping[str, list[float]]) -> Chart:
    """A faint dot for each run, a diamond for their mean; `gains` are in points, best strategy first."""
    figure = base_figure(120 + 34 * len(gains), "points of test accuracy over the best baseline")
    runs, labels = [gain for row in gains.values() for gain in row], [s for s in gains for _ in gains[s]]
    marker: dict[str, Any] = {"color": MUTED, "opacity": 0.5}
    figure.add_scatter(x=runs, y=labels, mode="markers", marker=marker, name="run")
    marker = {"color": ACCENT, "symbol": "diamond", "size": 11}
    means = [fmean(row) for row in gains.values()]
    figure.add_scatter(x=means, y=list(gains), mode="markers", marker=marker, name="mean")
    figure.add_vline(x=0, line_dash="dot", annotation_text="best baseline")
    figure.update_yaxes(categoryorder="array", categoryarray=list(gains)[::-1])
    words = "The gain of each strategy's finalist over the best baseline: each run, and the mean. The table is below."
    return Chart(name, "result", "", words, figure)


def main(options: argparse.Namespace) -> None:
    """Run the missing searches, and write the page."""
    usual = ",".join(STRATEGIES)  # without the ablations
    ablation.register()
    strategies = names(options.strategies or usual, STRATEGIES, "strategy")
    results = Results(options.out, vars(options), fixed=() if options.page else ("seeds",))
    for seed, given in product(range(0 if options.page else options.runs), options.data):
        data, _, epochs = given.partition("@")
        with tempfile.TemporaryDirectory() as scratch:
            for strategy in strategies:
                key = f"{Path(data).stem}/{strategy}/{options.budget}/{epochs or 'default'}/{seed}"
                search = partial(searched, options, given, strategy, seed, Path(scratch, "trained"))
                if results.once(results.items, key, search):
                    row = results.items[key]
                    print(f"{key}: {row['searched']} against {row['best baseline']} ({row['verdict']})", flush=True)
    words = "Test accuracy of each search's finalist minus the best baseline's, in points, on the same seeds."
    write_page(options.out.with_suffix(".html"), "Strategies at equal budget", words, sections(results.items))
