"""The page that compares several runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autoaug.errors import RunError
from autoaug.evaluation.statistics import FEWEST_SEEDS
from autoaug.report.charts.compared import compared_chart
from autoaug.report.frame import plotly_script, render
from autoaug.report.reading import read_finished
from autoaug.runs.folder import RunFolder
from autoaug.utils.files import write_atomically


def write_comparison(folders: Sequence[RunFolder], path: Path, cdn: bool = False) -> Path:
    """Write one page that compares finished runs, and return its path. Raises `RunError` if one is not finished, or
    they do not use the same metric.
    """
    have_own_names = len({folder.name for folder in folders}) == len(folders)
    runs = [(folder.name if have_own_names else str(folder.root), read_finished(folder)) for folder in folders]
    metric, *others = {run.facts.metric: None for _, run in runs}
    if others:
        names = ", ".join(one.name for one in (metric, *others))
        raise RunError(f"the runs use different metrics ({names}); compare runs with the same metric")
    chart = compared_chart([(name, run.result) for name, run in runs], metric)
    given = {"runs": runs, "chart": chart, "metric": metric, "fewest_seeds": FEWEST_SEEDS}
    write_atomically(path, render("comparison.html", plotly_script(cdn), **given))
    return path
