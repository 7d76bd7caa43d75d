"""What to try where nothing was proven: computed from the parts of the interval, never a canned tip."""

from __future__ import annotations

import math

from autoaug.evaluation.wording import LONGER_SEARCH, USUAL_SEEDS, is_vague, sample_cure
from autoaug.results import Comparison, SearchResult, known_policies

#: Where differences as large as this cannot be seen for the luck of the test samples, trying more policies is in vain.
_LARGE = 0.05
#: With an error rate as high as this, a network has hardly learned.
_HARDLY = 0.95
#: With a share as large as this, hardly anything is left to gain.
_SOLVED = 0.995


def advice(result: SearchResult) -> list[str]:
    """What would most likely turn the verdict into "better", most promising first; empty where it is already."""
    if result.verdict == "better":
        return []
    steps = []
    metric, best = result.metric, max(candidate.mean for candidate in result.candidates)
    if metric.unit == "%" and not metric.larger_is_better and -best >= _HARDLY:
        steps.append(
            f"longer training (--epochs) or more data: with a {metric.name} of {metric.value(best):.0f} % at best, "
            "networks have hardly learned, whatever the policy"
        )
    if metric.is_share and best >= _SOLVED:
        return [
            f"harder test samples, or nothing: with {metric.value(best):.1f} % {metric.name} at best, this split is "
            "solved, and no policy can show that it is better"
        ]
    if result.stopped and not result.exhausted:
        steps.append("--no-early-stop spends the rest of the budget, against the odds")
    comparison = result.comparison
    if comparison is not None and is_vague(comparison.differences, comparison.ci95):
        seeds = len(comparison.differences)
        had = "was 1 seed" if seeds == 1 else f"were {seeds} seeds"
        steps.append(
            f"--seeds {USUAL_SEEDS}, with a longer --time if you limit it: there {had}, and so few cannot "
            "tell a difference from luck"
        )
    elif comparison is not None and comparison.difference > 0 and (settled := _settling(comparison, result)):
        steps.append(settled)
    elif result.history and (result.exhausted or not result.stopped):
        steps += _unhidden(comparison, result)
        known = known_policies(result.history)
        tried = len({trial.fingerprint for trial in result.history if trial.fingerprint} - known)
        policies = "1 policy was" if tried == 1 else f"{tried} policies were"
        found = f", and {_found(comparison, tried)}" if tried else ""
        more = f", or another --space: {policies} tried{found}" if tried else ": the search tried no policy of its own"
        another = f"another --space or --strategy: {result.stopped}{found}"
        steps.append(another if result.exhausted else f"{LONGER_SEARCH}{more}")
    return steps


def _found(comparison: Comparison | None, tried: int) -> str:
    """How good the policies are that were tried."""
    if comparison is None:
        return "it does not look better" if tried == 1 else "none looks better"
    ahead = "not ahead" if comparison.difference <= 0 else "hardly ahead"
    return f"{'it' if tried == 1 else 'the best of them'} is {ahead} by test"


def _unhidden(comparison: Comparison | None, result: SearchResult) -> list[str]:
    """What lets smaller differences be seen, where the luck of the test samples hides large ones."""
    reach = comparison.samples_reach if comparison is not None and result.metric.is_share else None
    if comparison is None or reach is None or reach < _LARGE:
        return []
    hidden = f"{result.metric.number(result.metric.value(reach), 0)} points"
    return [f"{sample_cure(comparison)}: the luck of these alone hides differences below {hidden}"]


def _settling(comparison: Comparison, result: SearchResult) -> str:
    """How many seeds and test samples would prove a lead of this size, if it is real: the squares of the two parts of
    half the interval's width shrink in proportion to 1 / count. Empty where they are not known.
    """
    lead, by_seeds, by_samples = comparison.difference, comparison.seeds_reach, comparison.samples_reach
    if by_seeds is None or by_samples is None:
        return ""
    seeds = len(comparison.differences)
    shown = f"{result.metric.difference(lead)} {result.metric.points}".strip()
    left_for_seeds, left_for_samples = lead**2 - by_samples**2, lead**2 - by_seeds**2
    if left_for_seeds > 0:
        more = f"--max-seeds {_count(seeds * by_seeds**2 / left_for_seeds)} (now {seeds})"
    elif left_for_samples > 0:
        more = _more_samples(comparison, result, by_samples**2 / left_for_samples)
    else:
        more = f"{_more_samples(comparison, result, 2 * by_samples**2 / lead**2)}, and "
        more += f"--max-seeds {_count(2 * seeds * by_seeds**2 / lead**2)}"
    return f"to prove a lead of {shown}, if it is real, it takes about {more}"


def _more_samples(comparison: Comparison, result: SearchResult, factor: float) -> str:
    """That many times the test samples, or their groups."""
    if comparison.folds is not None:
        return f"{factor:.1f} times the data"
    tested = comparison.test_groups or result.data.test
    what = sample_cure(comparison).removeprefix("more ")
    return f"{_count(tested * factor):,} {what} (now {tested:,})"


def _count(value: float) -> int:
    """A count rounded up to two digits."""
    step = int(10 ** max(0, math.floor(math.log10(max(1.0, value))) - 1))
    return step * math.ceil(value / step)
