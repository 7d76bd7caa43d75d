"""The command line: thin, and quick to answer; heavy rooms are imported inside the commands."""

from __future__ import annotations

import io
import os
import shlex
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from autoaug.cli import generate as cli_generated
from autoaug.cli import listings as cli_listings
from autoaug.cli.generate import Accept, Trust
from autoaug.errors import AutoaugError, Interrupted
from autoaug.utils.signals import ignore_signals
from autoaug.utils.terminal import echo, say
from autoaug.version import __version__

if TYPE_CHECKING:
    from autoaug.results import SearchResult

#: Typer's own errors, which newer versions take from a copy of Click of their own.
_USAGE: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(
    name="autoaug",
    help="Search for the augmentation policy that suits your data, and prove what it is worth.",
    epilog="Try: autoaug search digits --space digits --budget 10x",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

Data = Annotated[
    str,
    typer.Argument(
        help="A folder of samples by class (with or without train/ val/ test/), a folder of IDX files, an .npz, a CSV "
        "manifest, Parquet or WebDataset shards, 'digits', 'torchvision:NAME' or 'hf:NAME'."
    ),
]
Run = Annotated[Path, typer.Argument(help="A run folder.")]
Space = Annotated[str, typer.Option(help="A search space (standard, light, digits, flat, regularized) or a YAML file.")]
Trials = Annotated[int | None, typer.Option(help="Stop the search after this many trials.")]
Time = Annotated[str | None, typer.Option(help="Stop the search after this time, e.g. 30m or 1h30m.")]
BudgetX = Annotated[
    str | None,
    typer.Option(help="Stop after so many times the compute of training one final model, e.g. 10x. [default: 20x]"),
]
Strategy = Annotated[str, typer.Option(help="How policies are found; autoaug strategies lists them.")]
Control = Annotated[str | None, typer.Option(help="'random': also run a random search of the same budget, as a rival.")]
Model = Annotated[
    str,
    typer.Option(
        help="auto (ResNet-9 up to 64 px, ResNet-18 above), resnet9, resnet18, torchvision:NAME, timm:NAME, or "
        "module:function of your own, called with (channels, classes)."
    ),
]
Epochs = Annotated[
    int | None, typer.Option(help="Full length of a training, in passes over the data. [default: by size]")
]
BatchSize = Annotated[int | None, typer.Option(help="Samples a step. [default: by size]")]
Equal = Annotated[
    str, typer.Option(help="Compare policies with K copies at equal 'samples' seen, or at equal 'epochs'.")
]
BatchCounts = Annotated[
    str, typer.Option(help="Of K copies the batch size counts 'samples', or 'samples' (then it is K times as large).")
]
Seeds = Annotated[int, typer.Option(help="Fresh seeds on which finalists and baselines are trained again.")]
MaxSeeds = Annotated[
    int | None,
    typer.Option(help="Seeds are added until the data decide, up to so many. [default: 16; none below 5 --seeds]"),
]
Finalists = Annotated[int, typer.Option(help="How many of the best policies are confirmed.")]
Seed = Annotated[int, typer.Option(help="Seed of splits, search and trainings.")]
Workers = Annotated[int | None, typer.Option(help="Trials side by side. [default: one a CPU core with Ray, else 1]")]
ExecutorName = Annotated[str, typer.Option("--executor", help="auto, inline or ray-tune.")]
RayAddress = Annotated[str | None, typer.Option(help="Run on this Ray cluster instead of a local one.")]
TrialTimeout = Annotated[str | None, typer.Option(help="Give up a trial after this time, e.g. 20m.")]
Storage = Annotated[
    str | None,
    typer.Option(
        help="Keep the study in this database, e.g. postgresql://HOST/NAME. [default: study.db in the run folder]"
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(help="Also tell 'tensorboard', 'wandb' or 'mlflow'. May be repeated. [default: events.jsonl alone]"),
]
GeneratorFolder = Annotated[
    str | None, typer.Option("--generator", help="A fitted generator to take generated samples from.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
MemoryLimit = Annotated[
    str | None, typer.Option(help="Larger data sets stay on disk, e.g. 2G. [default: half of the free memory]")
]
ImageSize = Annotated[int | None, typer.Option(help="Bring sample files to squares of this side. [default: by rule]")]
Allow = Annotated[
    list[str] | None,
    typer.Option(help="Findings to let pass: unreadable, empty, absent, leak, conflict, generator. May be repeated."),
]
Out = Annotated[str | None, typer.Option(help="The run folder to make. [default: runs/DATA-search-N]")]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"autoaug {__version__}")
        raise typer.Exit


@app.command(epilog="Example: autoaug search photos/ --budget 20x --workers 4 --out runs/photos")
def search(
    data: Data,
    space: Space = "standard",
    strategy: Strategy = "auto",
    trials: Trials = None,
    time: Time = None,
    budget: BudgetX = None,
    control: Control = None,
    model: Model = "auto",
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    equal: Equal = "samples",
    batch_counts: BatchCounts = "samples",
    seeds: Seeds = 5,
    max_seeds: MaxSeeds = None,
    finalists: Finalists = 3,
    seed: Seed = 0,
    workers: Workers = None,
    executor: ExecutorName = "auto",
    ray_address: RayAddress = None,
    trial_timeout: TrialTimeout = None,
    storage: Storage = None,
    track: Track = None,
    generator: GeneratorFolder = None,
    accept: Accept = None,
    device: Device = "auto",
    memory_limit: MemoryLimit = None,
    size: ImageSize = None,
    allow: Allow = None,
    out: Out = None,
) -> None:
    """Search for the best policy for DATA, confirm it on fresh seeds, and write policy, code and report."""
    options = dict(locals())
    from autoaug import api

    _finish(lambda progress: api.search(options.pop("data"), progress=progress, command=_command(), **options))


@app.command(epilog="Example: autoaug compare digits none randaugment runs/digits-search-1/policy.yaml --seeds 8")
def compare(
    data: Data,
    policies: Annotated[list[str], typer.Argument(help="Built-in names, names joined by +, or policy files.")],
    model: Model = "auto",
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    equal: Equal = "samples",
    batch_counts: BatchCounts = "samples",
    seeds: Seeds = 5,
    max_seeds: MaxSeeds = None,
    seed: Seed = 0,
    workers: Workers = None,
    executor: ExecutorName = "auto",
    ray_address: RayAddress = None,
    trial_timeout: TrialTimeout = None,
    track: Track = None,
    generator: GeneratorFolder = None,
    accept: Accept = None,
    device: Device = "auto",
    memory_limit: MemoryLimit = None,
    size: ImageSize = None,
    allow: Allow = None,
    out: Out = None,
) -> None:
    """Train POLICIES on fresh common seeds and say which is better: the confirmation of a search, alone."""
    options = dict(locals())
    from autoaug import api

    data, given = options.pop("data"), options.pop("policies")
    _finish(lambda progress: api.compare(data, given, progress=progress, command=_command(), **options))


@app.command(epilog="Example: autoaug resume runs/photos")
def resume(run: Run, trust: Trust = False) -> None:
    """Go on with an interrupted run: nothing that has ended is run again."""
    from autoaug import api

    _finish(lambda progress: api.resume(run, progress=progress, trust=trust))


@app.command(epilog="Example: autoaug report runs/photos --open, or autoaug report runs/a runs/b --out both.html")
def report(
    runs: Annotated[list[Path], typer.Argument(help="A run folder; several make one page that compares them.")],
    out: Annotated[Path | None, typer.Option(help="Where the comparison goes. [default: comparison.html]")] = None,
    cdn: Annotated[bool, typer.Option("--cdn", help="Load Plotly from the network: 5 MB less.")] = False,
    figures: Annotated[
        str | None, typer.Option(help="Also write each chart as 'png' or 'svg' (needs kaleido).")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
) -> None:
    """Write the HTML report of a run again, finished or not; or compare finished runs."""
    from autoaug.errors import OptionError
    from autoaug.report import write_comparison, write_figures, write_report
    from autoaug.runs.folder import RunFolder

    folders = [RunFolder(run) for run in runs]
    if len(folders) > 1:
        page = write_comparison(folders, out or Path("comparison.html"), cdn)
    elif out is not None:
        raise OptionError("--out is for a comparison of several runs; a run's report stands in its folder")
    else:
        page = write_report(folders[0], cdn)
    echo(page)
    for folder in folders if figures is not None else ():
        for path in write_figures(folder, figures or ""):
            echo(path)
    if open_it:
        typer.launch(str(page.resolve()))


@app.command(epilog="Example: autoaug watch runs/photos")
def watch(
    run: Run,
    port: Annotated[int, typer.Option(help="Of the page on this machine. [default: any that is free]")] = 0,
    every: Annotated[float, typer.Option(help="Seconds between two looks.")] = 5.0,
    open_it: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
) -> None:
    """Show a run as it goes on: its report, served to this machine alone, and its events here. Ends with the run, or
    with Ctrl-C, which does not touch the run.
    """
    from autoaug.report.server import watch_run

    watch_run(run, port, every, Console(), open_it)


@app.command(epilog="Example: autoaug export runs/photos --to numpy --out policy.py")
def export(
    policy: Annotated[str, typer.Argument(help="A policy file, a run folder, or a built-in name.")],
    to: Annotated[
        str,
        typer.Option(
            help="torchvision, kornia, numpy, albumentations, keras, timm, yaml or json; 'model' writes a run's "
            "trained weights with a model card into a folder."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="The file to write. [default: standard output]")] = None,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Leave out what the target cannot express, and say so in the text.")
    ] = False,
) -> None:
    """Write POLICY as code that runs without autoaug."""
    from autoaug.exporters import export_policy
    from autoaug.policy.loading import load_policy
    from autoaug.runs.folder import RunFolder
    from autoaug.utils.files import write_whole

    if to == "model":
        from autoaug.report.model_card import export_model

        for written in export_model(RunFolder(policy), out or Path(policy) / "model"):
            echo(written)
        return
    path = Path(policy) / "policy.yaml" if Path(policy).is_dir() else policy
    text = export_policy(load_policy(path), to, approximate)
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_whole(out, text)


@app.command(epilog="Example: autoaug check photos/")
def check(
    data: Data,
    allow: Allow = None,
    memory_limit: MemoryLimit = None,
    size: ImageSize = None,
    seed: Seed = 0,
) -> None:
    """Say what is in DATA, what would spoil a result, and whether a search makes sense."""
    from autoaug.data.audit import allowed, audit
    from autoaug.data.description import describe_source, describe_splits
    from autoaug.data.loading import open_source
    from autoaug.data.splits import split
    from autoaug.pipeline.options import check_seed, check_size, parse_memory

    check_seed(seed)
    check_size(size)
    passing, limit = allowed(allow or ()), parse_memory(memory_limit)
    source = open_source(data, limit, size)
    found = audit(source)
    for line in describe_source(source, found):
        echo(line)
    found.stop(passing)
    for line in describe_splits(split(source, found, seed, limit, passing)):
        echo(line)


app.command(epilog="Example: autoaug operators --gallery operators.html")(cli_listings.operators)
app.command(epilog="Example: autoaug strategies")(cli_listings.strategies)
app.command(epilog="Example: autoaug schema policy > policy.schema.json")(cli_listings.schema)
app.add_typer(cli_generated.generate)
app.command(epilog="Example: autoaug expand photos/ runs/photos --copies 3 --out photos-x4")(cli_generated.expand)
app.command(epilog="Example: autoaug robustness photos/ runs/photos")(cli_generated.robustness)


def _command() -> str:
    from autoaug.utils.redaction import shown

    return shlex.join(["autoaug", *map(shown, sys.argv[1:])])


def _finish(run: Any) -> None:
    from autoaug.runs.callbacks.console import ConsoleProgress

    console = Console(stderr=False)
    with ConsoleProgress(console) as progress:
        try:
            result: SearchResult = run(progress)
        except Interrupted as interruption:
            ignore_signals()
            echo(interruption, err=True)
            raise typer.Exit(130) from None
    _print_outcome(console, result)


def _print_outcome(console: Console, result: SearchResult) -> None:
    def line(text: str) -> None:
        say(console, text)

    width = max(len(c.name) for c in result.candidates)
    line("")
    for c in sorted(result.candidates, key=lambda c: -c.mean):
        low, high = (100 * bound for bound in c.ci95)
        line(f"  {c.name:<{width}}  {100 * c.mean:6.2f} %  [{low:.2f}, {high:.2f}]  {c.kind}")
    line("")
    line(result.sentence)
    line(f"verdict: {result.verdict}")
    line(f"report:  {result.run_dir / 'report.html'}")


def main() -> None:
    """Run the command line: exit code 0 if all is well, 2 on a user's error (one line), 130 when interrupted."""
    _open_streams()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # kill ends a command as Ctrl-C does
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough, such as head
        _discard(sys.stdout)
        sys.exit(1)  # as Typer does inside a command
    except _USAGE as fault:
        if not fault.format_message():  # no command: the help has been printed
            sys.exit(2)
        _fail(fault.format_message() + _given_value(fault))
    except AutoaugError as fault:
        _fail(str(fault))
    except (typer.Abort, KeyboardInterrupt):  # what older versions of Typer make of Ctrl-C
        sys.exit(130)
    except OSError as fault:  # a disk that is full, a file that may not be read
        _discard(sys.stdout)
        _fail(f"{fault.strerror or fault}{f': {fault.filename}' if fault.filename else ''}")
    sys.exit(code if isinstance(code, int) else 0)


def _open_streams() -> None:
    """Have both streams take any text: what an encoding lacks is escaped, and a closed stream leads nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (as long as the process lives)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard(stream: Any) -> None:
    """Lead what `stream` still holds nowhere: at its end Python would try to write it once more, and complain."""
    with suppress(OSError, ValueError):  # a stream that is no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _given_value(fault: Any) -> str:
    """What the user gave to the option that `fault` is about; Typer's own words leave it out."""
    options = getattr(getattr(fault, "param", None), "opts", [])
    places = [i for i, word in enumerate(sys.argv[:-1]) if word in options]
    return f" (it is {sys.argv[places[-1] + 1]!r})" if places else ""


def _fail(message: str) -> NoReturn:
    with suppress(OSError):  # a stream that cannot be written to, either
        echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(2)
