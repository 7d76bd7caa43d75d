"""Write charts as separate files."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoaug.errors import OptionError, first_line
from autoaug.report.charts import draw_charts
from autoaug.report.reading import read_finished
from autoaug.runs.folder import RunFolder
from autoaug.utils.files import write_atomically


def write_figures(folder: RunFolder, suffix: str) -> list[Path]:
    """Write each chart of a finished run as ``figures/NAME.suffix``; return their paths.

    Raises:
        OptionError: kaleido, which renders them, is not installed, or it finds no browser.
        RunError: a link in the folder leads out of it.
    """
    if suffix not in {"png", "svg"}:
        raise OptionError(f"--figures {suffix!r} must be png or svg")
    if importlib.util.find_spec("kaleido") is None:
        raise OptionError("--figures needs the package kaleido: pip install 'autoaug[figures]'")
    folder.check_inside()
    charts = draw_charts(read_finished(folder).facts)
    try:
        with _browser():
            contents = [chart.figure.to_image(format=suffix, width=1000, scale=2) for chart in charts]
    except Exception as fault:  # kaleido raises many types, all of which mean that it cannot render
        reason = first_line(fault)
        raise OptionError(f"kaleido cannot render charts ({reason}); it needs Chrome or Chromium") from None
    paths = [folder.root / "figures" / f"{chart.name}.{suffix}" for chart in charts]
    for path, content in zip(paths, contents, strict=True):
        write_atomically(path, content)
    return paths


@contextmanager
def _browser() -> Iterator[None]:
    """One browser for all charts of the block, not one for each."""
    import kaleido

    kaleido.start_sync_server(silence_warnings=True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The kopts argument")  # Plotly's, about an empty argument
            yield
    finally:
        kaleido.stop_sync_server(silence_warnings=True)
