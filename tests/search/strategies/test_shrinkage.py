"""Estimates from repeated, noisy trials, some of them cheap."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.trial import create_trial

from autoaug.search.strategies import REQUEST, TrialRecord
from autoaug.search.strategies.shrinkage import policy_estimates


def record(
    number: int, policy: str, score: float | None, data_fraction: float = 0.25, seed_index: int = 0
) -> TrialRecord:
    frozen = create_trial(value=0.0, user_attrs={REQUEST: {"fingerprint": policy}})
    values = () if score is None else (score,)
    return TrialRecord(number, policy, "", data_fraction, seed_index, False, values, 1, 1.0, frozen)


def test_what_is_believed_is_nearer_the_truth_than_the_scores_are() -> None:
    """A simulation: 40 policies, of which the best ten by a first noisy score are repeated; 200 times."""
    draw = np.random.default_rng(0)
    raw, believed, regret_raw, regret = [], [], [], []
    for _ in range(200):
        truth = draw.normal(0, 0.01, 40)
        seeds = draw.normal(0, 0.01, 4)  # what a repeat's sample does to all policies alike
        scores = truth[:, None] + seeds + draw.normal(0, 0.02, (40, 4))
        best = np.argsort(-scores[:, 0])[:10]
        trials = [record(i, str(i), 0.5 + scores[i, 0]) for i in range(40)]
        trials += [record(100 + 4 * i + r, str(i), 0.5 + scores[i, r], seed_index=r) for i in best for r in (1, 2, 3)]
        estimates = policy_estimates(trials)
        first = int(estimates[0].record.key[0])
        expected = {int(s.record.key[0]): s.expected for s in estimates}
        raw.append(np.mean([(scores[i, 0] - truth[i]) ** 2 for i in best]))
        believed.append(np.mean([(expected[i] - truth[i]) ** 2 for i in best]))
        regret.append(truth.max() - truth[first])
        regret_raw.append(truth.max() - truth[scores[:, 0].argmax()])
    assert np.mean(believed) < 0.3 * np.mean(raw), "the winner's curse is corrected"
    assert np.mean(regret) < 0.8 * np.mean(regret_raw), "and better policies are picked"


def test_a_hard_repeat_is_not_held_against_those_who_had_it() -> None:
    trials = [record(i, str(i), 0.60 - 0.02 * i) for i in range(5)]
    trials += [record(10 + i, str(i), 0.40 - 0.02 * i, seed_index=1) for i in range(3)]
    trials += [record(20 + i, str(i), 0.80 - 0.02 * i, data_fraction=1.0) for i in range(2)]
    estimates = policy_estimates(trials)
    assert [s.record.key[0] for s in estimates] == ["0", "1", "2", "3", "4"]
    assert [s.trials for s in estimates] == [3, 3, 2, 1, 1]
    assert [s.is_whole for s in estimates] == [True, True, False, False, False]
    assert estimates[0].record.data_fraction == 1.0


def test_what_one_policy_alone_was_repeated_on_tells_nothing_of_the_noise() -> None:
    """Nobody knows whether those seeds were hard, so that the estimates of all others stay as they are."""
    once = [record(i, str(i), 0.50 + 0.01 * i) for i in range(8)]
    alone = [record(100 + r, "7", 0.57 + 0.05 * r, seed_index=r) for r in range(1, 6)]
    before, after = (
        {s.record.key[0]: s.expected for s in policy_estimates(trials)} for trials in (once, [*once, *alone])
    )
    assert [after[name] for name in "0123456"] == pytest.approx([before[name] for name in "0123456"], abs=0.004)


def test_a_trial_that_was_told_as_another_is_no_new_evidence() -> None:
    trials = [record(0, "a", 0.6), record(1, "b", 0.5), record(2, "a", 0.6), record(3, "c", None)]
    assert [(s.record.number, s.trials) for s in policy_estimates(trials)] == [(0, 1), (1, 1)]


def test_alike_scores_are_believed_to_be_luck() -> None:
    estimates = policy_estimates([record(i, str(i), 0.5 + 0.001 * i) for i in range(20)])
    assert estimates[0].expected == pytest.approx(0.0, abs=0.002)
    assert policy_estimates([]) == []
