"""The sentences about a difference."""

from __future__ import annotations

import pytest

from autoaug.evaluation.comparing import Paired
from autoaug.evaluation.statistics import Errors
from autoaug.evaluation.wording import Phrases, claimed, decided, sureness
from autoaug.results import ACCURACY, Comparison, MetricRecord


def comparison(**changes: object) -> Comparison:
    given = {
        "candidate": "found",
        "baseline": "flip-crop",
        "against": "the usual default",
        "differences": (0.02, 0.01, 0.018),
        "difference": 0.016,
        "ci95": (0.007, 0.025),
        "seeds_reach": 0.004,
        "samples_reach": 0.008,
        "p_value": 0.01,
        **changes,
    }
    return Comparison.model_validate(given)


def test_both_parts_of_the_interval_are_told_and_where_it_holds() -> None:
    assert sureness(comparison(), ACCURACY) == (
        "With 3 seeds, differences below 0.90 points cannot be told from luck here: of ±0.90 points, ±0.40 would go "
        "with more seeds, ±0.80 only with more test samples. This holds for this one split into training and test "
        "samples."
    )


def test_the_number_of_tested_groups_is_told_and_more_of_them_would_help() -> None:
    text = sureness(comparison(test_groups=7), ACCURACY)
    assert text.startswith("With 3 seeds and 7 groups of test samples, differences below 0.90 points")
    assert "±0.80 only with more groups of test samples." in text


def test_over_folds_the_second_part_is_for_shared_training_samples() -> None:
    """It is the term of Nadeau and Bengio, which more test samples alone would not shrink."""
    text = sureness(comparison(folds=5), ACCURACY)
    assert "±0.80 only with more data, because the folds' trainings share samples. This holds over 5 folds" in text
    assert "5 folds of the data, and each group is in one of them." in sureness(
        comparison(folds=5, test_groups=12), ACCURACY
    )


@pytest.mark.parametrize("reach", [0.0, 3e-9])  # the latter of a metric without steps
def test_luck_of_the_samples_that_was_estimated_as_none_is_not_called_zero(reach: float) -> None:
    """The variance between samples was below what the noise of the seeds makes of it."""
    text = sureness(comparison(seeds_reach=0.009, samples_reach=reach), ACCURACY)
    assert "±0.90 would go with more seeds" in text
    assert "and the luck of the test samples could not be told apart from the noise of the seeds." in text
    assert "±0.00" not in text


def test_an_older_result_has_no_parts() -> None:
    text = sureness(comparison(seeds_reach=None, samples_reach=None), ACCURACY)
    assert text.endswith("the luck of the test samples is not part of it.")


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (
            (0.007, 0.025),
            "is better than flip-crop (the usual default): +1.60 points, +0.70 to +2.50",
        ),
        ((-0.025, -0.007), "policy is worse than flip-crop"),
        ((-0.001, 0.025), "policy is not proven to differ from flip-crop"),
    ],
)
def test_a_claim_says_what_is_proven(interval: tuple[float, float], words: str) -> None:
    assert words in claimed(comparison(ci95=interval), ACCURACY)


def test_a_metric_of_which_less_is_better_is_shown_as_it_is() -> None:
    errors = MetricRecord(name="word error rate", unit="%", larger_is_better=False)
    text = claimed(comparison(), errors)
    assert "is better than" in text
    assert "-1.60 points, -2.50 to -0.70" in text
    assert "±0.40 would go with more seeds" in sureness(comparison(), errors)


def test_the_sentence_shows_such_a_metric_as_it_is_too() -> None:
    """A score is its negative, so a higher score is a lower error."""
    paired = Paired((0.02, 0.01, 0.018), Errors(0.001, 2))
    errors = Phrases(MetricRecord(name="word error rate", unit="%", larger_is_better=False))
    text = decided("better", "found", "flip-crop", paired, errors)
    low, high = (-100 * bound for bound in paired.ci95[::-1])
    assert "by -1.60 points of test word error rate, where lower is better" in text
    assert f"(95 % interval {low:+.2f} to {high:+.2f}, 3 seeds" in text


def test_two_seeds_are_too_few_for_an_interval() -> None:
    """Student's t with one degree of freedom gives figures that help nobody."""
    text = decided(
        "no significant difference", "own", "flip-crop", Paired((0.02, 0.01), Errors(0.02, 1)), Phrases(ACCURACY)
    )
    assert "+1.50 points of test accuracy (2 seeds, too few for an interval)" in text
    few = comparison().model_copy(update={"differences": (0.02, 0.01), "ci95": (-0.05, 0.08)})
    assert "pass --seeds 5" in sureness(few, ACCURACY)
    assert "too few seeds for an interval" in claimed(few, ACCURACY)


def test_what_two_seeds_prove_is_shown_with_its_interval() -> None:
    """The verdict "better" stood beside "too few for an interval" and "cannot tell a difference from luck"."""
    sure = Paired((0.2, 0.21), Errors(0.001, 1))
    text = decided(sure.verdict, "own", "flip-crop", sure, Phrases(ACCURACY))
    assert text.startswith("Better: ")
    assert "+20.50 points of test accuracy (95 % interval +19.23 to +21.77, 2 seeds, p = 0.0031)" in text
    known = comparison().model_copy(update={"differences": sure.differences, "ci95": sure.ci95})
    assert "cannot tell a difference from luck" not in sureness(known, ACCURACY)
    assert "too few" not in claimed(known, ACCURACY)
