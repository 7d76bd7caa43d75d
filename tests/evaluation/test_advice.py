"""What to try where nothing was proven follows from the parts of the interval."""

from __future__ import annotations

import math
import re

import pytest

from autoaug.evaluation.advice import advice
from autoaug.results import MetricRecord, SearchResult
from tests.conftest import published


def undecided(lead: float, by_seeds: float, by_samples: float) -> SearchResult:
    """A published result whose lead and parts of the interval are these."""
    result = published()
    assert result.comparison is not None
    changed = {"difference": lead, "seeds_reach": by_seeds, "samples_reach": by_samples, "test_groups": None}
    return result.model_copy(
        update={
            "verdict": "no significant difference",
            "comparison": result.comparison.model_copy(update=changed),
            "stopped": "",
        }
    )


def test_a_better_policy_needs_no_advice() -> None:
    assert advice(undecided(0.01, 0.02, 0.001).model_copy(update={"verdict": "better"})) == []


def test_seeds_are_asked_for_where_they_can_decide() -> None:
    result = undecided(0.01, 0.02, 0.006)
    (step,) = advice(result)
    seeds = int(re.search(r"--max-seeds (\d+)", step)[1])  # type: ignore[index]
    assert result.comparison is not None
    now = len(result.comparison.differences)
    half_width = math.hypot(0.02 * math.sqrt(now / seeds), 0.006)
    assert half_width == pytest.approx(0.01, rel=0.1)
    assert half_width <= 0.01


def test_samples_are_asked_for_where_they_alone_can_decide() -> None:
    result = undecided(0.01, 0.006, 0.02)
    (step,) = advice(result)
    samples = int(re.search(r"about ([\d,]+) test samples", step)[1].replace(",", ""))  # type: ignore[index]
    half_width = math.hypot(0.006, 0.02 * math.sqrt(result.data.test / samples))
    assert half_width == pytest.approx(0.01, rel=0.1)
    assert half_width <= 0.01


def test_without_a_lead_more_policies_are_asked_for() -> None:
    (step,) = advice(undecided(-0.01, 0.02, 0.006))
    assert step.startswith("a longer search (more --time, --trials or --budget)")
    assert "policies were tried, and the best of them is not ahead by test" in step


def test_where_few_test_samples_hide_large_differences_more_of_them_come_first() -> None:
    first, second = advice(undecided(-0.01, 0.02, 0.3))
    assert first == "more test samples: the luck of these alone hides differences below 30 points"
    assert "--budget" in second


def test_networks_that_have_hardly_learned_ask_for_longer_training_first() -> None:
    result = undecided(0.01, 0.02, 0.006)
    rate = MetricRecord(name="WER", larger_is_better=False)
    for error, is_asked in ((0.97, True), (0.6, False)):
        candidates = [candidate.model_copy(update={"mean": -error}) for candidate in result.candidates]
        candidates[0] = candidates[0].model_copy(update={"mean": -1.1})
        first = advice(result.model_copy(update={"metric": rate, "candidates": tuple(candidates)}))[0]
        assert first.startswith("longer training (--epochs) or more data: with a WER of 97 %") == is_asked


@pytest.mark.parametrize(("best", "is_solved"), [(0.998, True), (0.98, False)])
def test_a_solved_test_split_asks_for_no_larger_search(best: float, is_solved: bool) -> None:
    result = undecided(0.0, 0.02, 0.006).model_copy(update={"stopped": "the best baseline is hard to beat"})
    candidates = [candidate.model_copy(update={"mean": best}) for candidate in result.candidates]
    steps = advice(result.model_copy(update={"candidates": tuple(candidates)}))
    assert steps[0].startswith(f"harder test samples, or nothing: with {100 * best:.1f} % accuracy") == is_solved
    assert any("--no-early-stop" in step for step in steps) != is_solved


def test_an_exhausted_search_asks_for_other_policies_and_no_larger_budget() -> None:
    reason = "all 15 points of the grid were tried"
    result = undecided(-0.01, 0.02, 0.006).model_copy(update={"stopped": reason, "exhausted": True})
    (step,) = advice(result)
    assert step == f"another --space or --strategy: {reason}, and the best of them is not ahead by test"


def test_two_seeds_ask_for_the_usual_number() -> None:
    result = undecided(0.03, 1.4, 0.02)
    assert result.comparison is not None
    few = result.comparison.model_copy(update={"differences": result.comparison.differences[:2]})
    few = few.model_copy(update={"ci95": (-1.0, 1.1)})
    (step,) = advice(result.model_copy(update={"comparison": few}))
    assert step.startswith("--seeds 5, with a longer --time if you limit it: there were 2 seeds")
    worse = few.model_copy(update={"ci95": (-0.032, -0.028), "difference": -0.03})
    (step,) = advice(result.model_copy(update={"comparison": worse, "verdict": "worse"}))
    assert "--seeds" not in step, "what two seeds have proven is no luck"
