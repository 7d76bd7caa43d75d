"""All that autoaug does, as functions; the command line parses and prints. Rooms are imported when they are needed, so
that what works without torch does not load it.

Every function raises `autoaug.AutoaugError`, in one line, where its options or what they name cannot be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from autoaug.errors import OptionError
from autoaug.pipeline.options import (
    CheckOptions,
    CompareOptions,
    ExpandOptions,
    FitOptions,
    ObjectiveOptions,
    RobustnessOptions,
    SampleOptions,
    SearchOptions,
)
from autoaug.utils.options import shows, takes

if TYPE_CHECKING:
    from autoaug.generate.generator import About
    from autoaug.generate.offline import Expanded
    from autoaug.pipeline.checking import DataCheck
    from autoaug.pipeline.generation import SampledFiles
    from autoaug.pipeline.listings import OperatorRow, StrategyRow
    from autoaug.pipeline.objective import ObjectiveResult
    from autoaug.policy.models import Policy
    from autoaug.results import Robustness, SearchResult
    from autoaug.search.progress import Progress


@overload
@takes(SearchOptions)
def search(options: SearchOptions) -> SearchResult: ...


@overload
@takes(ObjectiveOptions)
def search(options: ObjectiveOptions) -> ObjectiveResult: ...


@shows(SearchOptions)
def search(*args: Any, **options: Any) -> SearchResult | ObjectiveResult:
    """Search for the best augmentation policy for `data`, confirm it, and write the run folder; or, called with
    `objective` in the place of `data`, for the policy that serves any other task best.

    >>> result = autoaug.search("digits", space="digits", budget="10x")  # doctest: +SKIP
    >>> result.verdict, result.policy  # doctest: +SKIP

    An objective is a function of your own (for detection, segmentation, data without labels):
    ``objective(transform, seed, fidelity) -> score``. It trains with `transform`, a `PolicyTransform` that moves boxes,
    masks and key-points with the sample, and returns a finite score, the higher the better. Trials for which
    `fidelity`, in (0, 1], is below 1 should cost that share of a whole one: less data is a better way than fewer
    epochs. All randomness should follow from `seed`. Beside `objective` it takes ``held_out`` (a second function of the
    same form that scores on data the first never saw, for the confirmation; without it the first is asked again, with
    fresh seeds, and there is no verdict: the search has chosen by these very data), ``space``, ``strategy``,
    ``trials``, ``time``, ``budget``, ``seeds``, ``finalists``, ``seed``, ``workers``, ``executor``, ``ray_address``,
    ``trial_timeout``, ``device``, ``progress`` and ``out``, a folder in which the same call goes on where it was
    interrupted.

    Without `progress`, what happens is told to the logger ``autoaug``; ``command`` is what to note as the command that
    repeats the run, by default this call.

    Returns:
        The result: ``.policy``, ``.verdict`` and all figures; of `data` with ``.run_dir``.

    Raises:
        AutoaugError: the data or an option cannot be used, or all trials failed; nothing is left half-written.
        InUse: another process drives the run.
        DiskFull: there is no room on a disk; `resume` goes on when there is.
        Interrupted: Ctrl-C or a signal to end; `resume` goes on with ``.run_dir`` of it.
    """
    has_objective = options.get("objective") is not None
    if has_objective == bool(args or "data" in options):
        raise OptionError("search takes data or an objective; give one of them")
    return _search_objective(**options) if has_objective else _search(*args, **options)


@takes(SearchOptions)
def _search(options: SearchOptions) -> SearchResult:
    from autoaug.pipeline.session import begin_run

    return begin_run(options)


@takes(ObjectiveOptions, "option of an objective")
def _search_objective(options: ObjectiveOptions) -> ObjectiveResult:
    from autoaug.pipeline.objective import search_objective

    return search_objective(options)


@takes(CompareOptions)
def compare(options: CompareOptions) -> SearchResult:
    """Train `policies` (built-in names, files, run folders or policies) on fresh common seeds, and judge the best on
    validation against the strongest of the others; the confirmation of a search, alone. Errors are those of `search`.

    >>> autoaug.compare("digits", ["none", "randaugment"], seeds=8).sentence  # doctest: +SKIP
    """
    from autoaug.pipeline.session import begin_run

    return begin_run(options)


def resume(run: str | Path, *, progress: Progress | None = None, trust: bool = False) -> SearchResult:
    """Go on with an interrupted run; trials and trainings that have ended are not run again. A run that is whole
    gives its result at once. Where ``config.yaml`` names code to be run (a function of your own, a Ray cluster), say
    with `trust` that the folder is yours, or from somebody whom you trust.

    >>> autoaug.resume("runs/digits-search-1")  # doctest: +SKIP

    Raises:
        RunError: there is no run, its data have changed, or it names code and is not trusted.
    """
    from autoaug.pipeline.session import resume_run

    return resume_run(run, trust, progress)


@takes(CheckOptions)
def check(options: CheckOptions) -> DataCheck:
    """What is in `data`, what would spoil a result, and whether a search makes sense.

    >>> autoaug.api.check("photos/").refusal  # doctest: +SKIP

    Raises:
        DataError: the data cannot be read at all.
    """
    from autoaug.pipeline.checking import check

    return check(options)


@takes(ExpandOptions)
def expand(options: ExpandOptions) -> Expanded:
    """Write `data` with augmented copies of each training sample beside it, in the format in which it came; a manifest
    says of every copy what it was made of, and how. Interrupted, the same call goes on.

    >>> autoaug.api.expand("photos/", "runs/photos", out="photos-x4", copies=3).bytes  # doctest: +SKIP

    Raises:
        OptionError: the policy mixes labels or has a schedule, which single files cannot.
        RunError: something else stands at `out`.
        DataError: the disk has no room.
    """
    from autoaug.pipeline.generation import expand

    return expand(options)


@takes(FitOptions)
def generate_fit(options: FitOptions) -> About:
    """Fit a generator to the training split of `data`, and write it to the folder `out`, with a sample of each class
    in a file beside it. Interrupted, the same call goes on.

    >>> autoaug.api.generate_fit("photos/", out="generators/photos", kind="pca").seconds  # doctest: +SKIP

    Raises:
        DataError: a class has too few samples for it.
        RunError: something else stands at `out`, or the training collapsed.
    """
    from autoaug.pipeline.generation import fit

    return fit(options)


@takes(SampleOptions)
def generate_sample(options: SampleOptions) -> SampledFiles:
    """Draw samples, pass them through the filter that the real samples of `data` teach, and write those that pass.
    `data` need be named only where they lie elsewhere now than when the generator was fitted.

    >>> autoaug.api.generate_sample("generators/photos", out="made/", per_class=100).reasons  # doctest: +SKIP

    Raises:
        RunError: something stands at `out`, there is no generator, or none of the samples passes.
        DataError: the generator is of other data.
    """
    from autoaug.pipeline.generation import sample

    return sample(options)


@takes(RobustnessOptions)
def robustness(options: RobustnessOptions) -> Robustness:
    """How good a trained model is on the test samples of `data`: clean, attacked by PGD, and under the common
    corruptions at 5 severities; shares in [0, 1]. The report of a run shows it from then on.

    >>> autoaug.api.robustness("photos/", "runs/photos").mean_corrupted  # doctest: +SKIP

    Raises:
        RunError: there are no weights, they are of another network, or of one that is not trusted.
    """
    from autoaug.pipeline.robustness import robustness_of

    return robustness_of(options)


def report(run: str | Path, *, cdn: bool = False) -> Path:
    """Write the HTML report of a run again, finished or not; returns its path. With `cdn` the page loads Plotly from
    the network, and has 5 MB less.

    >>> autoaug.api.report("runs/photos")  # doctest: +SKIP

    Raises:
        RunError: there is no run, or it is damaged.
    """
    from autoaug.report import write_report
    from autoaug.runs.folder import RunFolder

    return write_report(RunFolder(run), cdn)


def report_comparison(runs: Sequence[str | Path], out: str | Path = "comparison.html", *, cdn: bool = False) -> Path:
    """Write one HTML page that compares finished runs; see `report`.

    >>> autoaug.api.report_comparison(["runs/a", "runs/b"], "both.html")  # doctest: +SKIP
    """
    from autoaug.report import write_comparison
    from autoaug.runs.folder import RunFolder

    return write_comparison([RunFolder(run) for run in runs], Path(out), cdn)


def figures(run: str | Path, kind: str = "png") -> list[Path]:
    """Write each chart of the report as a ``png`` or ``svg`` into the run folder; returns their paths.

    >>> autoaug.api.figures("runs/photos", "svg")  # doctest: +SKIP

    Raises:
        OptionError: `kind` is another, or Kaleido, which draws them, is not installed.
    """
    from autoaug.report import write_figures
    from autoaug.runs.folder import RunFolder

    return write_figures(RunFolder(run), kind)


def watch(run: str | Path, *, port: int = 0, every: float = 5.0, open_it: bool = False) -> None:
    """Show a run as it goes on: its report, served to this machine alone at `port` (0 for any that is free), and its
    events on the terminal, looked at `every` so many seconds. Ends with the run, or with Ctrl-C, which does not touch
    the run.

    >>> autoaug.api.watch("runs/photos", open_it=True)  # doctest: +SKIP

    Raises:
        OptionError: the port cannot be used, or `every` is out of range.
    """
    from rich.console import Console

    from autoaug.report.server import watch_run

    watch_run(Path(run), port, every, Console(), open_it)


def export(policy: str | Path | Policy, to: str, *, out: str | Path | None = None, approximate: bool = False) -> str:
    """The policy as code that runs without autoaug, which is also written to the file `out`, if any.

    >>> code = autoaug.api.export("runs/photos", to="numpy")  # doctest: +SKIP

    Args:
        policy: a built-in name, a file, a run folder, or a policy.
        to: ``torchvision``, ``kornia``, ``numpy``, ``albumentations``, ``keras``, ``timm``, ``yaml`` or ``json``.
        out: the file to write.
        approximate: leave out what the target cannot express, and say so in the text.

    Raises:
        PolicyError: the target cannot express the policy.
    """
    from autoaug.exporters import export_policy
    from autoaug.policy.loading import load_policy
    from autoaug.utils.files import write_whole

    text = export_policy(load_policy(policy), to, approximate)
    if out is not None:
        write_whole(Path(out), text)
    return text


def export_model(run: str | Path, out: str | Path | None = None) -> list[Path]:
    """Write a run's trained weights with a model card into the folder `out`, by default ``model`` in that of the run;
    returns the paths of the files.

    >>> autoaug.api.export_model("runs/photos", "photos-model")  # doctest: +SKIP

    Raises:
        RunError: the run is not whole, or it kept no weights.
    """
    from autoaug.report import model_card
    from autoaug.runs.folder import RunFolder

    return model_card.export_model(RunFolder(run), Path(out) if out is not None else Path(run) / "model")


def operators() -> tuple[OperatorRow, ...]:
    """The operators that policies are made of.

    >>> [row.name for row in autoaug.api.operators()]  # doctest: +SKIP
    """
    from autoaug.pipeline.listings import operator_rows

    return operator_rows()


def operator_gallery(out: str | Path) -> Path:
    """Write an HTML page that shows each operator at five magnitudes on example samples; returns its path.

    >>> autoaug.api.operator_gallery("operators.html")  # doctest: +SKIP
    """
    from autoaug.pipeline.operator_gallery import write_gallery

    write_gallery(Path(out))
    return Path(out)


def strategies() -> tuple[StrategyRow, ...]:
    """The search strategies, and when to use which.

    >>> {row.name: row.summary for row in autoaug.api.strategies()}  # doctest: +SKIP
    """
    from autoaug.pipeline.listings import strategy_rows

    return strategy_rows()


def schema(of: str) -> dict[str, Any]:
    """The JSON Schema of the files of a ``policy`` or of a search ``space``, for editors that complete and check.

    >>> autoaug.api.schema("policy")["properties"]  # doctest: +SKIP

    Raises:
        OptionError: `of` is neither.
    """
    from autoaug.pipeline.listings import file_schema

    return file_schema(of)
