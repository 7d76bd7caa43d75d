"""The model over what policies do is a Gaussian process, and finds what is good faster than chance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from autoaug.policy.loading import load_policy
from autoaug.policy.models import Layer, Mixing, Operation, Phase, Policy, SubPolicy, in_turn
from autoaug.search.sampling import Drawn, sample_shaped
from autoaug.search.space import load_space
from autoaug.search.strategies.surrogate import expected_scores, traits

SPACE = load_space("standard")


def drawn(count: int, seed: int = 0) -> list[Policy]:
    generator = np.random.default_rng(seed)
    return [sample_shaped(SPACE, Drawn(generator, {})) for _ in range(count)]


def places(policies: list[Policy]) -> np.ndarray:
    names = sorted({name for policy in policies for name in traits(policy)})
    return np.array([[traits(policy).get(name, 0.0) for name in names] for policy in policies])


def test_expected_scores_are_those_of_scikit_learns_process() -> None:
    policies, generator = drawn(40), np.random.default_rng(1)
    scores = generator.normal(0.7, 0.05, 15)
    at = places(policies)
    process = GaussianProcessRegressor(ConstantKernel(2.0) * RBF(2.0), alpha=0.1, optimizer=None)
    process.fit(at[:15], (scores - scores.mean()) / scores.std())
    expected = expected_scores(list(zip(policies[:15], scores.tolist(), strict=True)), policies[15:])
    assert expected == pytest.approx(process.predict(at[15:]), abs=1e-6)


def test_equal_scores_are_equal_whatever_they_are() -> None:
    policies = drawn(12)
    expected = [expected_scores([(policy, score) for policy in policies[:3]], policies[3:]) for score in (0.1, 0.5)]
    np.testing.assert_allclose(*expected, atol=1e-9)  # the mean of three times 0.1 is not quite 0.1


def test_traits_depend_on_what_a_policy_does_and_not_on_how_it_is_written() -> None:
    turn = Operation(operator="Rotate", magnitude=(0, 0.5))
    shift = Operation(operator="TranslateX", magnitude=(0, 0.4))
    together = Policy(layers=(Layer(sub_policies=(SubPolicy(operations=(turn, shift)),)),))
    assert traits(together) == traits(Policy(layers=in_turn(turn, shift)))
    half = turn.model_copy(update={"probability": 0.5})
    weighted = Layer(sub_policies=(SubPolicy(operations=(turn,)), SubPolicy(operations=())))
    assert traits(Policy(layers=(weighted,)))["Rotate"] == traits(Policy(layers=in_turn(half)))["Rotate"] == 0.5**0.5
    late = Policy(schedule=(Phase(until=0.5), Phase(until=1.0, layers=in_turn(turn))))
    assert traits(late)["Rotate"] == 0.5**0.5
    assert traits(Policy(mixing=Mixing(kind="cutmix", probability=0.3)))["cutmix"] == 0.3
    assert set(traits(load_policy("augmix"))) >= {"chains", "copies"}


def test_it_finds_a_hidden_liking_with_fewer_trials_than_chance() -> None:
    def score(policy: Policy) -> float:
        known = traits(policy)
        return known.get("Rotate", 0) - known.get("Posterize", 0) - 0.5 * known.get("HorizontalFlip", 0)

    ranks = []
    for seed in range(5):
        pool = drawn(300, seed)
        tried = [(policy, score(policy)) for policy in pool[:5]]
        left = pool[5:]
        for _ in range(15):
            tried.append((chosen := left.pop(int(expected_scores(tried, left).argmax())), score(chosen)))
        best = max(value for _, value in tried)
        ranks.append(sum(score(policy) > best for policy in pool))
    assert np.median(ranks) <= 3  # the best of 20 random ones is beaten by 14 of 300 in the median


def test_draws_stay_in_the_space_and_are_spread_over_it() -> None:
    generator = np.random.default_rng(0)
    values = []
    for _ in range(300):
        suggest = Drawn(generator, {})
        sample_shaped(SPACE, suggest)
        values.append(suggest.values)
    assert {value["layers"] for value in values} == set(range(SPACE.layers[0], SPACE.layers[1] + 1))
    assert {value["mixing"] for value in values} == set(SPACE.mixing.kinds)
    assert {value["copies"] for value in values} == set(range(1, 9))
    strengths = [value["strength"] for value in values if "strength" in value]
    assert min(strengths) >= SPACE.strength[0]
    assert max(strengths) <= SPACE.strength[1]
    assert np.std(strengths) > 0.2
