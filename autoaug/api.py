"""All of autoaug as functions; the command line only parses and prints. Packages are imported when they are needed, so
that functions that work without torch do not load it.

Every function raises `autoaug.AutoaugError`, with a one-line message, if its options or what they name cannot be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from autoaug.errors import OptionError
from autoaug.pipeline.generation_options import ExpandOptions, FitOptions, SampleOptions
from autoaug.pipeline.options import (
    CheckOptions,
    CompareOptions,
    ObjectiveOptions,
    RobustnessOptions,
    SearchOptions,
)
from autoaug.utils.clock import now
from autoaug.utils.options import shows, takes

if TYPE_CHECKING:
    from autoaug.generate.generator import About
    from autoaug.generate.offline import Expanded
    from autoaug.pipeline.checking import DataCheck
    from autoaug.pipeline.forecast import Forecast
    from autoaug.pipeline.generation import SampledFiles
    from autoaug.pipeline.listings import OperatorRow, StrategyRow
    from autoaug.policy.models import Policy
    from autoaug.results import ObjectiveResult, SearchResult
    from autoaug.results.robustness import Robustness
    from autoaug.search.progress import Progress


@overload
@takes(SearchOptions)
def search(options: SearchOptions) -> SearchResult: ...


@overload
@takes(ObjectiveOptions)
def search(options: ObjectiveOptions) -> ObjectiveResult: ...


@shows(SearchOptions)
def search(*args: Any, **options: Any) -> SearchResult | ObjectiveResult:
    """Search for the best augmentation policy for `data`, confirm it, and write the run folder. Called with `objective`
    instead of `data`, search for the policy that maximizes this objective.

    >>> result = autoaug.search("digits", space="digits", budget="10x")  # doctest: +SKIP
    >>> result.verdict, result.policy  # doctest: +SKIP

    An objective is your own function (for detection, segmentation, data without labels):
    ``objective(transform, seed, fidelity) -> score``. It trains with `transform`, a `PolicyTransform` that moves boxes,
    masks and keypoints along with the sample, and returns a finite score; higher is better. If `fidelity`, in (0, 1],
    is below 1, the call should cost that fraction of a full one, preferably by less data rather than fewer epochs. All
    randomness should follow from `seed`. The other options are ``held_out`` (a second such function, which scores on
    data that the first never sees, for the confirmation; without it, the first one is called with fresh seeds, and
    there is no verdict, because the search has chosen by the same data), ``space``, ``strategy``, ``trials``, ``time``,
    ``budget``, ``seeds``, ``finalists``, ``seed``, ``workers``, ``executor``, ``ray_address``, ``trial_timeout``,
    ``device``, ``progress`` and ``out``, a folder in which the same call, with the same function, continues after an
    interruption.

    With ``progress=True`` a bar shows the progress in a terminal or a notebook; otherwise events go to the given
    `Progress`, or to the logger ``autoaug``. ``command`` is recorded as the command that repeats the
    run; by default, it is this call.

    Returns:
        The result, with ``.policy``, ``.verdict`` and all figures; for `data` also ``.run_dir``.

    Raises:
        AutoaugError: the data or an option cannot be used, or all trials failed; no file is left incomplete.
        InUse: another process is driving the run.
        DiskFull: a disk is full; `resume` continues once there is room.
        Interrupted: Ctrl-C or SIGTERM; `resume` continues with its ``.run_dir``.
    """
    has_objective = options.get("objective") is not None
    if has_objective == bool(args or "data" in options):
        raise OptionError("search takes either data or an objective; give one of them")
    return _search_objective(**options) if has_objective else _search(*args, **options)


@takes(SearchOptions)
def _search(options: SearchOptions) -> SearchResult:
    begun = now()  # before the slow imports, which a time limit counts
    from autoaug.pipeline.session import begin_run

    return begin_run(options, begun)


@takes(ObjectiveOptions, "option of an objective")
def _search_objective(options: ObjectiveOptions) -> ObjectiveResult:
    from autoaug.pipeline.objective import search_objective

    return search_objective(options)


@takes(SearchOptions)
def forecast(options: SearchOptions) -> Forecast:
    """What `search` with the same options would do, and about how long it would take, from a few timed steps. It
    writes nothing.

    >>> autoaug.api.forecast("photos/", budget="20x").lines  # doctest: +SKIP

    Raises:
        AutoaugError: the data or an option cannot be used.
    """
    from autoaug.pipeline.session import forecast_run

    return forecast_run(options)


@takes(CompareOptions)
def forecast_comparison(options: CompareOptions) -> Forecast:
    """What `compare` with the same options would do; see `forecast`.

    >>> autoaug.api.forecast_comparison("photos/", ["none", "randaugment"]).lines  # doctest: +SKIP
    """
    from autoaug.pipeline.session import forecast_run

    return forecast_run(options)


@takes(CompareOptions)
def compare(options: CompareOptions) -> SearchResult:
    """Train `policies` (built-in names, files, run folders or policies) on common fresh seeds, and compare the best one
    on validation with the strongest of the others, as in the confirmation of a search. Raises the errors of `search`.

    >>> autoaug.compare("digits", ["none", "randaugment"], seeds=8).sentence  # doctest: +SKIP
    """
    begun = now()  # before the slow imports, which a time limit counts
    from autoaug.pipeline.session import begin_run

    return begin_run(options, begun)


def resume(run: str | Path, *, progress: Progress | bool | None = None, trust: bool = False) -> SearchResult:
    """Continue an interrupted run; finished trials and trainings are not repeated. For a complete run, the result is
    returned at once. If ``config.yaml`` names code to run (your own function, a Ray cluster), confirm with `trust` that
    the folder is yours, or from someone you trust.

    >>> autoaug.resume("runs/digits-search-1")  # doctest: +SKIP

    Raises:
        RunError: there is no such run, its data have changed, or it names code and is not trusted.
    """
    from autoaug.pipeline.session import resume_run

    return resume_run(run, trust, progress)


@takes(CheckOptions)
def check(options: CheckOptions) -> DataCheck:
    """Check what is in `data`, what would spoil a result, and whether a search makes sense.

    >>> autoaug.api.check("photos/").refusal  # doctest: +SKIP

    Raises:
        DataError: the data cannot be read at all.
    """
    from autoaug.pipeline.checking import check

    return check(options)


@takes(ExpandOptions)
def expand(options: ExpandOptions) -> Expanded:
    """Write `data` with augmented copies of each training sample, in its original format. A manifest lists the source
    and seed of every copy. After an interruption, the same call continues.

    >>> autoaug.api.expand("photos/", "runs/photos", out="photos-x4", copies=3).bytes  # doctest: +SKIP

    Raises:
        OptionError: the policy mixes labels or has a schedule, which files cannot represent.
        RunError: `out` holds something else.
        DataError: the disk has too little space.
    """
    from autoaug.pipeline.generation import expand

    return expand(options)


@takes(FitOptions)
def generate_fit(options: FitOptions) -> About:
    """Fit a generator to the training split of `data`, and write it to the folder `out`, with a file that shows a
    sample of each class. After an interruption, the same call continues.

    >>> autoaug.api.generate_fit("photos/", out="generators/photos", kind="pca").seconds  # doctest: +SKIP

    Raises:
        DataError: a class has too few samples.
        RunError: `out` holds something else, or the training collapsed.
    """
    from autoaug.pipeline.generation import fit

    return fit(options)


@takes(SampleOptions)
def generate_sample(options: SampleOptions) -> SampledFiles:
    """Draw samples, filter them with a classifier trained on the real samples of `data`, and write those that pass.
    `data` is needed only if they have moved since the generator was fitted.

    >>> autoaug.api.generate_sample("generators/photos", out="made/", per_class=100).reasons  # doctest: +SKIP

    Raises:
        RunError: `out` is not empty, there is no generator, or no sample passes.
        DataError: the generator was fitted to other data.
    """
    from autoaug.pipeline.generation import sample

    return sample(options)


@takes(RobustnessOptions)
def robustness(options: RobustnessOptions) -> Robustness:
    """Evaluate a trained model on the test samples of `data`: clean, under an attack, and under common corruptions at 5
    severities; scores of `metric`: accuracy, or chrF of translations. The report of a run shows them from then on.

    >>> autoaug.api.robustness("photos/", "runs/photos").mean_corrupted  # doctest: +SKIP

    Raises:
        RunError: there are no weights, or they belong to another network, or the network's code is not trusted.
    """
    from autoaug.pipeline.robustness import robustness_of

    return robustness_of(options)


def report(run: str | Path, *, cdn: bool = False) -> Path:
    """Rewrite the HTML report of a run, finished or not, and return its path. With `cdn`, the page loads Plotly from
    the network and is 5 MB smaller.

    >>> autoaug.api.report("runs/photos")  # doctest: +SKIP

    Raises:
        RunError: there is no such run, or it is damaged.
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
    """Write each chart of the report as a ``png`` or ``svg`` file to the run folder; return their paths.

    >>> autoaug.api.figures("runs/photos", "svg")  # doctest: +SKIP

    Raises:
        OptionError: `kind` is neither, or Kaleido, which renders them, is not installed.
    """
    from autoaug.report import write_figures
    from autoaug.runs.folder import RunFolder

    return write_figures(RunFolder(run), kind)


def watch(run: str | Path, *, port: int = 0, every: float = 5.0, open_it: bool = False) -> None:
    """Show a run while it is running: its report, served only to this machine at `port` (0 for any free port), and its
    events on the terminal, updated `every` that many seconds. Ends with the run, or on Ctrl-C, which does not affect
    the run.

    >>> autoaug.api.watch("runs/photos", open_it=True)  # doctest: +SKIP

    Raises:
        OptionError: the port cannot be used, or `every` is out of range.
    """
    from rich.console import Console

    from autoaug.report.server import watch_run

    watch_run(Path(run), port, every, Console(), open_it)


def export(
    policy: str | Path | Policy,
    to: str,
    *,
    out: str | Path | None = None,
    approximate: bool = False,
    exact: bool = False,
) -> str:
    """The policy as code that runs without autoaug; it is also written to the file `out`, if given.

    >>> code = autoaug.api.export("runs/photos", to="numpy")  # doctest: +SKIP

    Args:
        policy: a built-in name, a file, a run folder, or a policy.
        to: ``torchvision``, ``kornia``, ``numpy``, ``albumentations``, ``keras``, ``timm``, ``torch``,
            ``audiomentations``, ``nlpaug``, ``python``, ``yaml`` or ``json``.
        out: the file to write.
        approximate: whether to leave out what the target cannot express; the text then says so.
        exact: whether to write a module that replays plans, rather than code as users of the library write it.

    Raises:
        PolicyError: the target cannot express the policy.
    """
    from autoaug.exporters import export_policy
    from autoaug.policy.loading import load_policy
    from autoaug.runs.folder import RunFolder
    from autoaug.utils.files import write_atomically

    modality = None
    if isinstance(policy, str | Path) and RunFolder(policy).config.is_file():  # operators may not tell, as of none
        modality = RunFolder.open(policy, goes_on=False)[1].modality
    text = export_policy(load_policy(policy), to, approximate, modality, exact)
    if out is not None:
        write_atomically(Path(out), text)
    return text


def export_model(run: str | Path, out: str | Path | None = None) -> list[Path]:
    """Write the trained weights of a run, with a model card, to the folder `out`, by default ``model`` in the run
    folder; return the paths of the files.

    >>> autoaug.api.export_model("runs/photos", "photos-model")  # doctest: +SKIP

    Raises:
        RunError: the run is not complete, or it kept no weights.
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
    """Write an HTML page that shows each operator at five magnitudes on example samples; return its path.

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
    """The JSON Schema of ``policy`` or search ``space`` files, for editors that complete and check them.

    >>> autoaug.api.schema("policy")["properties"]  # doctest: +SKIP

    Raises:
        OptionError: `of` is neither.
    """
    from autoaug.pipeline.listings import file_schema

    return file_schema(of)
