"""Commands for generators and offline copies, and for the robustness of a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from autoaug.cli.parameters import command
from autoaug.pipeline.generation_options import FitOptions, SampleOptions
from autoaug.utils.quantities import counted, duration
from autoaug.utils.terminal import at_work, echo

generate = typer.Typer(
    name="generate", help="Fit a generator to the training samples, and draw samples from it.", no_args_is_help=True
)


@command(generate, FitOptions, "autoaug generate fit photos/ --out generators/photos")
def fit(**options: Any) -> None:
    """Fit a generator to the training split of DATA. After an interruption, the same command continues."""
    from autoaug import api

    out = Path(options["out"])
    with _going_on_later(), at_work(f"fitting a {options['kind']}; samples of each class appear in {out}") as reached:
        made = api.generate_fit(**options, watch=lambda done, total, _: reached(done, total))
    echo(
        f"{out}: a {made.kind} for {counted(len(made.classes), 'class', 'classes')}, fitted in {duration(made.seconds)}"
    )


@command(generate, SampleOptions, "autoaug generate sample generators/photos --per-class 100 --out made/")
def sample(**options: Any) -> None:
    """Draw samples, filter them with a classifier trained on DATA, and write those that pass. DATA is needed only if it
    has moved since the generator was fitted.
    """
    from autoaug import api

    with at_work("drawing samples, and training the filter that they have to pass, in steps") as reached:
        from autoaug.generate.filter import format_counts
        from autoaug.generate.metrics import LEAST_JUDGED

        outcome = api.generate_sample(**options, watch=reached)
    echo(f"{outcome.folder}: of {outcome.drawn} samples {format_counts(outcome.reasons)}")
    for what, (before, after) in zip(("class", "group"), outcome.balance.values(), strict=False):  # groups are optional
        each = f"{min(before)} to {max(before)} before the filter, {min(after)} to {max(after)} after"
        echo(f"samples per {what}: {each}")
    if not outcome.figures and (options["judge"] or options["inception"]):
        echo(f"their quality is measured where more than {LEAST_JUDGED} pass: draw more with --per-class")
    for name, value in outcome.figures.items():
        echo(f"{name}: {value:.4g}")


def expand(**options: Any) -> None:
    """Write DATA with K augmented copies of each training sample, in its original format. After an interruption, the
    same command continues. A manifest lists the source and seed of every copy.
    """
    from autoaug import api

    with _going_on_later(), at_work("making copies") as reached:
        made = api.expand(**options, watch=reached)
    rate = made.copies / max(made.seconds, 1e-9)
    echo(
        f"{options['out']}: {made.originals} samples and {made.copies} copies in {duration(made.seconds)} "
        f"({rate:.0f} copies per second), {made.bytes / 2**20:.1f} MiB"
    )


def robustness(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, **options: Any) -> None:
    """Evaluate a trained model on DATA's test samples: clean, under an attack, and under common corruptions.
    The report of the run shows the results from then on.
    """
    import json

    from rich.console import Console
    from rich.table import Table

    from autoaug import api

    with at_work("testing the model on attacked and corrupted samples") as reached:
        result = api.robustness(**options, watch=reached)
    if as_json:
        typer.echo(json.dumps(result.model_dump() | {"mean_corrupted": result.mean_corrupted}, indent=2))
        return
    metric = result.metric
    echo(
        f"{metric.name} on {result.inputs:,} test samples: clean {metric.shown(result.clean)}, "
        f"under {result.attack}: {metric.shown(result.attacked)}"
    )
    table = Table("corruption", *(f"severity {i}" for i in range(1, 6)), box=None, pad_edge=False)
    for name, row in result.corrupted.items():
        table.add_row(name, *(metric.number(metric.value(score), 1) for score in row))
    Console(width=100).print(table, highlight=False)
    echo(f"mean under corruptions {metric.shown(result.mean_corrupted)}")


@contextmanager
def _going_on_later() -> Iterator[None]:
    """On Ctrl-C, end the block with a one-line message; finished work is on disk."""
    try:
        yield
    except KeyboardInterrupt:
        echo("interrupted; finished work is kept: continue with the same command", err=True)
        raise typer.Exit(130) from None
