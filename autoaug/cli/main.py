"""The command line: thin and quick to start; heavy packages are imported inside the commands."""

from __future__ import annotations

import errno
import io
import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from autoaug.cli import generate, listings
from autoaug.cli.parameters import command
from autoaug.errors import AutoaugError, DataError, Interrupted, OptionError
from autoaug.pipeline.generation_options import ExpandOptions
from autoaug.pipeline.options import (
    PANELS,
    CheckOptions,
    CompareOptions,
    RobustnessOptions,
    SearchOptions,
)
from autoaug.utils.signals import ignore_signals
from autoaug.utils.terminal import at_work, echo
from autoaug.version import __version__

if TYPE_CHECKING:
    from autoaug.pipeline.forecast import Forecast
    from autoaug.results import SearchResult
    from autoaug.runs.callbacks.console import ConsoleProgress

#: What other tools call an option.
_ELSEWHERE = {
    "--learning-rate": "--lr",
    "--n-trials": "--trials",
    "--max-trials": "--trials",
    "--timeout": "--time",
    "--output": "--out",
    "--n-jobs": "--workers",
    "--num-workers": "--workers",
    "--num-epochs": "--epochs",
    "--bs": "--batch-size",
    "--backbone": "--model",
    "--image-size": "--size",
    "--img-size": "--size",
    "--algorithm": "--strategy",
    "--sampler": "--strategy",
}
#: What to do about errors of the system.
_CURES = {
    errno.EISDIR: "name a file, or move that folder away",
    errno.ENOSPC: "free some space",
    errno.EACCES: "choose another place, or change its permissions",
    errno.EROFS: "choose another place",
}
#: The base of Typer's errors; newer versions of Typer bundle their own copy of Click.
_USAGE: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(
    name="autoaug",
    help="Search for the augmentation policy that suits your data, and prove what it is worth.",
    epilog="Try: autoaug search digits --space digits --budget 10x",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

Run = Annotated[Path, typer.Argument(help="A run folder.")]
Open = Annotated[bool, typer.Option("--open", help="Show the page in the browser.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what the run would do, how long it takes, and how much memory.")
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"autoaug {__version__}")
        raise typer.Exit


@command(app, SearchOptions, "autoaug search photos/ --budget 20x --workers 4 --out runs/photos", PANELS)
def search(*, dry_run: DryRun = False, **options: Any) -> None:
    """Search for the best policy for DATA, confirm it on fresh seeds, and write policy, code and report."""
    from autoaug import api

    if dry_run:
        return _tell(api.forecast, options)
    _finish(lambda progress: api.search(**options, progress=progress, command=_command()))


_COMPARE = "autoaug compare digits none randaugment runs/digits-search-1 --seeds 8"


@command(app, CompareOptions, _COMPARE, PANELS)
def compare(*, dry_run: DryRun = False, **options: Any) -> None:
    """Train POLICIES on common fresh seeds and report which is better, as in the confirmation of a search."""
    from autoaug import api

    if dry_run:
        return _tell(api.forecast_comparison, options)
    _finish(lambda progress: api.compare(**options, progress=progress, command=_command()))


@app.command(epilog="Example: autoaug resume runs/photos")
def resume(
    run: Run,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Run code that the folder's files name: functions of your modules, a Ray cluster. Leave it out for a "
            "folder from someone else.",
        ),
    ] = False,
) -> None:
    """Continue an interrupted run; finished work is not repeated."""
    from autoaug import api

    _finish(lambda progress: api.resume(run, progress=progress, trust=trust))


@app.command(epilog="Example: autoaug report runs/photos --open, or autoaug report runs/a runs/b --out both.html")
def report(
    runs: Annotated[list[Path], typer.Argument(help="A run folder; several make one page that compares them.")],
    out: Annotated[Path | None, typer.Option(help="File of the comparison.", show_default="comparison.html")] = None,
    cdn: Annotated[bool, typer.Option("--cdn", help="Load Plotly from the network: 5 MB less.")] = False,
    figures: Annotated[
        str | None, typer.Option(help="Also write each chart as 'png' or 'svg' (needs kaleido).")
    ] = None,
    open_it: Open = False,
) -> None:
    """Rewrite the HTML report of a run, finished or not; or compare finished runs."""
    from autoaug import api

    if len(runs) == 1 and out is not None:
        raise OptionError("--out is for a comparison of several runs; the report of a single run is in its folder")
    with at_work("writing the report"):
        if len(runs) > 1:
            page = api.report_comparison(runs, out or "comparison.html", cdn=cdn)
        else:
            page = api.report(runs[0], cdn=cdn)
    echo(page)
    for run in runs if figures is not None else ():
        with at_work(f"writing the charts of {run}"):
            paths = api.figures(run, figures or "")
        for path in paths:
            echo(path)
    if open_it:
        typer.launch(str(page.resolve()))


@app.command(epilog="Example: autoaug watch runs/photos")
def watch(
    run: Run,
    port: Annotated[int, typer.Option(help="Port of the page on this machine.", show_default="any free port")] = 0,
    every: Annotated[float, typer.Option(help="Seconds between updates.")] = 5.0,
    open_it: Open = False,
) -> None:
    """Show a run while it is running: its report, served only to this machine, and its events here. Ends with the run,
    or on Ctrl-C, which does not affect the run.
    """
    from autoaug import api

    api.watch(run, port=port, every=every, open_it=open_it)


@app.command(epilog="Example: autoaug export runs/photos --to numpy --out policy.py")
def export(
    policy: Annotated[str, typer.Argument(help="A policy file, a run folder, or a built-in name.")],
    to: Annotated[
        str,
        typer.Option(
            help="torchvision, kornia, numpy, albumentations, keras, timm, torch, audiomentations, nlpaug or python "
            "(which of them depends on the samples); yaml or json; 'model' writes a run's trained weights with a "
            "model card into a folder."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="The file to write.", show_default="standard output")] = None,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Leave out what the target cannot express, and say so in the text.")
    ] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Write the module that replays plans, not code in the library's own words.")
    ] = False,
) -> None:
    """Write POLICY as code that runs without autoaug."""
    from autoaug import api

    if to == "model":
        if approximate or exact:
            raise OptionError("--approximate and --exact are for code, and --to model writes weights; leave them out")
        with at_work("writing the model"):
            paths = api.export_model(policy, out)
        for written in paths:
            echo(written)
        return
    with at_work("writing the code"):
        text = api.export(policy, to, out=out, approximate=approximate, exact=exact)
    if out is None:
        typer.echo(text, nl=False)
    else:
        echo(out)


@command(app, CheckOptions, "autoaug check photos/")
def check(**options: Any) -> None:
    """Report what is in DATA, what would spoil a result, and whether a search makes sense."""
    from autoaug import api

    with _at_work(options):
        checked = api.check(**options)
    for line in checked.lines:
        echo(line)
    if checked.refusal:
        raise DataError(checked.refusal)


app.command(epilog="Example: autoaug operators --gallery operators.html")(listings.operators)
app.command(epilog="Example: autoaug strategies")(listings.strategies)
app.command(epilog="Example: autoaug schema policy > policy.schema.json")(listings.schema)
app.add_typer(generate.generate)
command(app, ExpandOptions, "autoaug expand photos/ runs/photos --copies 3 --out photos-x4")(generate.expand)
command(app, RobustnessOptions, "autoaug robustness photos/ runs/photos")(generate.robustness)


def _at_work(options: Mapping[str, Any]) -> AbstractContextManager[object]:
    """A sign of life while data are read and a few steps are timed."""
    from autoaug.utils.redaction import redacted

    return at_work(f"reading {redacted(str(options['data']))}, and timing a few steps")


def _tell(forecast: Callable[..., Forecast], options: Mapping[str, Any]) -> None:
    """Print what a run would do."""
    with _at_work(options):
        found = forecast(**options)
    for line in found.lines:
        echo(line)


def _command() -> str:
    from autoaug.utils.redaction import redacted

    return shlex.join(["autoaug", *map(redacted, sys.argv[1:])])


def _finish(run: Callable[[ConsoleProgress], SearchResult]) -> None:
    from rich.console import Console

    from autoaug.runs.callbacks.console import ConsoleProgress

    console = Console(stderr=False)
    with ConsoleProgress(console) as progress:
        try:
            result = run(progress)
        except KeyboardInterrupt as interruption:
            ignore_signals()
            echo(_how_to_go_on(interruption) or "interrupted; nothing had begun yet", err=True)
            raise typer.Exit(130) from None
    from autoaug.cli.outcome import print_outcome  # it imports much, and the first line should not wait for that

    print_outcome(console, result)


def _how_to_go_on(interruption: BaseException | None) -> Interrupted | None:
    """The interruption that tells how to resume; a second signal may have interrupted the way out of the run."""
    while not (interruption is None or isinstance(interruption, Interrupted)):
        interruption = interruption.__context__
    return interruption


def main() -> None:
    """Run the command line. The exit code is 0 on success, 2 on a user error (one line), and 130 if interrupted."""
    _open_streams()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a kill ends a command like Ctrl-C
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output, such as head, has closed the pipe
        _discard(sys.stdout)
        sys.exit(1)  # as Typer does inside a command
    except _USAGE as fault:
        if not fault.format_message():  # no command: the help has been printed
            sys.exit(2)
        _fail(_elsewhere(fault) or fault.format_message() + _given_value(fault))
    except AutoaugError as fault:
        _fail(str(fault))
    except (typer.Abort, KeyboardInterrupt):  # Ctrl-C; older versions of Typer turn it into Abort
        sys.exit(130)
    except OSError as fault:  # a full disk, an unreadable file
        _discard(sys.stdout)
        cure = f"; {_CURES[fault.errno]}" if fault.errno in _CURES else ""
        _fail(f"{fault.strerror or fault}{f': {fault.filename}' if fault.filename else ''}{cure}")
    sys.exit(code if isinstance(code, int) else 0)


def _open_streams() -> None:
    """Make both streams accept any text: unencodable characters are escaped, and a closed stream discards all."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (as long as the process lives)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard(stream: Any) -> None:
    """Discard what `stream` still buffers: at exit, Python would try to write it again, and print an error."""
    with suppress(OSError, ValueError):  # the stream is not a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _given_value(fault: Any) -> str:
    """The value given for the option that `fault` is about; Typer's message leaves it out."""
    options = getattr(getattr(fault, "param", None), "opts", [])
    places = [i for i, word in enumerate(sys.argv[:-1]) if word in options]
    return f" (it is {sys.argv[places[-1] + 1]!r})" if places else ""


def _elsewhere(fault: Any) -> str:
    """What to say of an option that other tools call so; empty if the command has none for it."""
    given, context = getattr(fault, "option_name", ""), getattr(fault, "ctx", None)
    known = {name for option in context.command.params for name in option.opts} if context else set()
    ours = _ELSEWHERE.get(given)
    return f"No such option: {given} (it is called {ours} here)" if ours in known else ""


def _fail(message: str) -> NoReturn:
    with suppress(OSError):  # stderr cannot be written to, either
        echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(2)
