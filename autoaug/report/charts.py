"""A chart as it stands in a page: a figure, what it shows in words, and the table of its data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup
from plotly.io import to_html

from autoaug.report import change_figures, change_numbers, figures, numbers, search_figures, search_numbers
from autoaug.results import Robustness, SearchResult, TrialSummary

_AFFINITY = (
    "Each operator at half of its highest strength, shown to one model that was trained without augmentation: affinity "
    "is the share of its accuracy that is kept on augmented validation samples, diversity how many times its loss on "
    "augmented training samples grows (Gontijo-Lopes et al., 2020). The label-safe range is the share of the highest "
    "strength at which 90 % of the accuracy are kept. Only where to start follows from this, not what is tried."
)


class Chart(NamedTuple):
    """A figure with its text alternative.

    Attributes:
        name: of the figure, unique in the page.
        section: of the page that it stands in.
        title: of the chart.
        words: what it shows.
        figure: of Plotly.
        head: of the table of its data; empty where the page has that table already.
        rows: of the table, texts and numbers.
    """

    name: str
    section: str
    title: str
    words: str
    figure: Any
    head: tuple[str, ...] = ()
    rows: Sequence[Sequence[str | float]] = ()

    def html(self) -> Markup:
        """The figure as a part of a page that has Plotly and draws its charts one after another (``page.js``)."""
        # What would end the script or begin a comment is escaped; what Plotly would take for markup, the figures have
        # escaped.
        data = self.figure.to_json().replace("<", "\\u003c").replace(">", "\\u003e")
        place = Markup('<div id="figure-{0}" style="height: {1}px"></div>').format(self.name, self.figure.layout.height)
        return place + Markup(f'<script type="application/json" data-figure="figure-{self.name}">{data}</script>')  # noqa: S704

    def html_at_once(self) -> Markup:
        """The same with a script of its own, for a page of others."""
        name = f"figure-{self.name}"
        return Markup(to_html(self.figure, include_plotlyjs=False, full_html=False, div_id=name))  # noqa: S704


def result_charts(result: SearchResult, full_length: int) -> Iterator[Chart]:
    """The charts of a whole run, in the order of the page; those that have nothing to show are left out."""
    rows = numbers.candidate_rows(result)
    yield Chart(
        "candidates",
        "result",
        "",
        "Test accuracy of each candidate with its interval; the figures are in the table below.",
        figures.candidates_figure(rows),
    )
    if result.comparison and (differences := change_numbers.differences(result)):
        comparison = result.comparison
        low, high = (100 * bound for bound in comparison.ci95)
        yield Chart(
            "differences",
            "result",
            f"Seed by seed: {comparison.candidate} minus {comparison.baseline}",
            "Each dot is a seed, the band the 95 % interval of the mean.",
            change_figures.differences_figure(differences, (low, high), 100 * comparison.difference),
            ("seed", comparison.candidate, comparison.baseline, "difference"),
            [(str(d.seed), d.candidate, d.baseline, d.difference) for d in differences],
        )
    if classes := change_numbers.classes(result):
        yield Chart(
            "classes",
            "classes",
            "",
            "Accuracy per class before and after.",
            change_figures.classes_figure(classes),
            ("class", f"{classes.before}, %", f"{classes.after}, %", "change", "95 % interval"),
            [
                (
                    r.name,
                    r.before,
                    r.after,
                    r.after - r.before,
                    f"{r.ci95[0]:+.1f} to {r.ci95[1]:+.1f}" if r.ci95 else "",
                )
                for r in classes.rows
            ],
        )
        if confusion := change_numbers.confusion(result):
            yield _confusion(confusion, classes)
    yield from search_charts(result.history, full_length)
    if importance := numbers.importance(result):
        yield Chart(
            "importance",
            "search",
            "What mattered",
            "Share of the variance of accuracy that each choice explains (fANOVA), over the complete trials, for the "
            "choices that all of them had to make.",
            figures.importance_figure(importance),
            ("choice", "share"),
            importance,
        )
    if front := numbers.front(result):
        yield Chart(
            "front",
            "search",
            "The best compromises",
            f"No trial is better than one of the best compromises at {', '.join(result.objectives)} together (compute "
            "in trainings; larger dots take more).",
            figures.front_figure(front, result.objectives),
            ("trial", *result.objectives),
            [(p.name, *p.values) for p in sorted(front, key=lambda p: -p.values[0]) if p.is_best],
        )
    if affinities := numbers.affinities(result):
        yield _affinity(result, affinities)


def search_charts(trials: Sequence[TrialSummary], full_length: int) -> Iterator[Chart]:
    """The charts of a search that may still be under way."""
    history = numbers.history(trials)
    if not history.drawn:
        return
    yield Chart(
        "history",
        "search",
        "Trial by trial",
        "Validation accuracy of the trials in order; dotted lines are the baselines under the same conditions.",
        figures.history_figure(history),
    )
    if lines := search_numbers.reached(trials, full_length):
        yield Chart(
            "reached",
            "search",
            "What it had reached when",
            "The best validation accuracy so far against the compute spent.",
            search_figures.reached_figure(lines, history.baselines),
            ("data", "trainings", "accuracy, %", "trial"),
            [(f"{100 * s:g} %", p.trainings, p.accuracy, p.name) for s, line in lines.items() for p in line],
        )
    if curves := search_numbers.curves(trials):
        yield Chart(
            "curves",
            "search",
            "Learning curves",
            "Validation accuracy at each rung; trials that were pruned end early.",
            search_figures.curves_figure(curves),
        )
    if parallel := search_numbers.parallel(trials):
        head = ("accuracy, %", *parallel.choices)
        table = list(zip(parallel.accuracies, *parallel.choices.values(), strict=True))
        on = f"the trials on {100 * parallel.data_fraction:g} % of the data"
        yield Chart(
            "parallel",
            "search",
            "Choices and accuracy",
            f"Each line is one of {on}, through every choice that all of them made to its accuracy.",
            search_figures.parallel_figure(parallel),
            head,
            table,
        )
        yield Chart(
            "slices",
            "search",
            "One choice at a time",
            f"The accuracy of {on} over the values of each choice.",
            search_figures.slices_figure(parallel),
            head,
            table,
        )
    if busy := search_numbers.timeline(trials):
        yield Chart(
            "timeline",
            "cost",
            "Who was busy when",
            "The trials over time, in as many rows as ran side by side.",
            search_figures.timeline_figure(busy),
            ("trial", "row", "from, s", "to, s", "outcome"),
            [(row.name, str(row.lane + 1), row.begin, row.end, row.status) for row in busy],
        )


def robustness_chart(found: Robustness) -> Chart:
    """Accuracy under each corruption as it grows."""
    lines = change_numbers.corrupted(found)
    return Chart(
        "robustness",
        "robustness",
        "Accuracy under common corruptions",
        "Each line is a corruption at severities 1 to 5, after the clean samples at 0; the thick one is their mean, the "
        "dotted one the accuracy under the attack.",
        change_figures.robustness_figure(lines, 100 * found.attacked),
        ("corruption", "clean", *(f"severity {i}" for i in range(1, 6))),
        [(name, *values) for name, values in lines.items()],
    )


def _range(ci95: tuple[float, float] | None) -> str:
    return f"{ci95[0]:+.1f} to {ci95[1]:+.1f}" if ci95 else ""


def _confusion(found: change_numbers.Confusion, classes: change_numbers.Classes) -> Chart:
    rows: list[tuple[str, str, float, float]] = [
        (name, other, found.before[i][j], found.after[i][j])
        for i, name in enumerate(found.classes)
        for j, other in enumerate(found.classes)
        if i != j and max(found.before[i][j], found.after[i][j]) >= 1
    ]
    return Chart(
        "confusion",
        "classes",
        "Which class is taken for which",
        f"Rows are the true classes, in percent; {classes.before} on the left, {classes.after} on the right.",
        change_figures.confusion_figure(found, (classes.before, classes.after)),
        ("class", "taken for", f"{classes.before}, %", f"{classes.after}, %"),
        sorted(rows, key=lambda row: max(row[2], row[3]), reverse=True),
    )


def _affinity(result: SearchResult, rows: list[numbers.AffinityRow]) -> Chart:
    safe = {row.operator: row.strength for row in search_numbers.safe_ranges(result)}
    shown = {name: "none" if strength is None else f"up to {strength:g}" for name, strength in safe.items()}
    return Chart(
        "affinity",
        "operators",
        "",
        _AFFINITY,
        search_figures.affinity_figure(rows),
        ("operator", "affinity", "diversity", "label-safe range"),
        [(row.operator, row.affinity, row.diversity, shown.get(row.operator, "")) for row in rows],
    )
