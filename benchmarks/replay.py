"""The work of ``scripts/bench_replay``, which describes it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.runs.callbacks import Logged
from autoaug.search.baselines import affordable_baselines
from autoaug.search.budget import Budget
from autoaug.search.executors.inline import InlineExecutor
from autoaug.search.loop import run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import STRATEGIES
from autoaug.search.study import SearchStudy
from autoaug.utils.seeds import derive_seed
from benchmarks import ablation
from benchmarks.command import names
from benchmarks.page import Section, Table, mean_with_interval, write_page
from benchmarks.results import Results
from benchmarks.strategies import NEED_FLAT
from benchmarks.table_file import TableFile
from benchmarks.worlds import Replayed, World, fits_of

#: As `autoaug search` confirms by default.
FINALISTS, SEEDS = 3, 5
#: A search that ends early is right where nothing gains as much as this over the best baseline.
ENOUGH = 0.005

Row = Mapping[str, Any]


def replayed(world: World, policies: Sequence[Policy], strategy: str, trainings: float, seed: int) -> dict[str, Any]:
    """One search in a `world`, beside the best of the table's `policies` there; scores in [0, 1]."""
    space, budget = load_space("flat" if strategy in NEED_FLAT else "standard"), Budget(trainings=trainings)
    baselines = {name: load_policy(name) for name in affordable_baselines(space.baselines, budget)}
    study = SearchStudy("sqlite:///:memory:", space, STRATEGIES[strategy], seed=seed)
    stopped = run_search(
        study,
        InlineExecutor(world),
        budget,
        world.full_length,
        baselines,
        Logged(),
        training=lambda request: Replayed(request.policy, request.data_fraction, request.start, request.stop),
        may_stop=True,
    )
    own = {record.fingerprint: record.policy for record in study.strategy.finalists(study.history())}
    finalists = list(own.values())[:FINALISTS]

    def validated(policy: Policy) -> float:
        return world.score(policy, 1.0, derive_seed(seed, "confirmation"), SEEDS)

    best = max(baselines.values(), key=validated)
    returned = max([best, *finalists], key=validated)
    return {
        "best baseline": world.worth(best),
        "returned": world.worth(returned),
        "searched": returned is not best,
        "trials": len(study.history().trials),
        "stopped": stopped.reason if stopped and not stopped.exhausted else "",
        "most among the baselines": max(map(world.worth, baselines.values())),
        "most among the tried": max(world.worth(record.policy) for record in study.history().trials),
        "most in the table": max(map(world.worth, policies)),
    }


def gains(rows: Sequence[Row]) -> list[float]:
    """What the returned policies gain over the best baseline, in points."""
    return [100 * (row["returned"] - row["best baseline"]) for row in rows]


def sections(items: Mapping[str, Mapping[str, Row]]) -> Iterator[Section]:
    """One table: a row per strategy, a column per set, and the mean over the sets."""
    rows: dict[str, dict[str, list[Row]]] = {}
    for key, row in items.get("runs", {}).items():
        data, strategy, _ = key.split("/")
        rows.setdefault(strategy, {}).setdefault(data, []).append(row)
    if not rows:
        return
    sets = list(dict.fromkeys(data for own in rows.values() for data in own))
    body: dict[str, list[str]] = {}
    for strategy, own in rows.items():
        cells = [mean_with_interval(gains(own[data])) if data in own else "" for data in sets]
        body[strategy] = [strategy, f"{fmean(fmean(gains(r)) for r in own.values()):+.2f}", *cells]
    ranked = sorted(body.values(), key=lambda row: -float(row[1]))
    yield Section("", [Table("points over the best baseline", ("strategy", "mean over the sets", *sets), ranked)])
    ended = [row for row in items["runs"].values() if row["stopped"]]
    right = sum(row["most in the table"] - row["most among the baselines"] < ENOUGH for row in ended)
    early = Table("", ("ended early", "of", "rightly"), [[str(len(ended)), str(len(items["runs"])), str(right)]])
    yield Section("Ended early: no policy of the table gains half a point over the best baseline", [early])
    fitted = [[data, *(f"{share:.2f}" for share in shares.values())] for data, shares in items["fits"].items()]
    yield Section("", [Table("variance explained of policies left out", ("set", "quarter", "full"), fitted)])


def main(options: argparse.Namespace) -> None:
    """Replay the missing searches, and write the page."""
    ablation.register()
    able = [name for name, strategy in STRATEGIES.items() if not strategy.needs_data]
    strategies = names(options.strategies, able, "strategy that can be replayed")
    results = Results(options.out, vars(options), fixed=() if options.page else ("budget",))
    if not options.page:
        run_missing(options, strategies, results)
    words = "What the policy that a search returns gains over the best baseline, in worlds fitted to the table."
    write_page(options.out.with_suffix(".html"), "Searches replayed", words, sections(results.items))


def run_missing(options: argparse.Namespace, strategies: Sequence[str], results: Results) -> None:
    """Replay what the file lacks."""
    table = TableFile(options.table)
    sets = names(options.sets, table.about["sets"], "set")
    policies = [Policy.model_validate(policy) for policy in table.about["policies"].values()]
    runs, fitted = results.items.setdefault("runs", {}), results.items.setdefault("fits", {})
    for data in sets:
        fits = fits_of(table, data)
        if fits is None:
            print(f"{data}: too few cells")
            continue
        fitted[data] = {f"{fraction:g}": fit.left_out for fraction, fit in fits.items()}
        full_length = table.about["sets"][data]["full_length"]
        for strategy in strategies:
            new = {}
            for seed in range(options.runs):
                key = f"{data}/{strategy}/{seed}"
                if key not in runs:
                    world = World(fits, full_length, derive_seed(seed, "world"))
                    new[key] = replayed(world, policies, strategy, options.budget, seed)
            runs |= new
            if new:
                results.save()
                own = gains([runs[f"{data}/{strategy}/{seed}"] for seed in range(options.runs)])
                print(f"{data} {strategy}: {fmean(own):+.2f} points over the best baseline", flush=True)
