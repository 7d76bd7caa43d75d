"""The pages: each one HTML file that opens offline."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from autoaug.errors import OptionError, RunError, first_line
from autoaug.modalities.image.pictures import data_uri
from autoaug.report import change_numbers, numbers, search_numbers
from autoaug.report.charts import Chart, result_charts, robustness_chart, search_charts
from autoaug.report.pictures import Picture, environment, read_pictures
from autoaug.results import Robustness, SearchResult, TrialSummary
from autoaug.runs.callbacks.event_log import read_events
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.utils.files import read_text, write_whole
from autoaug.utils.json import read_record
from autoaug.version import __version__

#: What stands in the files of pictures: see `autoaug.pipeline.pictures`, and `read_pictures` for the form.
_GALLERY = {
    "originals": "NCHW",
    "augmented": "DNCHW",
    "captions": "DN",
    "classes": "N",
    "strips": "?sMCHW",
    "strip_captions": "?sM",
    "operators": "?s",
}
_EXAMPLES = {"samples": "nCHW", "captions": "n", "fixed": "n"}


class Card(NamedTuple):
    """A sample of the gallery: as it was, and each time it was drawn."""

    original: Picture
    drawn: list[Picture]


class GalleryView(NamedTuple):
    """A policy in pictures: samples through it, and each of its operators over its range."""

    cards: list[Card]
    strips: list[tuple[str, list[Picture]]]


def write_report(folder: RunFolder, cdn: bool = False) -> Path:
    """Write ``report.html`` of a run, whole or not; returns its path. Raises `RunError` where there is no run.

    Args:
        folder: of the run.
        cdn: load Plotly from its own host instead of embedding it: 5 MB less, and the page needs a network.
    """
    write_whole(folder.report, report_page(folder, cdn))
    return folder.report


def report_page(folder: RunFolder, cdn: bool = False) -> str:
    """The text of the page."""
    if not folder.result.is_file():
        return _unfinished_page(folder, RunFolder.open(folder.root)[1], cdn)
    result, config = _whole(folder)
    robustness = _robustness(folder)
    return (
        environment()
        .get_template("report.html")
        .render(
            **_common(cdn),
            result=result,
            config=config,
            rows=numbers.candidate_rows(result),
            costs=numbers.costs(result),
            failures=numbers.failures(result.history),
            power_note=numbers.power_note(result),
            pair=change_numbers.before_and_after(result),
            stages=numbers.stages(result),
            fidelity=numbers.fidelity(result),
            shift=numbers.shift(result),
            uniformity=search_numbers.uniformity(result.candidate(result.returned.name).policy),
            finalist=result.candidate(result.comparison.candidate) if result.comparison else None,
            galleries={which: _gallery(folder.gallery(which)) for which in ("returned", "finalist")},
            examples=_examples(folder.examples),
            samples={kind: _examples(folder.samples(kind)).get("Set right", []) for kind in result.generated},
            generated=numbers.generated(result),
            robustness=robustness,
            policy_text=read_text(folder.policy, RunError),
            modules={
                path.stem.removeprefix("policy_"): read_text(path, RunError)
                for path in sorted(folder.root.glob("policy_*.py"))
            },
            charts=_by_section(_charts(result, config, robustness)),  # last: a damaged file is refused before
        )
    )


def _unfinished_page(folder: RunFolder, config: RunConfig, cdn: bool) -> str:
    events = read_events(folder.events)
    trials = [TrialSummary.model_validate(event["trial"]) for event in events if event["event"] == "trial"]
    trials = list({trial.number: trial for trial in trials}.values())
    confirmed = [event for event in events if event["event"] == "confirmation"]
    spent = max((event["fraction"] for event in events if event["event"] == "trial"), default=0.0)
    full_length = max((trial.sample_passes for trial in trials if trial.data_fraction == 1), default=0)
    charts = list(search_charts(trials, max(1, full_length)))
    return (
        environment()
        .get_template("unfinished.html")
        .render(
            **_common(cdn),
            name=folder.root.name,
            config=config,
            trials=trials,
            spent=spent,
            confirmed=confirmed[-1] if confirmed else None,
            stage=next((event["message"] for event in reversed(events) if event["event"] == "stage"), ""),
            failures=numbers.failures(trials),
            charts=_by_section(charts),
        )
    )


def write_comparison(folders: list[RunFolder], path: Path, cdn: bool = False) -> Path:
    """Write one page that compares whole runs; returns its path. Raises `RunError` where one is not whole."""
    results, configs = zip(*map(_whole, folders), strict=True)
    names = [folder.root.name for folder in folders]
    chart = numbers.compared(names, results)
    from autoaug.report.figures import compared_figure

    page = environment().get_template("comparison.html")
    shown = Chart("compared", "result", "", "Test accuracy of each run's candidates.", compared_figure(chart))
    text = page.render(**_common(cdn), runs=list(zip(names, results, configs, strict=True)), chart=shown)
    write_whole(path, text)
    return path


def write_figures(folder: RunFolder, suffix: str) -> list[Path]:
    """Write each chart of a whole run as a file of its own, ``figures/NAME.suffix``; returns their paths.

    Raises:
        OptionError: kaleido, which draws them, is not installed, or it finds no browser to draw with.
    """
    if suffix not in {"png", "svg"}:
        raise OptionError(f"--figures {suffix!r} must be png or svg")
    if importlib.util.find_spec("kaleido") is None:
        raise OptionError("--figures needs the package kaleido: pip install 'autoaug[figures]'")
    result, config = _whole(folder)
    paths = []
    for chart in _charts(result, config, _robustness(folder)):
        try:
            content = chart.figure.to_image(format=suffix, width=1000, scale=2)
        except Exception as fault:  # kaleido's many kinds; all of them mean that it cannot draw
            reason = first_line(fault)
            raise OptionError(f"kaleido cannot draw ({reason}); it needs Chrome or Chromium") from None
        paths.append(folder.root / "figures" / f"{chart.name}.{suffix}")
        write_whole(paths[-1], content)
    return paths


def notebook_view(result: SearchResult) -> str:
    """A part of a page: the verdict, the candidates, their chart; Plotly comes from its own host."""
    chart = next(result_charts(result, 1))
    page = environment().get_template("notebook.html")
    return page.render(result=result, rows=numbers.candidate_rows(result), chart=chart, plotly=_script(cdn=True))


def _charts(result: SearchResult, config: RunConfig, robustness: Robustness | None) -> list[Chart]:
    charts = list(result_charts(result, _full_length(result.data.train, config)))
    return charts if robustness is None else [*charts, robustness_chart(robustness)]


def _robustness(folder: RunFolder) -> Robustness | None:
    if not folder.robustness.is_file():
        return None
    return read_record(folder.robustness, Robustness, RunError, cure="measure again with: autoaug robustness")


def _whole(folder: RunFolder) -> tuple[SearchResult, RunConfig]:
    """The result of a whole run with its config; raises `RunError` where they are of different runs."""
    result, (_, config) = SearchResult.load(folder.root), RunFolder.open(folder.root)
    if result.history and config.space is None:
        raise RunError(f"{folder.result} is of a search, but {folder.config} of a comparison; restore one of them")
    return result, config


def _common(cdn: bool) -> dict[str, Any]:
    return {"version": __version__, "plotly": _script(cdn)}


def _script(cdn: bool) -> Markup:
    if cdn:
        source = f"https://cdn.plot.ly/plotly-{get_plotlyjs_version()}.min.js"
        return Markup('<script src="{}" charset="utf-8"></script>').format(source)
    # Inert, so that the text can be read and scrolled at once; page.js runs it then.
    return Markup('<script type="text/plain" data-plotly>{}</script>').format(Markup(get_plotlyjs()))  # noqa: S704 (its own script)


def _by_section(charts: list[Chart]) -> dict[str, list[Chart]]:
    sections: dict[str, list[Chart]] = defaultdict(list)  # a section without charts is asked for too
    for chart in charts:
        sections[chart.section].append(chart)
    return sections


def _full_length(inputs: int, config: RunConfig) -> int:
    return config.recipe.steps(inputs, 1) * config.recipe.batch_size


def _gallery(path: Path) -> GalleryView | None:
    if not path.is_file():
        return None
    found = read_pictures(path, _GALLERY)
    cards = [
        Card(
            original=Picture(data_uri(sample), str(kind)),
            drawn=_pictures(found["augmented"][:, i], found["captions"][:, i]),
        )
        for i, (sample, kind) in enumerate(zip(found["originals"], found["classes"], strict=True))
    ]
    if "strips" not in found:
        return GalleryView(cards, [])
    rows = zip(found["operators"], found["strips"], found["strip_captions"], strict=True)
    return GalleryView(cards, [(str(name), _pictures(inputs, captions)) for name, inputs, captions in rows])


def _examples(path: Path) -> dict[str, list[Picture]]:
    """Pictures that the policy set right, and that it broke."""
    if not path.is_file():
        return {}
    found = read_pictures(path, _EXAMPLES)
    pictures = _pictures(found["samples"], found["captions"])
    sides = {"Set right": True, "Broken": False}
    return {
        title: [p for p, is_fixed in zip(pictures, found["fixed"], strict=True) if is_fixed == side]
        for title, side in sides.items()
    }


def _pictures(inputs: np.ndarray, captions: np.ndarray) -> list[Picture]:
    return [Picture(data_uri(sample), str(text)) for sample, text in zip(inputs, captions, strict=True)]
