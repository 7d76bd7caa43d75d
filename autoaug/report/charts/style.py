"""The common style of all figures: colors, axes, and names that Plotly does not read as markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from textwrap import wrap

import plotly.graph_objects as go

#: A palette for color-blind readers (Wong, 2011) that works on white and on black.
COLORS = {"searched": "#0072B2", "baseline": "#808a93", "control": "#D55E00"}
ACCENT, MUTED, WARN = COLORS["searched"], COLORS["baseline"], COLORS["control"]
#: Colors by how a trial ended.
STATUS = {"complete": ACCENT, "pruned": MUTED, "failed": WARN}
_LONGEST = 32
#: The most characters in a line of the title of an x axis, of a y axis, and beside one: a phone has room for so many.
_TITLE, _UPWARD, _BESIDE = 38, 30, 22
#: Up to this many steps, each gets a tick; for more, Plotly itself chooses whole numbers.
_FEW_STEPS = 16


def base_figure(height: int, x: str, y: str = "") -> go.Figure:
    """An empty figure with axis titles; see `styled`."""
    figure = styled(go.Figure(), height)
    figure.update_xaxes(title_text=in_lines(x), automargin=True, zeroline=False)
    figure.update_yaxes(title_text=in_lines(y, _UPWARD), automargin=True, zeroline=False)
    return figure


def styled(figure: go.Figure, height: int) -> go.Figure:
    """The same figure in the common style; `height` in pixels."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 16, "t": 16, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"align": "left"},
    )
    return figure


def count_whole(figure: go.Figure, steps: int) -> None:
    """Allow no ticks between whole numbers on the x axis, which covers `steps` steps."""
    if steps <= _FEW_STEPS:
        figure.update_xaxes(dtick=1)


def in_lines(text: str, longest: int = _TITLE) -> str:
    """Text that Plotly shows on several lines where it is long; no word is parted."""
    return "<br>".join(wrap(text, longest, break_long_words=False, break_on_hyphens=False))


def beside(name: str) -> str:
    """An escaped name in lines that leave room for the chart beside them, also on a phone."""
    return in_lines(name, _BESIDE)


def plain(name: str) -> str:
    """A name escaped for Plotly, which reads tags and only these three entities."""
    return escape(name, quote=False)


def short(name: str) -> str:
    """A name for an axis: escaped, and shortened so that it leaves room for the chart."""
    return plain(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")


def distinct(names: Sequence[str]) -> list[str]:
    """Different names for an axis, on which Plotly draws equal ones at the same place: `short` ones, those that would
    then be equal with their ends, too, and those that still are with a number.
    """
    half, same, seen = _LONGEST // 2, Counter(map(short, names)), Counter[str]()
    labels = []
    for name in names:
        is_told = len(name) <= _LONGEST or same[short(name)] == 1
        label = short(name) if is_told else plain(f"{name[: half - 1]}…{name[-half:]}")
        seen[label] += 1
        labels.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return labels


def on_data(data_fraction: float) -> str:
    """A data fraction as text, such as ``25 % of the data``."""
    return f"{100 * data_fraction:g} % of the data"
