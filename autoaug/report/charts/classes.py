"""The effect of a policy on each class."""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

from autoaug.evaluation.statistics import FEWEST_SEEDS, clipped, estimate
from autoaug.report.before_after import before_and_after
from autoaug.report.charts.chart import Chart, RunFacts
from autoaug.report.charts.style import ACCENT, MUTED, WARN, base_figure, distinct, short
from autoaug.results import RECALL, Candidate, SearchResult

#: With more classes than this, only those with the largest losses and gains are drawn.
_MOST_ROWS = 40


class ClassRow(NamedTuple):
    """Values on one class before and after, the difference of the scores, and the 95 % interval of the paired
    difference of values over the seeds that both share; None if these are too few.
    """

    name: str
    before: float
    after: float
    gain: float
    ci95: tuple[float, float] | None


class Classes(NamedTuple):
    """Values per class, and the names of the two candidates."""

    before: str
    after: str
    rows: tuple[ClassRow, ...]


def classes(result: SearchResult) -> Classes | None:
    """The recall of all classes with test samples, largest loss first; None if it was not kept per class."""
    pair = before_and_after(result)
    if pair is None or not all(c.class_scores for c in pair):
        return None
    before, after = pair
    shared = [seed for seed in before.seeds if seed in after.seeds]
    rows = []
    for i, name in enumerate(result.data.classes):
        old, new = before.class_scores[i], after.class_scores[i]
        if old is not None and new is not None:
            scores = _interval(before, after, i, shared)
            interval = None if scores is None else RECALL.interval(scores)
            rows.append(ClassRow(name, RECALL.value(old), RECALL.value(new), new - old, interval))
    return Classes(before.label, after.label, tuple(sorted(rows, key=lambda row: row.gain)))


def _interval(before: Candidate, after: Candidate, index: int, seeds: list[int]) -> tuple[float, float] | None:
    if not before.class_scores_by_seed or not after.class_scores_by_seed:
        return None
    pairs = [[c.class_scores_by_seed[c.seeds.index(seed)][index] for c in (before, after)] for seed in seeds]
    differences = [new - old for old, new in pairs if old is not None and new is not None]
    if len(differences) < FEWEST_SEEDS:
        return None
    samples = max(1, sum(before.confusion[index]) // len(before.seeds))
    return clipped(estimate(differences, 1 / samples).ci95, (-1.0, 1.0))


def classes_figure(per_class: Classes) -> go.Figure:
    """Values per class before and after, the largest loss first."""
    half = _MOST_ROWS // 2
    shown = per_class.rows if len(per_class.rows) <= _MOST_ROWS else (*per_class.rows[:half], *per_class.rows[-half:])
    figure = base_figure(130 + 24 * len(shown), RECALL.title(at="of the class"))
    names = distinct([row.name for row in shown])
    for row, name in zip(shown, names, strict=True):
        figure.add_scatter(
            x=[row.before, row.after],
            y=[name, name],
            mode="lines",
            line={"color": ACCENT if row.gain >= 0 else WARN, "width": 2},
            showlegend=False,
            hoverinfo="skip",
        )
    for label, values, color, symbol in (
        (per_class.before, [row.before for row in shown], MUTED, "circle-open"),
        (per_class.after, [row.after for row in shown], ACCENT, "circle"),
    ):
        figure.add_scatter(
            x=values,
            y=names,
            mode="markers",
            marker={"color": color, "size": 9, "symbol": symbol, "line": {"width": 2}},
            name=short(label),
            hovertemplate=f"%{{y}}: %{{x:{RECALL.digits(1)}}}{RECALL.behind}<extra></extra>",
        )
    # Where all are 100 %, Plotly would go on to 101 %.
    figure.update_xaxes(autorangeoptions={"clipmax": RECALL.value(1)})
    figure.update_traces(cliponaxis=False)
    figure.update_yaxes(
        categoryorder="array", categoryarray=names[::-1], type="category", range=[-0.6, len(names) - 0.4]
    )
    return figure


def classes_chart(facts: RunFacts) -> Chart | None:
    """The chart for a run with two candidates to compare."""
    per_class = None if facts.result is None else classes(facts.result)
    if per_class is None:
        return None
    half, count = _MOST_ROWS // 2, len(per_class.rows)
    of_some = f", for the {half} of {count} classes that lose most and the {half} that gain most"
    which = of_some if count > _MOST_ROWS else ""
    return Chart(
        "classes",
        "recall",
        "",
        f"{RECALL.heading} per class before and after{which}. The intervals in its table are for new seeds alone, "
        "and each holds with 95 % on its own: with several classes, one or another may be luck.",
        classes_figure(per_class),
        (
            "class",
            RECALL.column(per_class.before),
            RECALL.column(per_class.after),
            "change",
            "95 % interval",
        ),
        [
            (
                r.name,
                r.before,
                r.after,
                r.after - r.before,
                f"{r.ci95[0]:+.1f} to {r.ci95[1]:+.1f}" if r.ci95 else "too few seeds",
            )
            for r in per_class.rows
        ],
    )
