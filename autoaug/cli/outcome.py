"""What the command line says of a finished run."""

from __future__ import annotations

from rich.console import Console

from autoaug.evaluation.advice import advice
from autoaug.evaluation.cautions import cautions
from autoaug.evaluation.statistics import FEWEST_SEEDS
from autoaug.evaluation.wording import claimed, lengthened, sureness
from autoaug.policy.words import in_distinct_words, in_words
from autoaug.report.usage import code_lines
from autoaug.results import Candidate, MetricRecord, SearchResult
from autoaug.utils.terminal import say


def print_outcome(console: Console, result: SearchResult) -> None:
    """Print the candidates, the verdict and what to do next."""

    def line(text: str) -> None:
        say(console, text)

    metric = result.metric
    line("")
    line(f"{metric.title('test')}, mean over the seeds:")
    candidates = sorted(result.candidates, key=lambda c: -c.mean)
    intervals = [_interval(c, metric) for c in candidates]
    width = max(map(len, intervals))
    distinct = in_distinct_words([c.policy for c in candidates])
    for c, interval, words in zip(candidates, intervals, distinct, strict=True):
        what = "" if c.kind == "baseline" else f": {words}"
        mean = metric.number(metric.value(c.mean))
        line(f"  {mean:>6}{metric.behind}  {interval:<{width}}  {c.name}, {c.kind}{what}")  # names may be long paths
    line("")
    line(result.sentence)
    if result.comparison is not None:
        line(sureness(result.comparison, result.metric))
    if words := lengthened(result):
        line(words)
    for claim in result.claims:
        line(claimed(claim, result.metric))
    for caution in cautions(result):
        line(caution)
    line("")
    line(f"verdict: {result.verdict}")
    line(f"use:     {in_words(result.returned_candidate.policy)}")
    if module := max(result.run_dir.glob("policy_*.py"), default=None):
        for code in code_lines(module, result.policy, result.data):
            line(f"{'':<11}{code}")
    for number, step in enumerate(advice(result)):
        line(f"{'' if number else 'next:':<9}{step}")
    line(f"policy:  {result.run_dir / 'policy.yaml'}")
    line(f"report:  {result.run_dir / 'report.html'}")


def _interval(candidate: Candidate, metric: MetricRecord) -> str:
    if len(candidate.seeds) < FEWEST_SEEDS:
        return "[too few seeds]"
    low, high = metric.interval(candidate.ci95)
    return f"[{metric.number(low)}, {metric.number(high)}]"
