"""What is said of a difference."""

from __future__ import annotations

import pytest

from autoaug.evaluation.wording import claimed, sureness
from autoaug.results import ACCURACY, Comparison, MetricRecord


def comparison(**changes: object) -> Comparison:
    given = {
        "candidate": "found",
        "baseline": "flip-crop",
        "against": "the default habit",
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
        "with more seeds, ±0.80 only with more test samples. This is for this split into training and test samples."
    )
    assert "This is over 5 folds of the data." in sureness(comparison(folds=5), ACCURACY)


def test_an_older_result_has_no_parts() -> None:
    text = sureness(comparison(seeds_reach=None, samples_reach=None), ACCURACY)
    assert text.endswith("the luck of the test samples is not part of it.")


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.007, 0.025), "found is better than flip-crop (the default habit): +1.60 points, +0.70 to +2.50"),
        ((-0.025, -0.007), "found is worse than flip-crop"),
        ((-0.001, 0.025), "found is not proven to differ from flip-crop"),
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
