"""The work of ``scripts/bench_sets``, which describes it."""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

from autoaug.modalities.registry import get_modality
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.job import Job
from autoaug.pipeline.run import run_job
from autoaug.report.charts.chart import Chart
from autoaug.report.charts.style import ACCENT, MUTED, base_figure
from autoaug.results import Candidate, SearchResult
from autoaug.runs.callbacks import Logged
from autoaug.runs.folder import RunFolder
from benchmarks.command import search_options
from benchmarks.page import Section, Table, mean_and_interval, write_page
from benchmarks.results import Results
from benchmarks.small import small_copy

#: All searches in one file have these in common.
FIXED = ("seeds", "budget", "strategy", "epochs")
SHOWN = ("none", "usual", "best baseline", "returned")
HEAD = (
    *("set", "runs", *SHOWN),
    *("points over the usual", "95 % interval", "points over the best baseline", "95 % interval"),
)

Row = Mapping[str, Any]


def measured(options: argparse.Namespace, data: str, seed: int) -> dict[str, Any]:
    """Run one search, and compare what it returns with the baselines."""
    with tempfile.TemporaryDirectory() as scratch:
        small = small_copy(data, Path(scratch))
        given = options, small, options.strategy, seed
        wanted = search_options(*given, epochs=options.epochs, command="scripts/bench_sets")
        config, data_set, audit = prepare(wanted)
        folder = RunFolder.create(f"{scratch}/run", config)
        return compared(run_job(Job(folder, config, data_set, audit, Logged())))


def compared(result: SearchResult) -> dict[str, Any]:
    """The returned policy, the modality's usual one and the baseline that validation chose: mean test scores over the
    seeds, in [0, 1].
    """

    def by_validation(candidates: Sequence[Candidate]) -> Candidate:
        return max(candidates, key=lambda candidate: candidate.validation_mean)

    own = [candidate for candidate in result.candidates if candidate.kind == "searched"]
    best = by_validation([candidate for candidate in result.candidates if candidate.kind == "baseline"])
    returned = result.returned_candidate
    return {
        "none": result.candidate("none").mean,
        "usual": result.candidate(get_modality(result.data.modality).usual_policy).mean,
        "best baseline": best.mean,
        "baseline": best.name,
        "returned": returned.mean,
        "policy": returned.policy.model_dump(mode="json", exclude_defaults=True),
        "best searched": by_validation(own).mean if own else None,
        "verdict": result.verdict,
        "candidates": {c.name: [c.kind, c.validation_mean, c.mean] for c in result.candidates},
        "trials": [[t.name, t.stage, t.data_fraction, t.seed_index, t.score] for t in result.history],
        "search seconds": result.cost.search_seconds,
        "confirmation seconds": result.cost.confirmation_seconds,
    }


def by_set(items: Mapping[str, Row]) -> dict[str, list[Row]]:
    """The rows of all runs of each set."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for key, row in items.items():
        rows[key.split("/")[0]].append(row)
    return rows


def gains(rows: Sequence[Row], over: str) -> list[float]:
    """What the returned policies gain, in points."""
    return [100 * (row["returned"] - row[over]) for row in rows]


def sections(items: Mapping[str, Row]) -> Iterator[Section]:
    """One table and one chart of all sets, and the mean over them."""
    rows = by_set(items)
    if not rows:
        return
    table = [_row(name, own) for name, own in rows.items()]
    means = [[fmean(gains(own, over)) for own in rows.values()] for over in ("usual", "best baseline")]
    if len(rows) > 1:
        over = [cell for values in means for cell in mean_and_interval(values)]
        table.append(["mean over the sets", "", "", "", "", "", *over])
    yield Section("", [Table("", HEAD, table)], _chart(rows))


def _row(name: str, rows: Sequence[Row]) -> list[str | float]:
    scores = [f"{100 * fmean(row[what] for row in rows):.1f}" for what in SHOWN]
    over = [cell for what in ("usual", "best baseline") for cell in mean_and_interval(gains(rows, what))]
    return [name, str(len(rows)), *scores, *over]


def _chart(rows: Mapping[str, Sequence[Row]]) -> Chart:
    """For each set, the test scores of the usual policy, the best baseline and the returned policy, above none."""
    figure = base_figure(140 + 34 * len(rows), "points of test accuracy above no augmentation")
    for what, color, symbol in (
        ("usual", MUTED, "circle-open"),
        ("best baseline", MUTED, "circle"),
        ("returned", ACCENT, "diamond"),
    ):
        values = [100 * fmean(row[what] - row["none"] for row in own) for own in rows.values()]
        marker = {"color": color, "symbol": symbol, "size": 11}
        figure.add_scatter(x=values, y=list(rows), mode="markers", marker=marker, name=what)
    figure.add_vline(x=0, line_dash="dot", annotation_text="none")
    figure.update_yaxes(categoryorder="array", categoryarray=list(rows)[::-1])
    words = "Mean test accuracy of three policies above that of no augmentation, for each set. The table is above."
    return Chart("sets", "result", "", words, figure)


def main(options: argparse.Namespace) -> None:
    """Run the missing searches, and write the page."""
    results = Results(options.out, vars(options), fixed=() if options.page else FIXED)
    words = "What a search returns, beside the modality's usual policy and the baseline that validation chose."

    def page() -> None:
        write_page(options.out.with_suffix(".html"), "Searches on special sets", words, sections(results.items))

    for seed, data in product(range(0 if options.page else options.runs), options.data):
        key = f"{Path(data).stem}/{seed}"
        if results.once(results.items, key, partial(measured, options, data, seed)):
            row = results.items[key]
            shown = ", ".join(f"{what} {100 * row[what]:.1f}" for what in SHOWN)
            print(f"{key}: {shown} ({row['search seconds']:.0f} s)", flush=True)
            page()
    page()
