"""A Gaussian process over what policies do: what the trials so far say about a policy that was not tried."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist

from autoaug.policy.models import Layers, Policy

#: The length scale of the kernel, in units of `traits`; its variance and that of the noise, in variances of the scores.
#: Fits to one data set at a time (scripts/bench_table: ten sets, 139 policies) gave lengths from 1.9 to 3.1 and noise
#: from 0.01 to 0.18.
_LENGTH, _VARIANCE, _NOISE = 2.0, 2.0, 0.1


def traits(policy: Policy) -> dict[str, float]:
    """What a policy does, as numbers near [0, 1] by name; what is missing is 0. Policies with similar traits do similar
    things, however they are written: how often each operator is applied to a sample on average, and how strongly; how
    much is mixed, attacked and generated; how many copies there are. The square root of a rate tells nothing from a
    little better than a lot from twice as much.
    """
    rates: defaultdict[str, float] = defaultdict(float)
    choices = 0.0
    for share, layers in _phases(policy):
        for layer in layers:
            choices += share * (len(layer.sub_policies) > 1)
            weights = sum(sub_policy.weight for sub_policy in layer.sub_policies)
            for sub_policy in layer.sub_policies:
                for operation in sub_policy.operations:
                    rate = share * sub_policy.weight / weights * operation.probability
                    rates[operation.operator] += rate
                    rates[f"{operation.operator}, strength"] += rate * sum(operation.magnitude) / 2
    present = {name: math.sqrt(rate) for name, rate in rates.items()}
    present |= {"choices": choices / 3, "copies": math.log2(policy.copies) / 3, "chains": float(bool(policy.chains))}
    if policy.mixing:
        present[policy.mixing.kind] = policy.mixing.probability
    if policy.adversarial:
        present[policy.adversarial.kind] = math.sqrt(policy.adversarial.share)
    if policy.synthetic:
        present[policy.synthetic.kind] = math.sqrt(policy.synthetic.share)
    if policy.regularization:
        present["dropout"] = policy.regularization.dropout
    return present


def _phases(policy: Policy) -> Iterator[tuple[float, Layers]]:
    """The layers of each phase, with its share of the training."""
    if not policy.schedule:
        yield 1.0, policy.layers
    begin = 0.0
    for phase in policy.schedule:
        yield phase.until - begin, phase.layers
        begin = phase.until


def expected_scores(tried: Sequence[tuple[Policy, float]], untried: Sequence[Policy]) -> np.ndarray:
    """What each of the `untried` policies is expected to score, ``[len(untried)]``, above the mean of the scores and in
    their standard deviations.

    Args:
        tried: policies and their scores under equal conditions, at least one.
        untried: the policies to judge.
    """
    places = _places([traits(policy) for policy in [*(policy for policy, _ in tried), *untried]])
    at, wanted = places[: len(tried)], places[len(tried) :]
    values = np.array([score for _, score in tried])
    spread = float(values.std()) if np.ptp(values) else 1.0  # the deviation of equal scores is seldom exactly 0
    factor = cho_factor(_kernel(at, at) + _NOISE * np.eye(len(at)))
    expected: np.ndarray = _kernel(wanted, at) @ cho_solve(factor, (values - values.mean()) / spread)
    return expected


def _places(all_traits: Sequence[dict[str, float]]) -> np.ndarray:
    """The traits as a matrix with one row per policy and one column per name."""
    names = sorted({name for known in all_traits for name in known})
    return np.array([[known.get(name, 0.0) for name in names] for known in all_traits])


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The squared exponential kernel between the rows of two matrices."""
    kernel: np.ndarray = _VARIANCE * np.exp(-cdist(a, b, "sqeuclidean") / (2 * _LENGTH**2))
    return kernel
