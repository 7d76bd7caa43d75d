"""The commands that make data: generators, copies on disk, and how robust a model is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from autoaug.utils.terminal import echo

generate = typer.Typer(
    name="generate", help="Fit a generator to the training samples, and draw samples from it.", no_args_is_help=True
)

Data = Annotated[str, typer.Argument(help="As for autoaug search.")]
Seed = Annotated[int, typer.Option(help="Seed of all chance.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Accept = Annotated[
    str | None,
    typer.Option(help="module:function of yours; called with a generated sample and its class, false drops it."),
]
Allow = Annotated[list[str] | None, typer.Option(help="Findings of the audit to let pass. May be repeated.")]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Run what the folder's files name: functions of your modules, a Ray cluster. Leave it out for "
        "a folder from somebody else.",
    ),
]


def _bar(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


@contextmanager
def _going_on_later(out: Path) -> Iterator[None]:
    """Work in the folder `out`, alone. Ctrl-C or a full disk ends the block with one line; what is done is on disk."""
    from autoaug.errors import pausing_on_full_disk
    from autoaug.utils.locks import held

    cure = "the same command goes on"
    try:
        with pausing_on_full_disk(cure), held(out, f"wait until it has ended, or end it: {cure}"):
            yield
    except KeyboardInterrupt:
        echo("interrupted; nothing that is done is lost: the same command goes on", err=True)
        raise typer.Exit(130) from None


@generate.command(epilog="Example: autoaug generate fit photos/ --out generators/photos")
def fit(
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    kind: Annotated[str, typer.Option(help="gan, or pca: a Gaussian per class, fitted in a second.")] = "gan",
    steps: Annotated[
        int | None,
        typer.Option(help="Of the training of a gan; by default as many as make 40 passes over the samples."),
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="Start from this generator, and train its norms and embeddings alone.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    allow: Allow = None,
) -> None:
    """Fit a generator to the training split of DATA. Interrupted, the same command goes on."""
    import numpy as np

    from autoaug.data.loading import check_data
    from autoaug.errors import OptionError, RunError
    from autoaug.generate.fitting import FitSettings, fit_generator
    from autoaug.generate.generator import check_free, generator_kind, load_generator
    from autoaug.modalities.base import Collapsed
    from autoaug.modalities.registry import get_modality
    from autoaug.pipeline.options import absolute, check_seed, parse_memory, within
    from autoaug.training.device import resolve_device

    check_seed(seed)
    if steps is not None:
        within("steps", steps, 1, 10**8)
    chosen = resolve_device(device)
    check_free(out)
    given = load_generator(source) if source else None
    _, found = check_data(data, parse_memory(None), None, allow or (), seed)
    usual = generator_kind(kind, found.modality).usual_steps(len(found.train))
    if steps is not None and not usual:
        raise OptionError(f"--steps are of a training; a {kind} has none: leave it out")
    loader = get_modality(found.modality).loader
    shown = out / f"samples{loader.ending}"
    console = Console()
    with _going_on_later(out), _bar(console) as bar:
        task = bar.add_task(f"fitting a {kind}", total=steps or usual)

        def watch(done: int, total: int, samples: np.ndarray) -> None:
            bar.update(task, completed=done)
            loader.write(np.concatenate(list(samples), axis=-1), shown)
            if not console.is_terminal:
                echo(f"step {done} of {total}; a sample of each class is in {shown}")

        try:
            how = FitSettings(seed, steps, chosen, absolute(data), given)
            made = fit_generator(kind, found, out, how, watch)
        except Collapsed as fault:
            raise RunError(str(fault)) from None
    echo(f"{out}: a {kind} for {len(found.classes)} classes, fitted in {made.about.seconds:.0f} s")


@generate.command(epilog="Example: autoaug generate sample generators/photos --per-class 100 --out made/")
def sample(
    generator: Annotated[Path, typer.Argument(help="A folder that autoaug generate fit made.")],
    out: Annotated[Path, typer.Option(help="The folder to make, with a folder per class.")],
    data: Annotated[str, typer.Argument(help="As for autoaug search; by default what it was fitted on.")] = "",
    per_class: Annotated[int, typer.Option(help="Samples to draw of each class, before the gate.")] = 100,
    accept: Accept = None,
    judge: Annotated[bool, typer.Option("--judge", help="Also say how good the samples are.")] = False,
    inception: Annotated[
        Path | None,
        typer.Option(help="Judge on the features of these Inception weights too, a file that torch-fidelity reads."),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    allow: Allow = None,
) -> None:
    """Draw samples, pass them through the gate that DATA's real samples teach, and write those that pass. DATA need
    be named only where they lie elsewhere now than when the generator was fitted.
    """
    from autoaug.data.loading import check_data
    from autoaug.errors import RunError
    from autoaug.generate.filter import count_reasons, format_counts, load_accept_function
    from autoaug.generate.generator import load_generator
    from autoaug.generate.sampling import draw_samples, write_passed
    from autoaug.modalities.registry import get_modality
    from autoaug.pipeline.options import check_seed, parse_memory, within
    from autoaug.training.device import resolve_device

    check_seed(seed)
    within("per-class", per_class, 1, 10**7)
    chosen, own_rule = resolve_device(device), load_accept_function(accept) if accept else None
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out} holds something already; name an empty folder, or a new one, with --out")
    made = load_generator(generator)
    published = get_modality(made.about.modality).published_features(inception, chosen) if inception else None
    data = data or made.about.where()
    _, found = check_data(data, parse_memory(None), None, [a for a in allow or () if a != "generator"], made.about.seed)
    made.check_fits(found, "generator" in (allow or ()))
    drawn = draw_samples(made, found, per_class, seed, chosen, own_rule)
    write_passed(drawn, out)
    echo(f"{out}: of {len(drawn.labels)} samples {format_counts(count_reasons(drawn.reasons))}")
    balances = drawn.sample_filter.balances(drawn.inputs, drawn.labels, drawn.reasons)
    for what, (before, after) in zip(("class", "group"), balances.values(), strict=False):  # not all data have groups
        echo(f"samples of a {what}: {min(before)} to {max(before)} before the gate, {min(after)} to {max(after)} after")
    if judge or inception:
        from autoaug.data.inputs import MemoryInputs
        from autoaug.data.splits import Samples
        from autoaug.generate.metrics import Scoring, judge_samples

        kept = drawn.reasons == ""
        passed = Samples(MemoryInputs(drawn.inputs[kept]), drawn.labels[kept])
        scoring = Scoring("auto", drawn.recipe, seed)
        figures = judge_samples(passed, found.validation, drawn.sample_filter, scoring, published)
        for name, value in figures.known().items():
            echo(f"{name}: {value:.4g}")


def expand(
    data: Data,
    policy: Annotated[str, typer.Argument(help="A policy file, a run folder, or a built-in name.")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    copies: Annotated[int, typer.Option(help="Augmented copies of each training sample.")] = 1,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(help="Threads.")] = 2,
) -> None:
    """Write DATA with K augmented copies of each training sample beside it, in the format in which it came. Interrupted,
    the same command goes on; a manifest says of every copy what it was made of, and how.
    """
    from autoaug.data.inputs import FileImages
    from autoaug.data.sources import open_source
    from autoaug.generate.offline import expand as carry_out
    from autoaug.pipeline.options import check_seed, parse_memory, within
    from autoaug.policy.loading import load_policy
    from autoaug.runs.config import LARGEST_COUNT

    check_seed(seed)
    within("workers", workers, 1, LARGEST_COUNT)
    chosen = load_policy(Path(policy) / "policy.yaml" if Path(policy).is_dir() else policy)
    source = open_source(data, parse_memory(None))
    kind = "csv" if Path(data).suffix.lower() == ".csv" else "folder" if Path(data).is_dir() else "npz"
    if not isinstance(source.parts["train"].inputs, FileImages):
        kind = "npz"  # samples that do not lie in files of their own
    console = Console()
    with _going_on_later(out), _bar(console) as bar:
        task = bar.add_task("making copies", total=None)
        made = carry_out(
            source,
            kind,
            chosen,
            copies,
            out,
            seed,
            workers,
            lambda done, all_: bar.update(task, completed=done, total=all_),
        )
    rate = made.copies / max(made.seconds, 1e-9)
    echo(
        f"{out}: {made.originals} samples and {made.copies} copies in {made.seconds:.1f} s "
        f"({rate:.0f} copies a second), {made.bytes / 2**20:.1f} MiB"
    )


def robustness(
    data: Data,
    model: Annotated[Path, typer.Argument(help="A run folder, or a folder that autoaug export --to model wrote.")],
    epsilon: Annotated[float, typer.Option(help="Radius of the attack, in units of the range [0, 1].")] = 2 / 255,
    norm: Annotated[str, typer.Option(help="linf or l2.")] = "linf",
    steps: Annotated[int, typer.Option(help="Of the attack.")] = 20,
    inputs: Annotated[int, typer.Option("--samples", help="At most so many test samples.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    seed: Annotated[int | None, typer.Option(help="Of the split; a run has its own.")] = None,
    device: Device = "auto",
    allow: Allow = None,
    trust: Trust = False,
) -> None:
    """Say how accurate a trained model is on DATA's test samples: clean, under PGD, and under 15 common corruptions at 5
    severities. A run's report shows it from then on.
    """
    import json

    from rich.table import Table

    from autoaug.pipeline.robustness import robustness_of

    found = robustness_of(data, model, epsilon, norm, steps, inputs, seed, device, allow or (), trust)
    if as_json:
        typer.echo(json.dumps(found.model_dump() | {"mean_corrupted": found.mean_corrupted}, indent=2))
        return
    echo(f"clean {100 * found.clean:.1f} %, under {found.attack}: {100 * found.attacked:.1f} %")
    table = Table("corruption", *(f"severity {i}" for i in range(1, 6)), box=None, pad_edge=False)
    for name, row in found.corrupted.items():
        table.add_row(name, *(f"{100 * value:.1f}" for value in row))
    Console(width=100).print(table, highlight=False)
    echo(f"mean under corruptions {100 * found.mean_corrupted:.1f} %")
